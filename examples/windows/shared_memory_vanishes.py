"""Close shared memory in its last process, and it is gone."""

# /// script
# [tool.evidence]
# platforms = ["win32"]
# ///

from multiprocessing import Pipe, Process
from multiprocessing.shared_memory import SharedMemory


def create(connection):
    memory = SharedMemory(create=True, size=16)
    connection.send(memory.name)
    connection.recv()


if __name__ == "__main__":
    ours, theirs = Pipe()
    creator = Process(target=create, args=(theirs,))
    creator.start()
    name = ours.recv()
    first = SharedMemory(name)
    creator.terminate()
    creator.join()
    second = SharedMemory(name)
    print("its creator is dead: it is still there")
    #> its creator is dead: it is still there
    first.close()
    second.close()
    try:
        SharedMemory(name)
    except FileNotFoundError as error:
        print("all have closed it:", error.winerror)
        #> all have closed it: 2
