"""Each check fails when it should, says how to fix it, and leaves nothing running.

The tests break a copy of the project and run the real checks on it.
"""

import os
import shutil
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from copies import DEADLINE, Copy, Folder, wait_until
from evidence.paths import ROOT
from evidence.studies.programs import free_port

if sys.platform == "win32":
    pytest.skip("sends Ctrl-C to a process group", allow_module_level=True)

STOP = "examples/stop"
WORKER = f"{STOP}/terminate_a_worker.py"
HANG = '''"""Start a worker, and hang."""

import multiprocessing
import os
import pathlib
import time

if __name__ == "__main__":
    worker = multiprocessing.Process(target=time.sleep, args=(600,))
    worker.start()
    # Not by the worker: a Ctrl-C may be lost while this process is in fork().
    pathlib.Path("{folder}", f"started-{{os.getpid()}}").touch()
    print("started")
    #> started
    time.sleep(600)
'''
ALONE = "import pytest\n\n@pytest.mark.alone\n"
#: Selects the tests that run that example once inside pytest and once as a file.
HANGING = "terminate_a_worker and (inside or fork-)"


#: The change that gives what a run leaves running less time to exit.
SHORT_GRACE = ("GRACE = 5.0", "GRACE = 0.2")
#: The change that starts fewer workers of xdist.
ONE_WORKER = ("WORKERS = 1 + (os.cpu_count() or 1)", "WORKERS = 1")
NO_WORKERS = (ONE_WORKER[0], "WORKERS = 0")


def started(folder: Path) -> int:
    """Return how many runs of the hanging example have started."""
    return len(list(folder.glob("started-*")))


def test_each_broken_example_fails_and_the_others_pass(copy: Copy) -> None:
    copy.replace("src/evidence/measure/leftovers.py", *SHORT_GRACE)
    copy.replace(WORKER, "#> exit code -15", "#> exit code -1")
    copy.replace(
        f"{STOP}/stop_a_worker.py",
        '    ready.send("ready")\n',
        '    print("working")\n    #> waiting\n    ready.send("ready")\n',
    )
    copy.replace(
        f"{STOP}/escalate_to_kill.py",
        '\nif __name__ == "__main__":\n',
        '\nif __name__ == "__main__":\n'
        "    import subprocess\n"
        "    subprocess.Popen(['sleep', '600'], start_new_session=True)\n",
    )
    copy.replace(
        "examples/signals/clean_up_on_sigterm.py",
        '\nif __name__ == "__main__":\n',
        '\nif __name__ == "__main__":\n    1 / 0\n',
    )
    broken = (
        "terminate_a_worker or stop_a_worker or escalate_to_kill or clean_up_on_sigterm"
    )
    selected = f"prints and (inside or fork-) and ({broken} or kill_a_stopped_worker)"
    status, output = copy.test("tests/examples", "-k", selected)
    assert status == 1
    assert "INTERNALERROR" not in output
    assert "Print output changed code" in output
    # pytest-examples cannot see what a child prints: only the run as a file can.
    assert "as_a_file[fork-stop/stop_a_worker]" in output
    assert "inside_pytest[stop/stop_a_worker]" not in output
    assert "sleep 600" in output
    assert "ZeroDivisionError" in output
    assert "7 failed, 3 passed" in output
    assert (
        "check: outputs failed (tests/examples/test_examples.py); fix: make" in output
    )


def test_update_writes_what_all_processes_print(copy: Copy) -> None:
    original = (copy.folder / WORKER).read_text("utf-8")
    printing = original.replace(
        '    ready.send("ready")\n',
        '    print("working", flush=True)\n    #> x\n    ready.send("ready")\n',
    )
    copy.write(WORKER, printing.replace("#> exit code -15", "#> x"))
    status, output = copy.make("update", "ARGS=-k terminate_a_worker")
    assert status == 0, output
    updated = (copy.folder / WORKER).read_text("utf-8")
    assert updated == printing.replace("#> x", "#> working")


def test_broken_pages_fail(copy: Copy) -> None:
    shutil.copy(copy.folder / WORKER, copy.folder / STOP / "new.py")
    copy.replace("mkdocs.yml", "      - kill(): reference/kill.md\n", "")
    page = "examples/stop/kill_a_stopped_worker.md"
    library = (copy.folder / "src/process_terminate").glob("*.py")
    source = next(path for path in library if page in path.read_text("utf-8"))
    copy.replace(
        str(source.relative_to(copy.folder)), f"(../{page})", "(../examples/index.md)"
    )
    files = ["tests/site/test_docs.py", "tests/site/test_pages.py"]
    status, output = copy.test(*files, "-k", "nav or caveat")
    assert status == 1
    assert "stop/new" in output
    assert "reference/kill.md" in output
    assert "FAILED tests/site/test_docs.py::test_caveat" in output
    assert "check: pages failed (tests/site/test_docs.py); fix: " in output


def test_strict_build_names_a_broken_link(copy: Copy) -> None:
    copy.shrink(WORKER)
    copy.replace(
        "docs/index.md", "# Title\n", "# Title\n\n[Link](reference/missing.md)\n"
    )
    status, output = copy.make("site")
    assert status != 0
    assert "'reference/missing.md'" in output


def test_hanging_example_fails_at_its_deadline(copy: Copy) -> None:
    copy.replace("src/evidence/measure/leftovers.py", *SHORT_GRACE)
    copy.write(WORKER, HANG.format(folder=copy.folder))
    arguments = ["-k", f"prints and {HANGING}", "-o", "timeout=5"]
    status, output = copy.test("tests/examples", *arguments)
    assert status == 1
    assert output.count("Timeout (>5.0s)") >= 2
    assert started(copy.folder) == 2


