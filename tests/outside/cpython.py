"""Are CPython's own tests of multiprocessing, with this library put in place.

A module, because the processes that the tests start import it again by its name. The
environment says which start method is tested, and what is put in place.
"""

import os
import threading
from collections.abc import Callable
from functools import wraps
from multiprocessing.process import BaseProcess
from typing import Any

import test._test_multiprocessing as tests  # type: ignore[import-not-found]

import process_terminate

METHOD = "TESTED_START_METHOD"
IN_PLACE = "PUT_IN_PLACE"

Call = Callable[[BaseProcess], Any]

#: For each choice, what does the work of `Process.terminate()` and `Process.kill()`.
CHOICES: dict[str, tuple[Call, Call]] = {
    "terminate": (process_terminate.terminate, process_terminate.kill),
    "stop": (
        process_terminate.stop,
        lambda process: process_terminate.stop(process, grace=0),
    ),
}

_inside = threading.local()


def _in_place_of(standard: Callable[..., None], function: Call) -> Call:
    """Return a method that calls the function, which may call the standard method."""

    @wraps(standard)
    def method(process: BaseProcess) -> None:
        if getattr(_inside, "call", False):
            standard(process)
            return
        _inside.call = True
        try:
            function(process)
        finally:
            _inside.call = False

    return method


for _name, _function in zip(
    ("terminate", "kill"), CHOICES[os.environ[IN_PLACE]], strict=True
):
    _method = _in_place_of(getattr(BaseProcess, _name), _function)
    setattr(BaseProcess, _name, _method)

# What test.test_multiprocessing_fork, _spawn and _forkserver consist of.
tests.install_tests_in_module_dict(globals(), os.environ[METHOD])
