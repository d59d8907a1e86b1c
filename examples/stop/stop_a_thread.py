"""Stop a thread: no method kills it, so it must return by itself."""

import ctypes
import threading

set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


class Stop(Exception):
    pass


def wait(started, event):
    started.set()
    try:
        event.wait()  # One call into C: no exception interrupts it.
    except Stop:
        print("Stop was raised when wait() returned")
        #> Stop was raised when wait() returned


def is_alive_after_exception(thread):
    set_exception(ctypes.c_ulong(thread.ident), ctypes.py_object(Stop))
    thread.join(timeout=0.5)
    return thread.is_alive()


if __name__ == "__main__":
    started, event = threading.Event(), threading.Event()
    thread = threading.Thread(target=wait, args=(started, event))
    thread.start()
    started.wait()
    #> has terminate() False
    print("has terminate()", hasattr(thread, "terminate"))
    #> alive after Stop True
    print("alive after Stop", is_alive_after_exception(thread))
    event.set()
    thread.join()
    print("alive after event.set()", thread.is_alive())
    #> alive after event.set() False
