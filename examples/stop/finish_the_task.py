"""Let SIGTERM only set a flag, so that the worker finishes its task."""

import signal
from multiprocessing import Pipe, Process


def work(pipe):
    asked = []
    signal.signal(signal.SIGTERM, lambda *args: asked.append(True))
    pipe.send("ready")
    while not asked:
        if pipe.poll(timeout=0.1):
            task = pipe.recv()
            pipe.send(f"{task} begun")
            # This task lasts until the parent says so.
            pipe.recv()
            pipe.send(f"{task} done")


if __name__ == "__main__":
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs,))
    worker.start()
    print("the worker:", ours.recv())
    #> the worker: ready
    ours.send("task 1")
    print("the worker:", ours.recv())
    #> the worker: task 1 begun
    worker.terminate()
    ours.send("finish your task")
    ours.send("task 2")
    print("the worker:", ours.recv())
    #> the worker: task 1 done
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code 0
    print("task 2 is left:", theirs.recv())
    #> task 2 is left: task 2
