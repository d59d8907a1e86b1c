"""Limit a shell command, and stop it with all that it runs."""

# /// script
# dependencies = ["process-terminate"]
# ///
from subprocess import PIPE, Popen, TimeoutExpired

from process_terminate import stop_tree


def run(command, limit):
    process = Popen(command, shell=True, stdout=PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=limit)
    except TimeoutExpired:
        stop_tree(process, grace=5)
        # Until its end of file.
        output, _ = process.communicate()
    finally:
        stop_tree(process)  # After any other error, such as Ctrl-C.
    return process.returncode, output


if __name__ == "__main__":
    print(run("echo hello", limit=30))
    #> (0, 'hello\n')
    print(run("echo begun; sleep 60; true", limit=1))
    #> (-15, 'begun\n')
