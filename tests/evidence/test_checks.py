"""The checks fail when they should, say why, and leave nothing running.

Each test breaks a copy of the project in one place and runs the real checks on it.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from checks import CHECKS, NOT_THERE, Check
from evidence.measure import leftovers
from evidence.measure.run import run_file
from evidence.paths import ROOT

#: Seconds for a run of a few tests, on a busy machine.
DEADLINE = 90
WORKER = "examples/terminate/terminate_a_worker.py"
HANG = '''"""Start a worker, and hang."""

import multiprocessing
import pathlib
import time


def work(pipe):
    pipe.send("ready")
    time.sleep(600)


if __name__ == "__main__":
    receiver, sender = multiprocessing.Pipe(duplex=False)
    worker = multiprocessing.Process(target=work, args=(sender,))
    worker.start()
    receiver.recv()
    # By this process: while it is in fork(), a Ctrl-C may be lost.
    pathlib.Path("{marker}").touch()
    print("started")
    #> started
    time.sleep(600)
'''


#: Nobody waits long for processes that will not leave.
GRACE = ("src/evidence/leftovers.py", "GRACE = 5.0", "GRACE = 0.5")

#: The tests that run that example once, inside pytest and as a file.
RUN = {
    "inside": "inside and terminate_a_worker",
    "as_a_file": "as_a_file and fork- and terminate_a_worker",
}


class Copy:
    """A copy of the project, to be broken."""

    def __init__(self, folder: Path) -> None:
        unwanted = [".git", ".venv", "site", "dist", "__pycache__", ".*cache"]
        ignore = shutil.ignore_patterns(*unwanted)
        self.folder = shutil.copytree(ROOT, folder / "copy", ignore=ignore)
        # Not the environment of the make that runs these tests, nor their site.
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if "MAKE" not in name and name != "TESTS_SHARE"
        }
        # Comes before the development install of the original.
        self.environment["PYTHONPATH"] = str(self.folder / "src")

    def write(self, path: str, text: str) -> None:
        """Make a file, or make it anew."""
        (self.folder / path).write_text(text, "utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Break a file in one place, which must be there."""
        text = (self.folder / path).read_text("utf-8")
        assert old in text
        self.write(path, text.replace(old, new, 1))

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in the copy, as the leader of a group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command in the copy: its exit status, and all it said."""
        process = self.start(*command)
        output, _ = process.communicate(timeout=DEADLINE)
        return process.returncode, output

    def test(self, *arguments: str) -> tuple[int, str]:
        """Run some of the copy's tests."""
        return self.run(*self.pytest, *arguments)

    @property
    def pytest(self) -> list[str]:
        """The command that runs the copy's tests."""
        # Each plugin takes its time to be imported, and these tests need few.
        unused = ["cacheprovider", "hypothesispytest", "benchmark"]
        options = [option for name in unused for option in ("-p", f"no:{name}")]
        return [sys.executable, "-m", "pytest", *options]


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    """A copy of the project; no process is left when the test is over."""
    with leftovers.ended() as left:
        yield Copy(tmp_path)
    assert left == []


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for another process to get somewhere, but not for ever."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_changed_output_fails(copy: Copy) -> None:
    """An output that is not what the example prints, as on the page of the seed."""
    copy.replace(WORKER, "#> exit code -15", "#> exit code -1")
    status, output = copy.test("tests/test_examples.py", "-k", "terminate_a_worker")
    assert status == 1
    assert "Print output changed code" in output
    assert "4 failed" in output


def test_false_output_of_a_child_fails(copy: Copy) -> None:
    """pytest-examples cannot see it: only the run as a file does."""
    copy.replace(
        WORKER,
        '    ready.send("ready")\n',
        '    print("working")\n    #> working\n    ready.send("ready")\n',
    )
    status, output = copy.test("tests/test_examples.py", "-k", "terminate_a_worker")
    assert status == 1
    assert "3 failed, 2 passed" in output
    assert output.count("FAILED tests/test_examples.py::test_example_prints") == 3
    assert "says_as_a_file[fork-terminate/terminate_a_worker]" in output


