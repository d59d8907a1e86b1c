"""Stop what a test starts in a fixture, even if the test fails."""

# /// script
# dependencies = ["process-terminate", "psutil", "pytest"]
# ///
import re
import subprocess
import sys

import psutil
import pytest

from process_terminate import stop_all


@pytest.fixture
def start():
    processes = []

    def start(*command):
        processes.append(subprocess.Popen(command))
        return processes[-1]

    yield start
    stop_all(processes, grace=5)


def test_server(start):
    server = start("sleep", "60")
    assert server.returncode == 0, f"pid {server.pid} runs"


if __name__ == "__main__":
    options = ["-c/dev/null", "--disable-plugin-autoload"]
    options += ["-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, __file__]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    pid = int(re.search("AssertionError: pid ([0-9]+)", run.stdout)[1])
    print("the test failed; server alive:", psutil.pid_exists(pid))
    #> the test failed; server alive: False
