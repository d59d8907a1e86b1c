"""Five children are zombies that no process reaps, and one child is alive."""

import os

from grow import child, rest, root_of

for pid in [child(lambda: None) for _ in range(5)]:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
child(rest)
root_of(1)
