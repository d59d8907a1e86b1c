"""Exit with 65536, which looks as if the worker had been terminated."""

# /// script
# [tool.evidence]
# platforms = ["win32"]
# ///

import sys
import time
from multiprocessing import Process

if __name__ == "__main__":
    exits = Process(target=sys.exit, args=(65536,))
    exits.start()
    exits.join()
    print("exited by itself:", exits.exitcode)
    #> exited by itself: -15
    terminated = Process(target=time.sleep, args=(60,))
    terminated.start()
    terminated.terminate()
    terminated.join()
    print("terminated:", terminated.exitcode)
    #> terminated: -15
