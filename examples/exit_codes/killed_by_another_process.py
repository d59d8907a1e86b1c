"""Ask a signal who sent it: SIGTERM can tell, SIGKILL cannot."""

# /// script
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import signal
from multiprocessing import Pipe, Process


def work(pipe):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    pipe.send("ready")
    info = signal.sigwaitinfo([signal.SIGTERM])
    pipe.send(info.si_pid)
    pipe.recv()


def send(number, pid):
    os.kill(pid, number)


if __name__ == "__main__":
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs,))
    worker.start()
    ours.recv()
    killers = []
    for number in (signal.SIGTERM, signal.SIGKILL):
        killer = Process(target=send, args=(number, worker.pid))
        killer.start()
        killer.join()
        killers.append(killer.pid)
    print("sender of SIGTERM is known:", ours.recv() == killers[0])
    #> sender of SIGTERM is known: True
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code -9
