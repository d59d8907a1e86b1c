"""Read the exit codes of the ways in which a program exits by itself."""

# /// script
# [tool.evidence]
# platforms = ["win32"]
# ///

import subprocess
import sys

WAYS = {
    "end of the file": "pass",
    "exception": "raise ValueError",
    "sys.exit('text')": "import sys; sys.exit('text')",
    "sys.exit(3)": "import sys; sys.exit(3)",
    "os._exit(5)": "import os; os._exit(5)",
    "crash": "import faulthandler; faulthandler._read_null()",
}


if __name__ == "__main__":
    for way, code in WAYS.items():
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, stderr=subprocess.DEVNULL)
        print(f"{way}: {done.returncode}, {hex(done.returncode)}")
        #> end of the file: 0, 0x0
        #> exception: 1, 0x1
        #> sys.exit('text'): 1, 0x1
        #> sys.exit(3): 3, 0x3
        #> os._exit(5): 5, 0x5
        #> crash: 3221225477, 0xc0000005
