"""What has a limit: each wait for a program, each module, each folder."""

import ast
from collections import Counter
from collections.abc import Iterator

from evidence.paths import ROOT

#: As docs/contributing/architecture.md says.
LINES, MODULES = 300, 10
#: Calls that wait, and which positional argument is their limit.
LIMITED = dict.fromkeys(("join", "wait", "acquire", "recv", "result", "queue.get"), 1)
LIMITED |= {"poll.poll": 1, "_selector.select": 1, "communicate": 2, "select.select": 4}
#: They take it by name.
PROGRAMS = tuple(
    f"subprocess.{f}" for f in ("run", "call", "check_call", "check_output")
)
LIMITED |= dict.fromkeys(PROGRAMS, 0)
LIMITS = {"timeout", "blocking", "block"}
#: Waits without a limit, or files of them, and why each ends.
JUSTIFIED = {
    "_event_loop.py: done.wait()": "a timer of the loop sets it",
    "workers.py: future.result()": "as_completed() has returned the future",
    "workers.py: with lock": "nothing that is done with it can wait",
    "queue_program.py: inbox.recv()": "poll() has said that there is an item",
    "queue_program.py: queue.get()": "it may hang, and the process is killed then",
    "queue_program.py: writer.join()": "a writer does not handle SIGTERM",
    "queue_program.py: process.join()": "the process was killed",
    "tests/outside/hangs.py": "a program with a limit runs these recipes",
    "tests/outside/programs.py": "a program with a limit runs these recipes",
}


def waits_without_limit(source: str) -> Iterator[str]:
    """Find the calls that may wait forever, and `with` for a lock."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.withitem):
            taken = ast.unparse(node.context_expr)
            if taken.endswith("lock"):
                yield f"with {taken}"
        elif isinstance(node, ast.Call):
            call = f".{ast.unparse(node.func)}".replace("._poll", ".poll")
            place = next(
                (n for end, n in LIMITED.items() if call.endswith(f".{end}")), None
            )
            limits = [k.value for k in node.keywords if k.arg in LIMITS]
            limits += node.args[place - 1 : place] if place else []
            if place is not None and all(
                ast.unparse(limit) == "None" for limit in limits
            ):
                yield ast.unparse(node)


def test_every_wait_has_a_limit_or_a_reason_to_end() -> None:
    """Tests may wait without one, because each test has a limit, but not for programs."""
    found = set()
    for folder in ("src", "tests", "tools"):
        for file in (ROOT / folder).rglob("*.py"):
            path = file.relative_to(ROOT).as_posix()
            for wait in waits_without_limit(file.read_text("utf-8")):
                if folder == "src" or wait.startswith(PROGRAMS):
                    found.add(path if path in JUSTIFIED else f"{file.name}: {wait}")
    assert found == set(JUSTIFIED)


def test_search_finds_waits_without_a_limit() -> None:
    waits = "t.join()\np.wait(None)\nl.acquire()\np.communicate(text)\nq.recv()\nsubprocess.run('x')"
    others = "t.join(1)\n','.join([])\np.communicate(b'', 1)\nl.acquire(timeout=1)\nsubprocess.call('x', timeout=1)"
    found = set(waits_without_limit(f"{waits}\n{others}\nwith self._lock: pass"))
    assert found == {*waits.splitlines(), "with self._lock"}


def test_a_module_can_be_read_at_once_and_a_folder_seen_at_a_glance() -> None:
    modules = list((ROOT / "src").rglob("*.py"))
    long = [m for m in modules if len(m.read_text("utf-8").splitlines()) > LINES]
    names = Counter(m.parent for m in modules if not m.name.startswith("__"))
    full = [folder for folder, count in names.items() if count > MODULES]
    assert (long, full) == ([], [])
