"""CPython's own tests of multiprocessing pass with the library put in place.

The tests of the running Python, for each start method. `Process.terminate()` and
`Process.kill()` are those of the library, or `stop()`, which also waits.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.paths import ROOT

HERE = Path(__file__).parent
#: Seconds for the tests of one start method, on a busy machine.
DEADLINE = 1500
LAST_LINES = 3000

pytestmark = [
    pytest.mark.timeout(DEADLINE + 60),
    pytest.mark.skipif(
        importlib.util.find_spec("test._test_multiprocessing") is None,
        reason="this Python has no test package; some systems have it as a package "
        "of their own, such as libpython3-testsuite",
    ),
]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("in_place", ["terminate", "stop"])
def test_cpython_tests_pass(
    in_place: str,
    method: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The tests are those that the running Python was released with."""
    path = [str(HERE), str(ROOT / "src")]
    tests = subprocess.run(
        [sys.executable, "-m", "unittest", "-v", "cpython"],
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "TESTED_START_METHOD": method,
            "PUT_IN_PLACE": in_place,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        start_new_session=True,
    )
    output = tests.stdout
    summary = output.rstrip().rpartition("Ran ")[2]
    record_property("summary", f"{in_place}, {method}: Ran {summary}")
    assert tests.returncode == 0, output[-LAST_LINES:]
