"""Show the exit code of SIGTERM in Python and in a shell."""

import os
import signal
import subprocess
from multiprocessing import Process


def die():
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    worker = Process(target=die)
    worker.start()
    worker.join()
    print("multiprocessing:", worker.exitcode)
    #> multiprocessing: -15

    command = ["sh", "-c", "kill -TERM $$"]
    print("subprocess:", subprocess.run(command).returncode)
    #> subprocess: -15

    script = "sh -c 'kill -TERM $$'; echo $?"
    shell = subprocess.run(["sh", "-c", script], capture_output=True)
    print("a shell's $?:", int(shell.stdout))
    #> a shell's $?: 143
