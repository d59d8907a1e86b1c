"""Read the output of a killed shell: its command has the pipe."""

import os
from subprocess import PIPE, Popen, TimeoutExpired

if __name__ == "__main__":
    stdin, hold = os.pipe()
    process = Popen("cat; true", shell=True, stdin=stdin, stdout=PIPE)
    os.close(stdin)
    os.write(hold, b"ready\n")
    print("the command is", process.stdout.readline().decode().strip())
    #> the command is ready
    process.kill()
    print("the shell: exit code", process.wait())
    #> the shell: exit code -9
    try:
        process.communicate(timeout=0.5)
    except TimeoutExpired:
        print("communicate(): still waiting")
        #> communicate(): still waiting
    os.close(hold)  # Now cat ends.
    print("communicate():", process.communicate())
    #> communicate(): (b'', None)
