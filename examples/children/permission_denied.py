"""Signal a child that runs as another user: PermissionError."""

# /// script
# [tool.evidence]
# platforms = ["linux"]
# needs = ["root"]
# ///
import os
from subprocess import PIPE, Popen

NOBODY = 65534


def as_nobody(call):
    """Call a function as another user, and come back."""
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        call()
    except PermissionError as error:
        return error
    finally:
        os.setresuid(0, 0, 0)


if __name__ == "__main__":
    # As with "sudo cat": the child is root's, and its parent is not.
    child = Popen(["cat"], stdin=PIPE)
    print("terminate():", as_nobody(child.terminate))
    #> terminate(): [Errno 1] Operation not permitted
    print("kill():", as_nobody(child.kill))
    #> kill(): [Errno 1] Operation not permitted
    # This needs no rights: cat exits at its end.
    child.stdin.close()
    print("without a signal: exit code", child.wait())
    #> without a signal: exit code 0
