"""Kill a shell, its group and its tree: only kill() leaves cat."""

# /// script
# dependencies = ["process-terminate"]
# ///
import os
import signal
from subprocess import PIPE, Popen

from process_terminate import stop_tree

PIPES = {"stdin": PIPE, "stdout": PIPE}


def kill_group(process):
    os.killpg(process.pid, signal.SIGKILL)


def answer(command, stop):
    process = Popen(
        command, shell=True, start_new_session=True, **PIPES
    )
    process.stdin.write(b"are you ready?\n")
    process.stdin.flush()
    process.stdout.readline()  # Now cat runs.
    stop(process)
    return process.communicate(b"still here", timeout=30)[0]


if __name__ == "__main__":
    print("kill():", answer("cat; true", Popen.kill))
    #> kill(): b'still here'
    print("kill(), exec:", answer("exec cat", Popen.kill))
    #> kill(), exec: b''
    print("exec in a pipeline:", answer("exec cat | cat", Popen.kill))
    #> exec in a pipeline: b'still here'
    print("killpg():", answer("cat | cat", kill_group))
    #> killpg(): b''
    print("stop_tree():", answer("cat | cat", stop_tree))
    #> stop_tree(): b''
