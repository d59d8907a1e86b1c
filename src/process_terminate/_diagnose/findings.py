"""The parts of a diagnosis, and their words."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

from process_terminate._diagnose.reading import GoneError, Process
from process_terminate._process.printable import printable

if TYPE_CHECKING:
    from process_terminate._diagnose.calls import Blocked
    from process_terminate._diagnose.peers import File

T = TypeVar("T")
#: Folder of the site in which each finding has a page of its name.
PAGES = "examples/diagnose"
#: A list of processes or files is cut after so many.
MOST_NAMED = 5
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Finding:
    """One reason why a process does not stop, or one fact about how it can stop."""

    name: str
    """A stable name for programs, such as `sigterm-ignored`."""
    text: str
    """A sentence or two for people."""
    facts: tuple[str, ...]
    """The lines of `/proc` and the processes that the text rests on."""
    do: str
    """The way to stop the process anyway, or to find out more."""
    page: str
    """The page of the site that shows it, such as
    `examples/diagnose/sigterm_ignored/`."""
    certain: bool
    """Whether the facts prove the text. If not, the text is only likely."""


@dataclass(frozen=True)
class Diagnosis:
    """The result of [`diagnose()`][process_terminate.diagnose].

    `str()` makes a report of it.
    """

    pid: int
    """The pid of the process."""
    command: str
    """Its command line, or its name. Empty if the process is gone."""
    age: float | None
    """Seconds since its start, or `None` if unknown."""
    state: str
    """`running`, `sleeping`, `uninterruptible`, `stopped`, `traced`, `idle`,
    `zombie`, `gone` or `unknown`."""
    findings: tuple[Finding, ...]
    """The findings, the most important first."""
    unseen: tuple[str, ...]
    """The facts that could not be read, and why."""
    tree: tuple[Diagnosis, ...] = ()
    """One diagnosis for each descendant, if `tree=True`."""
    stack: str = ""
    """The output of `py-spy dump`, if `py_spy=True`."""

    def get(self, name: str) -> Finding | None:
        """Return the finding with a name, or `None` if there is none.

        Args:
            name: The name, such as `sigterm-ignored`.

        Returns:
            The finding.
        """
        return next((found for found in self.findings if found.name == name), None)

    def as_dict(self) -> dict[str, object]:
        """Return a dictionary for JSON. Its keys are the names of the fields."""
        return asdict(self)

    def __str__(self) -> str:
        """Return a report for people."""
        lines = [_headline(self)]
        for finding in self.findings:
            likely = "" if finding.certain else "Likely: "
            lines.append(f"  {likely}{finding.text}")
            lines.extend(f"    {fact}" for fact in finding.facts)
            lines.append(f"    -> {finding.do} {finding.page}")
        if not self.findings:
            lines.append("  Nothing was found that keeps it from ending.")
        lines.extend(f"  Not seen: {what}" for what in self.unseen)
        lines.extend(f"  {line}" for line in self.stack.splitlines())
        return "\n".join([*lines, *map(str, self.tree)])


def finding(
    name: str, text: str, *facts: str, do: str, certain: bool = True, page: str = ""
) -> Finding:
    """Return a finding; its page has the name of the finding, if none is given.

    The names of processes and files in it are foreign, so they are made safe to print.
    """
    path = f"{PAGES}/{(page or name).replace('-', '_')}/"
    shown = tuple(map(printable, facts))
    return Finding(name, printable(text), shown, printable(do), path, certain)


def survivors_finding(pids: Sequence[int], name: Callable[[int], str]) -> Finding:
    """Return the finding about the descendants that survive the process."""
    count = "1 descendant" if len(pids) == 1 else f"{len(pids)} descendants"
    return finding(
        "leaves-children",
        f"kill() and terminate() do not reach its {count}.",
        *first_few(pids, name),
        do="Use stop_tree(), or process-terminate stop --tree.",
    )


def first_few(items: Sequence[T], line: Callable[[T], str]) -> list[str]:
    """Return a line for each of the first items, and one for how many are left out."""
    lines = [line(item) for item in items[:MOST_NAMED]]
    if len(items) > MOST_NAMED:
        lines.append(f"and {len(items) - MOST_NAMED} more")
    return lines


def limit_of(wait: Blocked) -> list[str]:
    """Return the line for the timeout of a wait, if it has one."""
    return [] if wait.limit is None else [f"timeout: {span(wait.limit)}"]


def _headline(found: Diagnosis) -> str:
    command = f" ({found.command})" if found.command else ""
    if found.age is None:
        return f"pid {found.pid}{command} is {found.state}"
    verb = "was started {} ago" if found.state == "zombie" else "has been alive for {}"
    return f"pid {found.pid}{command} {verb.format(span(found.age))}, {found.state}"


def span(seconds: float) -> str:
    """Return a time span for people, such as `3 h 12 min`."""
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def name_of(pid: int) -> str:
    """Return a process for people: its pid and the start of its command."""
    if pid == os.getpid():
        return f"pid {pid} (the calling process)"
    try:
        program, _, rest = Process(pid).command.partition(" ")
    except GoneError:
        return f"pid {pid} (gone)"
    command = f"{program.rsplit('/', 1)[-1]} {rest}".rstrip()
    short = command if len(command) <= 60 else command[:57] + "..."
    return f"pid {pid} ({short})"


def who(process: Process, pids: frozenset[int] | None) -> str:
    """Return some processes as the subject of a sentence."""
    if not pids:
        return "no process that can be seen"
    others = pids - {process.pid}
    if not others:
        return "only the process itself"
    named = count_of(others)
    return f"{named} and the process itself" if process.pid in pids else named


def count_of(pids: frozenset[int] | set[int]) -> str:
    """Return how many processes there are, or which one it is."""
    if len(pids) > 1:
        return f"{len(pids)} other processes"
    (pid,) = pids
    return "the calling process" if pid == os.getpid() else f"pid {pid}"


def fact_of(process: Process, file: File) -> str:
    """Return a file, and which processes can make it ready."""
    if not file.wakers:
        return file.what
    named = [
        "itself" if pid == process.pid else name_of(pid) for pid in sorted(file.wakers)
    ]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{file.what}; other end: {', '.join(named[:MOST_NAMED])}{more}"


def how_to_see(process: Process) -> str:
    """Return how to see the line of Python, or of another language."""
    name = process.command
    if "python" in name or "pypy" in name:
        return f"See the line: py-spy dump --pid {process.pid}, or faulthandler."
    return f"See the call: gdb -p {process.pid}, or strace -p {process.pid}."
