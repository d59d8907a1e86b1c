"""Signal a process with a pidfd, which never hits another one."""

# /// script
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import select
import signal
import time
from multiprocessing import Process

if __name__ == "__main__":
    worker = Process(target=time.sleep, args=(60,), daemon=True)
    worker.start()
    pidfd = os.pidfd_open(worker.pid)
    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    # Until the worker is dead.
    select.select([pidfd], [], [])
    # From now on another process may get its pid.
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code -15
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    except ProcessLookupError as error:
        print(error)
        #> [Errno 3] No such process
    os.close(pidfd)
