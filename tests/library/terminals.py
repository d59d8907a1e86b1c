"""A shell on a terminal of its own, for the tests of the command line."""

import os
import re
import select
import subprocess
import time
from collections.abc import Sequence

from support import DEADLINE, environment

PROMPT = "ready> "
#: Without "set -b" and colors; job control as at a keyboard.
SHELL = ("bash", "--norc", "--noprofile", "-i")


class Terminal:
    """A program that has a terminal, and what it has shown so far."""

    def __init__(self, command: Sequence[str] = SHELL) -> None:
        """Start a program as the leader of a session on a new terminal."""
        self._own, other = os.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            stdin=other,
            stdout=other,
            stderr=other,
            env={**environment(), "PS1": PROMPT, "TERM": "dumb", "HISTFILE": ""},
        )
        os.close(other)
        self.shown = ""

    def send(self, text: str) -> None:
        """Type something."""
        os.write(self._own, text.encode())

    def expect(self, pattern: str) -> str:
        """Wait until the terminal shows something; return it, and forget all before."""
        end = time.monotonic() + DEADLINE
        while not (found := re.search(pattern, self.shown)):
            assert select.select([self._own], [], [], end - time.monotonic())[0], (
                f"{pattern!r} is not in {self.shown!r}"
            )
            try:
                self.shown += os.read(self._own, 4096).decode()
            except OSError:  # No process has the terminal.
                raise AssertionError(f"{pattern!r} is not in {self.shown!r}") from None
        self.shown = self.shown[found.end() :]
        return found[0]

    def close(self) -> None:
        """Hang up, and kill the program if it survives that."""
        os.close(self._own)
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(DEADLINE)
