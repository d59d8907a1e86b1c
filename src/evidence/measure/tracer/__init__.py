"""The tracer: watches the processes of an example, and makes events of what it sees.

The modules in `inside/` run in the traced processes, and use the standard library only.
"""
