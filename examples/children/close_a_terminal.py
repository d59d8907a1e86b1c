"""Close the terminal of a program: plain, with nohup, with setsid."""

import os
import pty
import signal
import sys
from multiprocessing.connection import wait

# It says its pid through the pipe that is its file 3.
PROGRAM = (
    "import os, time; os.write(3, b'%d' % os.getpid()); time.sleep(60)"
)
QUIET = "</dev/null >/dev/null 2>&1"


def survives(words):
    reader, writer = os.pipe()
    shell, terminal = pty.fork()
    if shell == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.dup2(writer, 3)
        line = f'{words} "$0" -c "$1" {QUIET} & wait'
        os.execlp("sh", "sh", "-c", line, sys.executable, PROGRAM)
    os.close(writer)
    pid = int(os.read(reader, 20))
    os.close(terminal)
    os.waitpid(shell, 0)
    alive = not wait([reader], timeout=0.5)  # No end of file: alive.
    if alive:
        os.kill(pid, signal.SIGKILL)
    os.close(reader)
    return alive


if __name__ == "__main__":
    for words in "env", "nohup", "setsid":
        print(f"{words} python program.py &: alive", survives(words))
        #> env python program.py &: alive False
        #> nohup python program.py &: alive True
        #> setsid python program.py &: alive True
