"""Render the study of runners: what each left of the hostile trees."""

import sys
from collections.abc import Callable

from evidence.render.studies import docstring, measured
from evidence.studies import runners
from evidence.studies.runners import MODES, RUNNERS, Outcome, Runners
from evidence.template import table


def files() -> dict[str, str]:
    """Return the files that the page of the runners embeds."""
    parts = of_runners(runners.load())
    return {f"studies/runners/{name}": f"{text}\n" for name, text in parts.items()}


def of_runners(data: Runners) -> dict[str, str]:
    """Return the tables of the runners, a summary, and how it was measured."""
    by_sigterm = [(runner, mode) for runner in RUNNERS for mode in MODES]
    heads = [f"`{runner}`, {mode}" for runner, mode in by_sigterm]
    cells = [runners.cell(runner, mode, "SIGTERM") for runner, mode in by_sigterm]
    ended = [runners.cell(runner, "command", "ended") for runner in RUNNERS]
    versions = ", ".join(filter(None, data.versions.values()))
    more = f"{versions}, {data.runs} runs of each cell, grace period {data.grace:g} s"
    names = [f"`{runner}`" for runner in RUNNERS]
    return {
        "summary.md": table(
            ["How it is run, and what happens", *names],
            [
                [title, *(_clean(data, runners.cell(r, *case)) for r in RUNNERS)]
                for case, title in _CASES.items()
            ],
        ),
        "sigterm.md": table(["Tree", *heads], _rows(data, cells, str)),
        "ended.md": table(["Tree", *names], _rows(data, ended, _described)),
        "commands.md": table(
            ["Runner", "Command"],
            [[f"`{r}`", f"`{' '.join(_command(r))}`"] for r in RUNNERS],
        ),
        "measured.md": measured(data, more, "runners"),
    }


#: The cases of the study of runners, as its summary names them.
_CASES = {
    ("command", "SIGTERM"): "as a command, the runner gets `SIGTERM`",
    ("command", "ended"): "as a command, the program that it runs is killed",
    ("process 1", "SIGTERM"): "as process 1 of a pid namespace, it gets `SIGTERM`",
}


def _command(runner: str) -> list[str]:
    """Return the command of a runner, as a user types it."""
    words = [w for w in RUNNERS[runner] if w not in (sys.executable, "-m")]
    return [word.replace("process_terminate", "process-terminate") for word in words]


def _clean(data: Runners, cell: str) -> str:
    """Return in how many trees no run left anything."""
    clean = [t for t in data.trees.values() if _is_clean(t.outcomes[cell])]
    return f"{len(clean)} of {len(data.trees)}"


def _is_clean(outcomes: list[tuple[int, Outcome]]) -> bool:
    return all(outcome == Outcome() for _, outcome in outcomes)


def _described(tree: str) -> str:
    return f"{tree}: {docstring(tree)}"


def _rows(
    data: Runners, cells: list[str], name: Callable[[str], str]
) -> list[list[str]]:
    return [
        [name(tree), *(_left(counted.outcomes[cell]) for cell in cells)]
        for tree, counted in data.trees.items()
    ]


def _left(outcomes: list[tuple[int, Outcome]]) -> str:
    """Return what the runs of a cell left, with how often if that differs."""
    found = []
    for times, outcome in outcomes:
        said = [str(outcome.survivors)]
        said += ["still running"] * outcome.running
        said += [f"{outcome.harmed} harmed"] * bool(outcome.harmed)
        said += [f"{outcome.names} left in `/dev/shm`"] * bool(outcome.names)
        count = f" ({times}&times;)" if len(outcomes) > 1 else ""
        found.append(", ".join(said) + count)
    return "<br>".join(found)
