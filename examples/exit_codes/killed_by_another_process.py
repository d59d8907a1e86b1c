"""Ask the kernel which process sent SIGTERM, and then SIGKILL."""

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


def send_from_another_process(number, pid):
    sender = Process(target=os.kill, args=(pid, number))
    sender.start()
    sender.join()
    return sender.pid


if __name__ == "__main__":
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs,))
    worker.start()
    theirs.close()  # Or recv() hangs if the worker fails.
    ours.recv()
    sender = send_from_another_process(signal.SIGTERM, worker.pid)
    print("the worker knows the sender:", ours.recv() == sender)
    #> the worker knows the sender: True
    send_from_another_process(signal.SIGKILL, worker.pid)
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code -9
