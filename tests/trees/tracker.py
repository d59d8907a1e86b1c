"""Two processes share memory, whose name their resource tracker must remove."""

from multiprocessing.shared_memory import SharedMemory

from grow import child, mark, rest, root_of

memory = SharedMemory(mark(), create=True, size=1)
child(rest)
root_of(1)
