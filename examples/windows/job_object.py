"""Let Windows kill the children when their parent is killed."""

# /// script
# dependencies = ["psutil"]
# [tool.evidence]
# platforms = ["win32"]
# ///

import ctypes
import struct
import sys
from subprocess import PIPE, Popen

import psutil


def end_my_children_with_me():
    kernel32 = ctypes.WinDLL("kernel32")
    job = kernel32.CreateJobObjectW(None, None)
    # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, in an extended limit (9).
    limits = struct.pack("16xI124x", 0x2000)
    me = ctypes.c_void_p(-1)
    done = kernel32.SetInformationJobObject(job, 9, limits, 144)
    if not (done and kernel32.AssignProcessToJobObject(job, me)):
        raise ctypes.WinError()


if __name__ == "__main__" and sys.argv[1:] == ["parent"]:
    end_my_children_with_me()
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with Popen(sleep) as child:
        print(child.pid, flush=True)
elif __name__ == "__main__":
    parent = Popen([sys.executable, __file__, "parent"], stdout=PIPE)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    child.wait(timeout=30)
    print("the child runs:", child.is_running())
    #> the child runs: False
