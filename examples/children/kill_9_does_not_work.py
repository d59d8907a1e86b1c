"""Send SIGKILL to three processes that it does not kill."""

# /// script
# [tool.evidence]
# platforms = ["linux"]
# needs = ["pid namespace", "root"]
# ///
import os
import subprocess
from signal import SIGKILL

# A shell that is process 1 of a PID namespace, and kills itself.
PROCESS_1 = ["unshare", "--pid", "--fork", "sh", "-c"]
PROCESS_1 += ["kill -9 $$ && echo pid $$ is alive"]


def kill_as_nobody(pid):
    os.setresuid(65534, 65534, 0)
    try:
        os.kill(pid, SIGKILL)
    except PermissionError as error:
        return error
    finally:
        os.setresuid(0, 0, 0)


if __name__ == "__main__":
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as zombie:
        zombie.stdout.read()  # Until it has exited.
        os.kill(zombie.pid, SIGKILL)  # No error, and no effect.
    print("a zombie: exit code", zombie.wait())
    #> a zombie: exit code 0
    answer = subprocess.check_output(PROCESS_1, text=True)
    print("process 1:", answer.strip())
    #> process 1: pid 1 is alive
    roots = subprocess.Popen(["sleep", "60"])
    print("another user's process:", kill_as_nobody(roots.pid))
    #> another user's process: [Errno 1] Operation not permitted
    roots.kill()
    roots.wait()
