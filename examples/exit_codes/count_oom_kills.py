"""Read whether the OOM killer of the kernel killed a process."""

# /// script
# [tool.evidence]
# platforms = ["linux"]
# ///
import re
import time
from multiprocessing import Process
from pathlib import Path


def counter():
    own = Path("/proc/self/cgroup").read_text()
    group = re.search("^0::/(.*)|memory:/(.*)", own, re.M)
    path = group[1] or group[2] or "" if group else ""
    files = (
        f"/sys/fs/cgroup/{path}/memory.events",
        f"/sys/fs/cgroup/memory/{path}/memory.oom_control",
        "/proc/vmstat",  # Counts for the whole machine.
    )
    return next(Path(file) for file in files if Path(file).exists())


def oom_kills():
    return int(re.search(r"oom_kill (\d+)", counter().read_text())[1])


if __name__ == "__main__":
    before = oom_kills()
    worker = Process(target=time.sleep, args=(60,))
    worker.start()
    worker.kill()
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code -9
    print("killed by the OOM killer", oom_kills() > before)
    #> killed by the OOM killer False
