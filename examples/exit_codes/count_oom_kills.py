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
    for pattern, file in (
        ("0::/(.*)", "/sys/fs/cgroup/{}/memory.events"),
        ("memory:/(.*)", "/sys/fs/cgroup/memory/{}/memory.oom_control"),
        ("", "/proc/vmstat"),  # Counts for the whole machine.
    ):
        group = re.search(pattern, own)
        path = Path(file.format(group[1] if group and "{" in file else ""))
        if path.exists():
            return path


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
