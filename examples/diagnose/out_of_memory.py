"""Diagnose a worker that the kernel killed for memory."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# needs = ["memory cgroup"]
# ///
import os
import tempfile
from multiprocessing import Process
from pathlib import Path
from textwrap import wrap

from process_terminate import diagnose


def work(group):
    (group / "cgroup.procs").write_text(str(os.getpid()))
    print(len(bytearray(10**9)))


if __name__ == "__main__":
    root = Path("/sys/fs/cgroup/memory")
    limit = "memory.limit_in_bytes"
    if not root.exists():
        root, limit = root.parent, "memory.max"
    group = Path(tempfile.mkdtemp(dir=root))
    (group / limit).write_text("50000000")
    worker = Process(target=work, args=[group])
    worker.start()
    worker.join()
    found = diagnose(worker).get("out-of-memory")
    for line in wrap(f"{found.name}: {found.text}", 56):
        print(line)
        #> out-of-memory: The kernel killed it because there was no
        #> memory left in its control group.
    group.rmdir()
