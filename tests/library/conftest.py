"""What all tests of the library need: nothing of the site's tooling."""

import os
import signal

# Before the library is imported: the same tests run on the way without pidfds.
if os.environ.get("WITHOUT_PIDFDS"):
    del os.pidfd_open, signal.pidfd_send_signal

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest
from support import (
    DEADLINE,
    IGNORE,
    IS_WINDOWS,
    REST,
    Shell,
    Start,
    Worker,
    descendants,
    new_worker,
    servers,
    stop_servers,
)
from workers import SLEEP, ready

#: Tests fork in processes that have threads, which Python 3.12 warns of.
_FORK = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers of these tests.

    pyproject.toml has `alone` as well, for the tests of the site. On another platform
    `python -m evidence tests` reads no pyproject.toml.
    """
    config.addinivalue_line("markers", "alone: needs a single-threaded process")
    config.addinivalue_line("markers", "measured: its programs may write coverage")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests fork beside threads."""
    for item in items:
        if "library" in item.path.parts:
            item.add_marker(_FORK)


@pytest.fixture(autouse=True)
def _measured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the coverage only of programs that may open and write its files."""
    if not request.node.get_closest_marker("measured"):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Fail if a test leaves a process; end that process."""
    before = descendants()
    descriptors = psutil.Process().num_fds() if not IS_WINDOWS else 0
    yield
    new = descendants() - before
    new = {process for process in new if process.pid not in servers()}
    _, left = psutil.wait_procs(new, timeout=2 if new else 0)
    described = [str(process) for process in left]
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=DEADLINE)
    stop_servers()
    assert described == [], "left running"
    if not IS_WINDOWS:
        assert psutil.Process().num_fds() <= descriptors + 16


@pytest.fixture(autouse=True)
def _signals_kept(_nothing_left: None) -> Iterator[None]:
    """Fail if a test changes what is done with a signal; put it back."""
    if IS_WINDOWS:
        yield
        return
    # pytest-timeout has SIGALRM while a test runs.
    numbers = signal.valid_signals() - {signal.SIGALRM}
    before = {number: signal.getsignal(number) for number in numbers}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    changed = []
    for number, handler in before.items():
        if signal.getsignal(number) != handler and handler is not None:
            changed.append(number)
            signal.signal(number, handler)
    assert changed == [], "handler changed"
    assert signal.pthread_sigmask(signal.SIG_SETMASK, blocked) == blocked


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a worker of any kind, ready; ends and reaps it after the test."""
    started: list[Worker] = []

    def start(kind: str, task: str = "rest") -> Worker:
        started.append(new_worker(kind, task))
        return started[-1]

    yield start
    for worker in started:
        worker.end()


@pytest.fixture
def shell() -> Iterator[Shell]:
    """Starts a shell, ready when it prints a line; ends it after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def shell(command: str) -> subprocess.Popen[bytes]:
        if IS_WINDOWS and command not in {IGNORE, REST}:
            pytest.skip("starts /bin/sh")
        started.append(ready(command))
        return started[-1]

    yield shell
    for process in started:
        process.kill()
        process.wait(DEADLINE)
        assert process.stdout
        process.stdout.close()


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A child that sleeps."""
    process = subprocess.Popen(SLEEP if IS_WINDOWS else ["sleep", "60"])
    yield process
    process.kill()
    process.wait(DEADLINE)


@pytest.fixture(params=[True, False])
def has_tags(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether there are tags; else as under a hard limit, or on PyPy."""
    if not request.param:
        monkeypatch.delattr("resource.prlimit")
    return bool(request.param)


@pytest.fixture
def handler() -> Iterator[Callable[[int, Callable[..., object]], None]]:
    """Sets a signal handler; restores the old one after the test."""
    old: dict[int, object] = {}

    def set_handler(number: int, function: Callable[..., object]) -> None:
        old.setdefault(number, signal.signal(number, function))

    yield set_handler
    for number, function in old.items():
        signal.signal(number, function)  # type: ignore[arg-type]
