"""End Python processes, and know how they ended."""

from process_terminate._process import kill, terminate

__all__ = ["kill", "terminate"]
