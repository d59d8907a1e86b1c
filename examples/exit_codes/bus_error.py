"""Get a bus error: write to mapped memory whose file is too short."""

import mmap
import tempfile
from multiprocessing import get_context

# A worker without a faulthandler.
spawn = get_context("spawn")


def write(file_size):
    with tempfile.TemporaryFile() as file:
        file.truncate(mmap.PAGESIZE)
        memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        file.truncate(file_size)
        memory[0] = 1


if __name__ == "__main__":
    for size in (mmap.PAGESIZE, 0):
        worker = spawn.Process(target=write, args=(size,))
        worker.start()
        worker.join()
        print(f"file of {size} bytes: exit code", worker.exitcode)
        #> file of 4096 bytes: exit code 0
        #> file of 0 bytes: exit code -7
