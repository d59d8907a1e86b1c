"""Diagnose a worker whose control group is frozen."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# needs = ["cgroup"]
# ///
import tempfile
import time
from multiprocessing import Process
from pathlib import Path
from textwrap import wrap

from process_terminate import diagnose


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 60)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    roots = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")]
    (root,) = [r for r in roots if (r / "cgroup.procs").exists()]
    group = Path(tempfile.mkdtemp(dir=root))
    worker = Process(target=time.sleep, args=[60])
    worker.start()
    (group / "cgroup.procs").write_text(str(worker.pid))
    (group / "cgroup.freeze").write_text("1")
    for line in find(worker.pid, "frozen"):
        print(line)
        #> frozen: Its control group is frozen, as by `docker pause`:
        #> it runs no instruction until the group is thawed.
    worker.kill()
    worker.join()
    group.rmdir()
