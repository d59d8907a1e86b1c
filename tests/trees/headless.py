"""The leader is already dead, and its children keep running."""

from grow import announce, await_reports, child, rest

child(rest)
child(rest)
await_reports(2)
announce()
