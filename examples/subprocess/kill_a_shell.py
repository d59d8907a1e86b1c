"""Kill a shell: the command that it runs lives on."""

from subprocess import PIPE, Popen


def kill(command):
    process = Popen(command, shell=True, stdin=PIPE, stdout=PIPE)
    process.stdin.write(b"are you ready?\n")
    process.stdin.flush()
    process.stdout.readline()  # Now the command runs.
    process.kill()
    process.wait()
    output, _ = process.communicate(b"are you there?")
    return process.returncode, output


if __name__ == "__main__":
    # cat answers with what it hears, until its input is closed.
    print("in a shell:", kill("cat; true"))
    #> in a shell: (-9, b'are you there?')
    print("instead of the shell:", kill("exec cat"))
    #> instead of the shell: (-9, b'')
