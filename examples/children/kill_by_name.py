"""Kill processes by their command with psutil, but never yourself."""

# /// script
# dependencies = ["psutil"]
# [tool.evidence]
# platforms = ["linux"]
# needs = ["root"]
# ///
import os
import subprocess

import psutil


def kill_all(command):
    errors = []
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] == command:
            try:
                if process.pid != os.getpid():
                    process.kill()
            except (psutil.NoSuchProcess, psutil.AccessDenied) as error:
                errors.append(type(error).__name__)
    return errors


if __name__ == "__main__":
    command = ["sleep", f"60.{os.getpid()}"]
    # The user nobody.
    ours = subprocess.Popen(command, user=65534)
    roots = subprocess.Popen(command)
    os.setresuid(65534, 65534, 0)  # We are nobody as well.
    errors = kill_all(command)
    os.setresuid(0, 0, 0)
    print("ours: exit code", ours.wait())
    #> ours: exit code -9
    print("root's:", *errors)
    #> root's: AccessDenied
    roots.kill()
    roots.wait()
