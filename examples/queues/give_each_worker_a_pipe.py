"""Give each worker a pipe: if one is killed, only its task is lost."""

import signal
from multiprocessing import Pipe, Process
from multiprocessing.connection import wait


def work(pipe):
    for task in iter(pipe.recv, None):
        if task == "bad":
            signal.raise_signal(signal.SIGKILL)  # As the OOM killer.
        pipe.send(f"{task} is done")


def start():
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs,))
    worker.start()
    theirs.close()  # Otherwise the pipe does not end.
    return ours, worker


if __name__ == "__main__":
    workers = dict(start() for _ in range(3))
    tasks, results = dict(zip(workers, ["one", "bad", "three"])), []
    for pipe, task in tasks.items():
        pipe.send(task)
    while tasks:
        for pipe in wait(tasks):
            task = tasks.pop(pipe)
            try:
                results.append(pipe.recv())
            except (EOFError, OSError):
                results.append(f"{task} is lost")
                workers.pop(pipe).join()
    print(*sorted(results), sep=", ")
    #> bad is lost, one is done, three is done
    for pipe, worker in workers.items():
        pipe.send(None)
        worker.join()
