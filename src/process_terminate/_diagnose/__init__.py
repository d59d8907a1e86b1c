"""Why a process is still there, read from `/proc`."""
