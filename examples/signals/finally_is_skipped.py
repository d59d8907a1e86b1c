"""Terminate a worker: finally does not run, and its file is empty."""

import tempfile
from multiprocessing import Pipe, Process
from pathlib import Path


def work(log_path, pipe):
    log = open(log_path, "w")
    # Stays in the buffer until close().
    log.write("a result")
    try:
        pipe.send("ready")
        pipe.recv()
    finally:
        log.close()
        log_path.with_name("finally").touch()


def run(ending):
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        ours, theirs = Pipe()
        worker = Process(target=work, args=(log, theirs))
        worker.start()
        ours.recv()
        if ending == "terminated":
            worker.terminate()
        else:
            ours.send("return")
        worker.join()
        cleaned = log.with_name("finally").exists()
        return f"finally ran {cleaned}, log {log.read_text()!r}"


if __name__ == "__main__":
    print("returned:", run("returned"))
    #> returned: finally ran True, log 'a result'
    print("terminated:", run("terminated"))
    #> terminated: finally ran False, log ''
