"""Fixtures of the tests of the command line."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from commands import COMMAND, SLEEP
from support import (
    DEADLINE,
    environment,
)
from terminals import Terminal


@pytest.fixture
def running() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `run` with a shell, whose first line is awaited; ends it after the test."""
    started: list[subprocess.Popen[str]] = []
    if sys.platform != "linux":
        pytest.skip("run needs Linux")

    def start(
        script: str, *options: str, prefix: Any = (), **files: Any
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*prefix, *COMMAND, "run", *options, "--", "/bin/sh", "-c", script],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            **files,
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(DEADLINE)
        assert process.stdout
        process.stdout.close()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A shell with job control on a terminal of its own."""
    if sys.platform != "linux":
        pytest.skip("run needs Linux")
    opened = Terminal()
    opened.expect("ready> ")
    yield opened
    opened.close()


@pytest.fixture
def sleeper() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a program that sleeps; kills it after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command or SLEEP, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(DEADLINE)
