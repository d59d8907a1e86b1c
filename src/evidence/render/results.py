"""What the tables show of the recorded runs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from msgspec.structs import replace
from packaging.version import Version

from evidence import pages
from evidence.examples import START_METHODS, Example
from evidence.measure import runs
from evidence.measure.runs import Cell, Column, Outcome, Runs, Tally
from evidence.pages import Page

PASSED, DIFFERED, UNTESTED = "passed", "differed", "not tested"
#: The runs are of an example that ran differently from the one of today.
EARLIER = "earlier"
SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


class Count(Tally):
    """The runs of one or several cells."""

    is_earlier: bool = False

    @property
    def state(self) -> str:
        """Return passed, differed, not tested, or earlier."""
        if not self.runs:
            return UNTESTED
        if self.is_earlier:
            return EARLIER
        return PASSED if self.passed == self.runs else DIFFERED


@dataclass(frozen=True)
class Results:
    """What was measured of an example."""

    example: Example
    runs: Runs

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Return the interpreters: CPython first, each from the oldest version.

        Those on another Linux are in `elsewhere`.
        """
        columns = in_order(self.runs.interpreters).items()
        return {key: column for key, column in columns if not column.is_elsewhere}

    @cached_property
    def elsewhere(self) -> dict[str, Column]:
        """Return the interpreters on another Linux that ran the example."""
        columns = in_order(self.runs.interpreters).items()
        return {key: c for key, c in columns if c.is_elsewhere and c.cells}

    def elsewhere_in(self, state: str) -> list[str]:
        """Return where else the example is in a state, with its runs."""
        counts = {key: self.count(key) for key in self.elsewhere}
        return [
            f"{column.layer} ({counts[key].passed} of {counts[key].runs} runs)"
            for key, column in self.elsewhere.items()
            if counts[key].state == state
        ]

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the start methods under which the example is run."""
        return START_METHODS if self.example.follows_the_default else ("own",)

    @property
    def cells(self) -> list[Cell]:
        """Return each cell that has runs."""
        return [cell for c in self.columns.values() for cell in c.cells.values()]

    @property
    def current(self) -> list[Cell]:
        """Return the cells of the example as it is now."""
        columns = [c for c in self.columns.values() if c.is_of(self.example)]
        return [cell for column in columns for cell in column.cells.values()]

    def count(self, key: str, *methods: str) -> Count:
        """Return the runs on an interpreter, by default under all start methods."""
        total = Count()
        if column := self.runs.interpreters.get(key):
            total.is_earlier = not column.is_of(self.example)
            for method in methods or self.methods:
                if method in column.cells:
                    for tally in column.cells[method].tallies():
                        total.add(tally)
        return total

    def titles(self, *states: str) -> list[str]:
        """Return the names of the interpreters in one of these states."""
        columns = self.columns.items()
        return [title(c) for key, c in columns if self.count(key).state in states]

    @property
    def verdict(self) -> str:
        """Return all results in one line."""
        current = [key for key in self.columns if not self.count(key).is_earlier]
        total = Count()
        for key in current:
            total.add(self.count(key))
        pythons = len(self.titles(PASSED, DIFFERED))
        if not pythons:
            earlier = self.titles(EARLIER)
            return "Tested in an earlier version only" if earlier else "Not tested"
        share = "all" if total.passed == total.runs else f"{total.passed} of"
        where = ", ".join(self.titles(DIFFERED))
        return (
            f"Passed in {share} {total.runs} runs on {pythons} "
            f"Python{'s' if pythons > 1 else ''}"
            + (f"; differed on {where}" if where else "")
        )

    @property
    def reasons(self) -> dict[str, list[str]]:
        """Return why the example was not run, and on which interpreters."""
        found: dict[str, list[str]] = {}
        for column in self.columns.values():
            if column.why_not:
                found.setdefault(column.why_not, []).append(title(column))
        return found

    @property
    def outcomes(self) -> list[tuple[Outcome, list[str]]]:
        """Return what runs did that differed, and where they did."""
        found: dict[str, tuple[Outcome, list[str]]] = {}
        for key, column in self.columns.items():
            for method in self.methods:
                count = self.count(key, method)
                for one in [] if count.is_earlier else count.differed:
                    where = f"{title(column)}, {method}: {one.count} of {count.runs}"
                    same = found.setdefault(repr(replace(one, count=0)), (one, []))
                    same[1].append(where)
        return list(found.values())

    @property
    def untested_systems(self) -> list[str]:
        """Return the systems without a column of their own."""
        seen = {column.platform for column in self.columns.values() if not column.layer}
        return [name for system, name in SYSTEMS.items() if system not in seen]


def of_pages() -> list[tuple[Page, Results]]:
    """Return the pages of the examples in the order of the nav, each with its results."""
    return [
        (page, Results(page.example, runs.load(page.example)))
        for page in pages.below("examples")
        if page.example
    ]


def in_order(columns: dict[str, Column]) -> dict[str, Column]:
    """Return columns by implementation, then system, then version."""

    def place(key: str) -> tuple[str, int, str, Version]:
        column = columns[key]
        system = list(SYSTEMS).index(column.platform)
        return column.implementation, system, column.layer, Version(column.version)

    return {key: columns[key] for key in sorted(columns, key=place)}


def title(column: Column) -> str:
    """Return the name of an interpreter, and of its system if that is not Linux."""
    system = "" if column.platform == "linux" else _system(column)
    return f"{column.implementation} {column.version}{system}"


def _system(column: Column) -> str:
    """Return where an interpreter ran; Wine is not Windows."""
    name = SYSTEMS[column.platform]
    return f" for {name} on {column.layer}" if column.layer else f" on {name}"


def groups(columns: Iterable[Column]) -> list[tuple[str, list[str]]]:
    """Return the heads of columns: implementations, and the versions of each."""
    columns = list(columns)
    several = len({_system(column) for column in columns}) > 1
    found = groupby(columns, lambda c: (c.implementation, _system(c), c.layer))
    return [
        (name + system if several or layer else name, [c.version for c in group])
        for (name, system, layer), group in found
    ]


def all_columns(results: Iterable[Results]) -> dict[str, Column]:
    """Return every interpreter with the newest of its versions that was run."""
    found: dict[str, Column] = {}
    for one in results:
        for key, column in one.columns.items():
            newest = found.setdefault(key, column)
            if Version(newest.version) < Version(column.version):
                found[key] = column
    return in_order(found)


def states(results: Iterable[Results], keys: Iterable[str]) -> Counter[str]:
    """Return the number of cells in each state."""
    keys = list(keys)
    return Counter(
        one.count(key, method).state
        for one in results
        for key in keys
        for method in one.methods
    )