def test_update_writes_what_all_processes_print(copy: Copy) -> None:
    """The outputs of the main process and of a child; then the tests pass."""
    original = (copy.folder / WORKER).read_text("utf-8")
    printing = original.replace(
        '    ready.send("ready")\n',
        '    print("working", flush=True)\n    #> x\n    ready.send("ready")\n',
    )
    copy.write(WORKER, printing.replace("#> exit code -15", "#> x"))
    selected = ["tests/test_examples.py", "-k", "terminate_a_worker"]
    status, _ = copy.test(*selected, "--update-examples")
    assert status == 0
    updated = (copy.folder / WORKER).read_text("utf-8")
    assert updated == printing.replace("#> x", "#> working")
    status, _ = copy.test(*selected)
    assert status == 0


def test_example_without_a_page_fails(copy: Copy) -> None:
    """An example that is left out of the documentation."""
    shutil.copy(copy.folder / WORKER, copy.folder / "examples/terminate/new.py")
    status, output = copy.test("tests/test_docs.py", "-k", "terminate/new")
    assert status == 1
    assert "make this page" in output


def test_page_outside_the_navigation_fails(copy: Copy) -> None:
    """A page that nobody finds."""
    copy.replace("mkdocs.yml", "      - kill(): reference/kill.md\n", "")
    status, output = copy.test("tests/test_docs.py", "-k", "navigation")
    assert status == 1
    assert "reference/kill.md" in output


def test_strict_build_names_all_that_is_wrong(copy: Copy) -> None:
    """A link to a page that is not there, and a page outside the navigation."""
    copy.replace("docs/index.md", "reference/index.md", "reference/missing.md")
    copy.replace("mkdocs.yml", "      - kill(): reference/kill.md\n", "")
    status, output = copy.test("tests/test_site.py", "-k", "links")
    assert status == 1
    assert "'reference/missing.md'" in output
    assert "  - reference/kill.md\n" in output


def test_caveat_without_proof_fails(copy: Copy) -> None:
    """A claim in the reference that no example shows."""
    proof = "          [Proof](../examples/terminate/kill_a_stopped_worker.md)\n"
    copy.replace("src/process_terminate/_process.py", proof, "")
    status, output = copy.test("tests/test_docs.py", "-k", "caveat")
    assert status == 1
    assert "no [Proof](../examples/...) at its end: A stopped process dies" in output


def test_caveat_that_leads_elsewhere_fails(copy: Copy) -> None:
    """A proof is the page of an example, not any page."""
    copy.replace(
        "src/process_terminate/_process.py",
        "[Proof](../examples/terminate/kill_a_stopped_worker.md)",
        "[Proof](../examples/index.md)",
    )
    status, _ = copy.test("tests/test_docs.py", "-k", "caveat")
    assert status == 1


def test_lost_address_fails(copy: Copy, site: Path) -> None:
    """A heading that was named otherwise once, with nothing that leads on to it."""
    copy.environment["TESTS_SHARE"] = str(site.parent)  # It is there already.
    copy.replace("docs/addresses.txt", "errors/#", "errors/#once\nerrors/#")
    status, output = copy.test("tests/test_publish.py", "-k", "addresses_are")
    assert status == 1
    assert "'errors/#once'" in output
    assert "say in docs/redirects.txt where it leads" in output


def test_process_left_running_fails(copy: Copy) -> None:
    """An example that leaves a process, which is ended, even in its own session."""
    copy.replace(*GRACE)
    copy.replace(
        WORKER,
        "    worker.terminate()\n",
        "    import subprocess\n"
        "    subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "    worker.terminate()\n",
    )
    arguments = ["-k", "prints and (inside or fork-) and terminate_a_worker"]
    status, output = copy.test("tests/test_examples.py", *arguments)
    assert status == 1
    assert "2 failed" in output
    assert "sleep 600" in output


