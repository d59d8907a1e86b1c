"""Diagnose a dead process by its pid."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import subprocess
from textwrap import wrap

from process_terminate import diagnose

if __name__ == "__main__":
    command = subprocess.Popen(["true"])
    command.wait()
    found = diagnose(command.pid).get("gone")
    for line in wrap(f"{found.name}: {found.text}", 56):
        print(line)
        #> gone: There is no such process: it is dead and was
        #> reaped.
