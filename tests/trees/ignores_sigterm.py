"""Every process ignores SIGTERM."""

from grow import child, ignore_sigterm, rest, root_of

ignore_sigterm()
for _ in range(3):
    child(rest)
root_of(3)