def test_failing_example_fails_alone(copy: Copy) -> None:
    """Its traceback is shown, and the other tests go on."""
    copy.replace(WORKER, "    worker.join()\n", "    worker.join()\n    1 / 0\n")
    arguments = [
        "-k",
        "prints and (inside or fork-) and (terminate_a_worker or escalate)",
    ]
    status, output = copy.test("tests/test_examples.py", *arguments)
    assert status == 1
    assert "INTERNALERROR" not in output
    assert "ZeroDivisionError" in output
    assert "2 failed, 2 passed" in output


@pytest.mark.parametrize("way", ["inside", "as_a_file"])
def test_hanging_example_is_ended(way: str, copy: Copy) -> None:
    """At its deadline it fails, and its processes are gone."""
    copy.replace(*GRACE)
    copy.write(WORKER, HANG.format(marker=copy.folder / "started"))
    arguments = ["-k", RUN[way], "-o", "timeout=3"]
    status, output = copy.test("tests/test_examples.py", *arguments)
    assert status == 1
    assert "Timeout (>3.0s)" in output
    assert (copy.folder / "started").exists()


def test_hanging_file_is_killed_at_its_deadline(tmp_path: Path) -> None:
    """The run says so by its status, and names what it left."""
    path = tmp_path / "hang.py"
    path.write_text(HANG.format(marker=tmp_path / "started"))
    run = run_file(path, deadline=2)
    assert run.status is None
    assert len(run.leftovers) == 1


@pytest.mark.parametrize("way", ["inside", "as_a_file"])
def test_ctrl_c_ends_a_test_run(way: str, copy: Copy) -> None:
    """The whole group gets SIGINT, as from a terminal; nothing is left."""
    copy.write(WORKER, HANG.format(marker=copy.folder / "started"))
    arguments = ["-k", RUN[way]]
    tests = copy.start(*copy.pytest, "tests/test_examples.py", *arguments)
    wait_until((copy.folder / "started").exists)
    os.killpg(tests.pid, signal.SIGINT)
    output, _ = tests.communicate(timeout=DEADLINE)
    assert tests.returncode == 2
    assert "KeyboardInterrupt" in output


@pytest.fixture
def side_by_side(copy: Copy) -> Copy:
    """A copy whose tests run in three shares: each takes a second to start."""
    copy.replace("tools/test.py", "3 * (os.cpu_count() or 1)", "3")
    return copy


def test_tests_run_side_by_side(side_by_side: Copy) -> None:
    """Only the share that fails is shown whole, and the exit status says so."""
    tests = [sys.executable, "tools/test.py", "tests/test_docs.py", "-k", "navigation"]
    status, output = side_by_side.run(*tests)
    assert status == 0
    assert output.count("1 passed") == 1
    side_by_side.replace("mkdocs.yml", "      - kill(): reference/kill.md\n", "")
    status, output = side_by_side.run(*tests)
    assert status == 1
    assert output.count("reference/kill.md") >= 1


def test_no_test_to_run_is_said(side_by_side: Copy) -> None:
    """Once, and not by each share."""
    tests = [sys.executable, "tools/test.py", "tests/test_docs.py", "-k", "nothing"]
    status, output = side_by_side.run(*tests)
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
    assert output == "test: no test is chosen by these arguments\n"


def test_ctrl_c_ends_tests_that_run_side_by_side(side_by_side: Copy) -> None:
    """Also when only the first process hears it."""
    side_by_side.write(WORKER, HANG.format(marker=side_by_side.folder / "started"))
    arguments = ["tests/test_examples.py", "-k", "as_a_file and terminate_a_worker"]
    tests = side_by_side.start(sys.executable, "tools/test.py", *arguments)
    wait_until((side_by_side.folder / "started").exists)
    tests.send_signal(signal.SIGINT)
    output, _ = tests.communicate(timeout=DEADLINE)
    assert tests.returncode == 130
    assert output == "test: interrupted\n"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetch(port: int, path: str) -> str:
    """What a server on this machine has at an address."""
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    with closing(connection):
        connection.request("GET", f"/{path}")
        return connection.getresponse().read().decode()


