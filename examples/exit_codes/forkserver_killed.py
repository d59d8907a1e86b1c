"""Kill the forkserver: its worker runs, but seems to be dead."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import signal
from multiprocessing import get_context

from process_terminate import stop

forkserver = get_context("forkserver")


def work(pipe):
    pipe.send(os.getppid())  # The forkserver.
    while True:
        pipe.send(f"answers after {pipe.recv()}")


if __name__ == "__main__":
    ours, theirs = forkserver.Pipe()
    worker = forkserver.Process(target=work, args=(theirs,))
    worker.start()
    # Or recv() hangs when the worker is dead.
    theirs.close()
    os.kill(ours.recv(), signal.SIGKILL)
    worker.join()
    print("alive", worker.is_alive(), "exit code", worker.exitcode)
    #> alive False exit code 255
    worker.terminate()
    ours.send("terminate()")
    print("the worker", ours.recv())
    #> the worker answers after terminate()
    print("stop() returns code", stop(worker).code)
    #> stop() returns code 255
    print("end of its pipe:", os.read(ours.fileno(), 1))
    #> end of its pipe: b''
