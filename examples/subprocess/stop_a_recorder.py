"""Stop a recorder: "q", SIGINT and SIGTERM let it finish its file."""

import signal
import sys
import tempfile
from subprocess import PIPE, Popen

# Like ffmpeg it completes its file on "q", SIGINT and SIGTERM.
RECORDER = """
import signal, sys
signal.signal(signal.SIGTERM, signal.default_int_handler)
with open(sys.argv[1], "w") as file:
    try:
        print("recording", flush=True)
        sys.stdin.read(1)
    except KeyboardInterrupt:
        pass
    file.write("complete")
"""


def record(stop):
    with tempfile.NamedTemporaryFile() as file:
        command = [sys.executable, "-c", RECORDER, file.name]
        with Popen(command, stdin=PIPE, stdout=PIPE) as process:
            process.stdout.readline()
            stop(process)
        return process.returncode, file.read()


if __name__ == "__main__":
    print("q:", record(lambda p: p.communicate(b"q", timeout=30)))
    #> q: (0, b'complete')
    print("SIGINT:", record(lambda p: p.send_signal(signal.SIGINT)))
    #> SIGINT: (0, b'complete')
    print("SIGTERM:", record(Popen.terminate))
    #> SIGTERM: (0, b'complete')
    print("SIGKILL:", record(Popen.kill))
    #> SIGKILL: (-9, b'')
