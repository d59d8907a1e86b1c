"""A thousand children."""

from grow import child, rest, root_of

CHILDREN = 1000

for _ in range(CHILDREN):
    child(rest)
root_of(CHILDREN)
