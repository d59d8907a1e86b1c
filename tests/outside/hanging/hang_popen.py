"""Wait for a command that writes more than a pipe holds."""

import subprocess

command = subprocess.Popen(["seq", "100000"], stdout=subprocess.PIPE)
command.wait()