def test_serve_serves_until_ctrl_c(copy: Copy) -> None:
    """All that the site has; Ctrl-C ends it without a word of Python's."""
    port = free_port()
    server = copy.start(sys.executable, "-u", "tools/serve.py", str(port))
    assert server.stdout
    said = ""
    while f"Serving on http://127.0.0.1:{port}/" not in said:
        line = server.stdout.readline()
        assert line, said
        said += line
    assert fetch(port, WORKER) == (ROOT / WORKER).read_text("utf-8")
    page = fetch(port, WORKER.replace(".py", "/"))
    assert f"uv run http://127.0.0.1:{port}/{WORKER}" in page
    os.killpg(server.pid, signal.SIGINT)
    output, _ = server.communicate(timeout=DEADLINE)
    assert server.returncode == 0
    assert "Traceback" not in output


def test_serve_says_that_its_port_is_busy(copy: Copy) -> None:
    """One line, with what to do."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        status, output = copy.run(sys.executable, "tools/serve.py", str(port))
    assert status == 1
    assert output == (
        f"serve: port {port} cannot be had (Address already in use); "
        f"take another with: make serve PORT={port + 1}\n"
    )


def test_serve_says_that_its_port_is_no_number(copy: Copy) -> None:
    """One line, with what it got."""
    status, output = copy.run(sys.executable, "tools/serve.py", "http")
    assert status == 1
    assert output == "serve: PORT is a number, not 'http'\n"


def test_setup_says_that_there_is_no_python(copy: Copy) -> None:
    """One line, with what to install."""
    status, output = copy.run("make", "test", "PYTHON=python3.0")
    assert status != 0
    assert output.splitlines()[0] == (
        "setup: there is no python3.0; install Python 3.11 or newer"
    )


def test_setup_says_that_python_is_too_old(copy: Copy) -> None:
    """One line, with how to name another."""
    old = copy.folder / "old"
    old.write_text('#!/bin/sh\ntest "$1" = --version || exit 1\necho Python 3.9.18\n')
    old.chmod(0o755)
    status, output = copy.run("make", "test", f"PYTHON={old}")
    assert status != 0
    assert output.splitlines()[0] == (
        "setup: needs Python 3.11 or newer, not Python 3.9.18; "
        "name one with: make PYTHON=python3.13"
    )


def test_setup_says_that_there_is_no_network(copy: Copy) -> None:
    """And what pip said of it, with where the rest of its words are."""
    copy.environment |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
    }
    status, output = copy.run("make", "test", f"PYTHON={sys.executable}")
    assert status != 0
    words = output.splitlines()
    assert words[1] == (
        "setup: could not install the tools; is the network there? pip said:"
    )
    assert "  ERROR: No matching distribution found" in output
    assert "All its words are in .venv/setup.log; then run make again" in words
    assert (copy.folder / ".venv/setup.log").exists()


def test_failing_checks_are_named_with_what_mends_them(side_by_side: Copy) -> None:
    """One line each, once, at the end of all shares."""
    side_by_side.replace("mkdocs.yml", "      - kill(): reference/kill.md\n", "")
    shutil.copy(
        side_by_side.folder / WORKER, side_by_side.folder / "examples/terminate/new.py"
    )
    arguments = ["tests/test_docs.py", "-k", "navigation or new"]
    status, output = side_by_side.run(sys.executable, "tools/test.py", *arguments)
    assert status == 1
    last = [line for line in output.splitlines() if line][-2:]
    assert last == [
        "check: embedded fails (tests/test_docs.py); mend it: "
        "make the page that the failure names, and list it in both indexes",
        "check: navigation fails (tests/test_docs.py); mend it: "
        "name the page in the nav of mkdocs.yml, once",
    ]


@pytest.fixture
def checked(copy: Copy) -> Copy:
    """A copy whose checks run at once: the tools are installed here already."""
    copy.replace("Makefile", "\n\t@$(PYTHON) tools/setup.py", "")
    copy.replace("Makefile", "RUN := .venv/bin/python\n", f"RUN := {sys.executable}\n")
    makefile = (copy.folder / "Makefile").read_text("utf-8")
    # Those that take long do nothing here.
    for verb in ("types", "site", "zensical", "test"):
        found = re.search(rf"(?m)^{verb}: .*\n(\t.*\n)+", makefile)
        assert found
        copy.replace("Makefile", found[0], f"{verb}:\n\t@true\n")
    return copy


def test_check_names_all_that_fails(checked: Copy) -> None:
    """It goes on after the first, and says at the end what mends each."""
    checked.write("tools/new.py", "import os\n")
    checked.replace("Makefile", "zensical:\n\t@true\n", "zensical:\n\t@false\n")
    status, output = checked.run("make", "check")
    assert status != 0
    assert [line for line in output.splitlines() if line.startswith("check: ")] == [
        "check: lint fails (make lint); mend it: "
        "make format; the rest by hand, as ruff and codespell say above",
        "check: zensical fails (make zensical); mend it: "
        "correct the page that Zensical names above",
    ]


def test_check_says_that_all_pass(checked: Copy) -> None:
    """In its last line."""
    status, output = checked.run("make", "check")
    assert status == 0, output
    assert output.endswith("check: all pass (lint, types, site, zensical, test)\n")


def test_checks_are_those_of_make() -> None:
    """Each is a verb, in the order of their cost."""
    verbs = re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"))
    listed = re.findall(r'(?m)^    "(\w+)": ', (ROOT / "tools/check.py").read_text())
    assert listed == ["lint", "types", "site", "zensical", "test"]
    assert set(listed) <= set(verbs)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_has_its_tests(check: Check) -> None:
    """No check is held by a test that is not there any more."""
    for test in check.tests:
        file, _, name = test.partition("::")
        if file.startswith("browser/") and not (ROOT / "tests/browser").exists():
            continue
        assert f"def {name}" in (ROOT / "tests" / file).read_text("utf-8"), test


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_is_explained(check: Check) -> None:
    """The page for those who copy it names its tests, and what mends it."""
    page = (ROOT / "docs/contributing/checks.md").read_text("utf-8")
    _, found, rest = page.partition(f"\n## {check.name[0].upper()}{check.name[1:]}\n")
    assert found
    section = rest.partition("\n## ")[0]
    for test in check.tests:
        assert f"`tests/{test.removesuffix('::')}`" in section
    assert f"`{check.mend}`" in section or check.mend in section


def test_file_of_another_platform_is_skipped_unread(copy: Copy) -> None:
    """Its imports alone would fail there; the reason is shown."""
    copy.replace(
        "tests/conftest.py",
        "checks.NOT_THERE[sys.platform]",
        'checks.NOT_THERE["win32"]',
    )
    copy.replace(
        "tests/conftest.py",
        "checks.NOT_THERE.get(sys.platform, {})",
        'checks.NOT_THERE["win32"]',
    )
    copy.write("tests/test_process.py", "import missing\n")
    status, output = copy.test("tests/test_process.py", "tests/test_workflows.py")
    assert status == 0, output
    assert "passed, 1 skipped" in output
    assert "expects the exit codes of POSIX" in output


def test_skipped_files_are_there() -> None:
    """None is named that is gone."""
    for skipped in NOT_THERE.values():
        assert all((ROOT / "tests" / f"{name}.py").exists() for name in skipped)
