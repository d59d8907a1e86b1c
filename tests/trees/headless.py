"""The leader is dead already, and its children live."""

from grow import announce, await_reports, child, rest

child(rest)
child(rest)
await_reports(2)
announce()
