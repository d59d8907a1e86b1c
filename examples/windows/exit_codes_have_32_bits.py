"""Exit with numbers that Unix would cut to 8 bits."""

# /// script
# [tool.evidence]
# platforms = ["win32"]
# ///

import subprocess
import sys
from multiprocessing import Process

if __name__ == "__main__":
    for number in -15, 256, 1000, 2**31:
        code = f"import sys; sys.exit({number})"
        done = subprocess.run([sys.executable, "-c", code])
        worker = Process(target=sys.exit, args=(number,))
        worker.start()
        worker.join()
        print(f"sys.exit({number}):", done.returncode, worker.exitcode)
        #> sys.exit(-15): 4294967281 4294967281
        #> sys.exit(256): 256 256
        #> sys.exit(1000): 1000 1000
        #> sys.exit(2147483648): 4294967295 4294967295
