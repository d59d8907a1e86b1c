"""Stop the children first when the program gets SIGTERM."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import subprocess
import time
from multiprocessing import Pipe, Process

from process_terminate import exit_on_sigterm, no_orphans, stop


def program(pipe):
    fds = [pipe.fileno()]
    with exit_on_sigterm(), no_orphans(grace=5):
        child = subprocess.Popen(["sleep", "60"], pass_fds=fds)
        pipe.send("ready")
        while child.poll() is None:
            time.sleep(0.1)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    process = Process(target=program, args=(sender,))
    process.start()
    sender.close()  # Otherwise the pipe does not end.
    print("the program is", receiver.recv())
    #> the program is ready
    status = stop(process, grace=30)
    print("the program: exit code", status.code)
    #> the program: exit code 143
    try:
        receiver.recv()
    except EOFError:
        print("its child is dead, too")
        #> its child is dead, too
