"""Leave shared memory behind until the whole program ends."""

import re
import subprocess
import sys
import time
from multiprocessing import Pipe, Process, resource_tracker
from multiprocessing.shared_memory import SharedMemory

PROGRAM = """
from multiprocessing.shared_memory import SharedMemory
SharedMemory(create=True, size=10)
"""


def work(pipe):
    memory = SharedMemory(create=True, size=10)
    memory.buf[:5] = b"hello"
    pipe.send(memory.name)
    time.sleep(60)


if __name__ == "__main__":
    resource_tracker.ensure_running()  # Or a fork starts its own.
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,), daemon=True)
    worker.start()
    sender.close()  # Otherwise recv() hangs if the worker dies.
    name = receiver.recv()
    worker.terminate()
    worker.join()
    memory = SharedMemory(name)
    print("still there:", bytes(memory.buf[:5]))
    #> still there: b'hello'
    memory.close()
    memory.unlink()  # Otherwise a warning comes, as here:
    command = [sys.executable, "-c", PROGRAM]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    print(*re.findall("There appear .* objects", result.stderr))
    #> There appear to be 1 leaked shared_memory objects