def test_ctrl_c_ends_both_runs_of_the_tests(copy: Copy) -> None:
    copy.replace("tools/test.py", *ONE_WORKER)
    copy.write(WORKER, HANG.format(folder=copy.folder))
    command = [sys.executable, "tools/test.py", "tests/examples"]
    tests = copy.start(*command, "-k", f"prints and {HANGING}")
    wait_until(lambda: started(copy.folder) == 2)
    os.killpg(tests.pid, signal.SIGINT)
    output, _ = tests.communicate(timeout=DEADLINE)
    assert (tests.returncode, output) == (130, "test: interrupted\n")


def test_only_the_failed_run_is_shown_whole(tmp_path: Path) -> None:
    project = Folder(tmp_path)
    project.write("test.py", (ROOT / "tools/test.py").read_text("utf-8"))
    project.replace("test.py", *NO_WORKERS)
    for name, mark, outcome in ("site", "", "1 == 2"), ("evidence", ALONE, "1 == 1"):
        (tmp_path / f"tests/{name}").mkdir(parents=True)
        text = f"{mark}def test_{name}() -> None:\n    assert {outcome}\n"
        project.write(f"tests/{name}/test_{name}.py", text)
    command = [sys.executable, "test.py", "tests/site"]
    status, output = project.run(*command, "tests/evidence")
    assert status == 1
    assert "assert 1 == 2" in output
    assert "1 failed" in output
    assert "1 passed" in output.splitlines()[-1]
    assert "test_evidence()" not in output
    assert project.run(*command, "-k", "nothing") == (
        pytest.ExitCode.NO_TESTS_COLLECTED,
        "test: these arguments choose no test\n",
    )


def fetch(port: int, path: str) -> str:
    """Return what a server on this machine sends, or nothing if it does not run."""
    with (
        suppress(URLError),
        urlopen(f"http://127.0.0.1:{port}/{path}", timeout=DEADLINE) as response,
    ):
        text: str = response.read().decode()
        return text
    return ""


def test_serve_serves_until_ctrl_c(copy: Copy) -> None:
    copy.shrink(WORKER)
    port = free_port()
    server = copy.start(sys.executable, "-m", "evidence", "serve", str(port))
    wait_until(lambda: server.poll() is not None or fetch(port, ""))
    assert server.poll() is None, server.communicate()[0]
    assert fetch(port, WORKER) == (ROOT / WORKER).read_text("utf-8")
    os.killpg(server.pid, signal.SIGINT)
    assert server.stdout
    read = ""
    while "Shutting down" not in read:  # A second signal must not interrupt that.
        read = server.stdout.readline()
        assert read, "it has closed its output"
    os.killpg(server.pid, signal.SIGTERM)
    output, _ = server.communicate(timeout=DEADLINE)
    assert server.returncode == 0, output
    assert "Traceback" not in output


def test_serve_names_a_busy_port() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        command = [sys.executable, "-m", "evidence", "serve", str(port)]
        status, output = Folder(ROOT).run(*command)
    assert status == 1
    (line,) = output.splitlines()
    assert f"port {port}" in line
    assert "make serve PORT=" in line


@pytest.fixture
def fresh(tmp_path: Path) -> Folder:
    """What make needs of the project to set up its tools."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in "tools", "requirements":
        shutil.copytree(ROOT / name, tmp_path / name)
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("python3.0", "there is no python3.0; install Python 3.11 or newer"),
        (
            "./old",
            "needs Python 3.11 or newer, not Python 3.9.18; "
            "name one with: make PYTHON=python3.13",
        ),
    ],
)
def test_setup_names_a_missing_or_old_python(
    python: str, said: str, fresh: Folder
) -> None:
    fresh.write("old", '#!/bin/sh\ntest "$1" = --version && echo Python 3.9.18\n')
    (fresh.folder / "old").chmod(0o755)
    status, output = fresh.run("make", "test", f"PYTHON={python}")
    assert status != 0
    assert output.splitlines()[0] == f"setup: {said}"


def test_setup_says_that_there_is_no_network(fresh: Folder) -> None:
    fresh.environment |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
    }
    status, output = fresh.run("make", "test", f"PYTHON={sys._base_executable}")  # type: ignore[attr-defined]
    assert status != 0
    assert output.splitlines()[1] == (
        "setup: pip could not install the pinned packages; is there a network? "
        "See .venv/setup.log for the reason, then run make again"
    )
    assert "No matching distribution" in (fresh.folder / ".venv/setup.log").read_text()


def test_check_names_each_failed_target_and_its_fix(tmp_path: Path) -> None:
    project = Folder(tmp_path)
    made = ["types", "pidfds", "lint", "coverage"]
    project.write("Makefile", "".join(f"{name}:\n\t@true\n" for name in made))
    command = [sys.executable, str(ROOT / "tools/check.py"), "make"]
    assert project.run(*command) == (0, f"check: all passed ({', '.join(made)})\n")
    project.replace("Makefile", "lint:\n\t@true", "lint:\n\t@false")
    project.replace("Makefile", "coverage:\n\t@true", "coverage:\n\t@false")
    status, output = project.run(*command)
    assert status == 1
    assert [line for line in output.splitlines() if line.startswith("check: ")] == [
        "check: lint failed (make lint); fix: "
        "make format, or correct what ruff, codespell or zizmor name above",
        "check: coverage failed (make coverage); fix: "
        "see the lines above that begin with check:, "
        "or test the lines that the table names",
    ]
