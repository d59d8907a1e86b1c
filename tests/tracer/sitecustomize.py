"""Notes what the children of a traced example print: for `make update`.

Python imports a module of this name in every process that has its folder on
PYTHONPATH; a forked process inherits what it did.
"""

import builtins
import json
import os
import sys
from pathlib import Path
from typing import Any

EXAMPLE = os.environ["TRACED_EXAMPLE"]
MAIN = int(os.environ.setdefault("TRACED_MAIN", str(os.getpid())))
NOTES = Path(os.environ["TRACED_NOTES"])

plain_print = print


def noting_print(*values: object, sep: str = " ", **options: Any) -> None:
    """Print, and note the line of the example that it was called from."""
    frame = sys._getframe(1)
    if frame.f_code.co_filename == EXAMPLE and os.getpid() != MAIN:
        with NOTES.open("a") as notes:
            notes.write(json.dumps([frame.f_lineno, sep.join(map(str, values))]) + "\n")
    plain_print(*values, sep=sep, **options)


vars(builtins)["print"] = noting_print
