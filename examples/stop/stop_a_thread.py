"""Stop a thread: no method kills it, so it must return by itself."""

import ctypes
import hashlib
import time
from threading import Event, Thread

set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


def compute():
    try:
        hashlib.pbkdf2_hmac("sha256", b"", b"", 3_000_000)  # In C.
    except SystemExit:
        print("SystemExit was raised when the call had returned")
        #> SystemExit was raised when the call had returned


def poll(stop):
    while not stop.wait(0.01):
        pass


if __name__ == "__main__":
    thread = Thread(target=compute)
    began = time.process_time()
    thread.start()
    while time.process_time() < began + 0.1:  # Until it is in C.
        time.sleep(0.01)
    ident = ctypes.c_ulong(thread.ident)
    set_exception(ident, ctypes.py_object(SystemExit))
    print("alive after SystemExit:", thread.is_alive())
    #> alive after SystemExit: True
    thread.join()
    thread = Thread(target=poll, args=(stop := Event(),))
    thread.start()
    stop.set()
    thread.join()
    print("alive after stop.set():", thread.is_alive())
    #> alive after stop.set(): False
