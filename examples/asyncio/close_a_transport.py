"""Close the transport of a subprocess: it is killed at once."""

import asyncio

# A shell that cleans up on SIGTERM.
COMMAND = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done"


class Protocol(asyncio.SubprocessProtocol):
    """Knows when the shell is ready, and when it has exited."""

    def __init__(self):
        self.ready = asyncio.Event()
        self.exited = asyncio.Event()

    def pipe_data_received(self, fd, data):
        self.ready.set()

    def process_exited(self):
        self.exited.set()


async def main():
    loop = asyncio.get_running_loop()
    for method in ("close", "terminate"):
        transport, protocol = await loop.subprocess_exec(
            Protocol, "sh", "-c", COMMAND, stdin=None, stderr=None
        )
        await protocol.ready.wait()
        getattr(transport, method)()
        await protocol.exited.wait()
        print(f"{method}(): {transport.get_returncode()}")
        #> close(): -9
        #> terminate(): 3
        transport.close()


if __name__ == "__main__":
    asyncio.run(main())
