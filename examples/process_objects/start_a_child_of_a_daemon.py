"""Start a child in a daemon: Process refuses, subprocess does not."""

import subprocess
from multiprocessing import Pipe, Process


def work(report):
    try:
        Process(target=print).start()
    except AssertionError as error:
        report.send(error)
    run = subprocess.run(["true"])
    report.send(f"subprocess: exit code {run.returncode}")


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    daemon = Process(target=work, args=(sender,), daemon=True)
    daemon.start()
    for _ in range(2):
        print(receiver.recv())
        #> daemonic processes are not allowed to have children
        #> subprocess: exit code 0
    daemon.join()
