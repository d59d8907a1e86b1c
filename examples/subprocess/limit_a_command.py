"""Limit a command: run() kills it, communicate() lets it run."""

from subprocess import PIPE, Popen, TimeoutExpired, run

# A shell that cleans up on SIGTERM.
COMMAND = [
    "sh",
    "-c",
    "trap 'echo cleaned up; exit 3' TERM;"
    "echo ready; while :; do sleep 0.1; done",
]

if __name__ == "__main__":
    try:
        run(COMMAND, stdout=PIPE, timeout=0.5)
    except TimeoutExpired as error:
        print(
            "run(): cleaned up", b"cleaned up" in (error.stdout or b"")
        )
        #> run(): cleaned up False

    with Popen(COMMAND, stdout=PIPE, text=True) as process:
        print("Popen():", process.stdout.readline().strip())
        #> Popen(): ready
        try:
            process.communicate(timeout=0.3)
        except TimeoutExpired:
            print("communicate(): alive", process.poll() is None)
            #> communicate(): alive True
        process.terminate()
        try:
            output, _ = process.communicate(timeout=10)
        except TimeoutExpired:
            process.kill()
            raise
        print("terminate():", output.strip())
        #> terminate(): cleaned up
        print("exit code", process.returncode)
        #> exit code 3
