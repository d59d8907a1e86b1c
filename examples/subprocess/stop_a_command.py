"""Kill a command that ignores SIGTERM, and wait for its end."""

from subprocess import PIPE, Popen, TimeoutExpired

DEAF = "trap '' TERM; echo ready; while :; do sleep 0.1; done"


def stop(process, grace):
    process.terminate()
    try:
        return process.wait(timeout=grace)
    except TimeoutExpired:
        process.kill()
    return process.wait()


if __name__ == "__main__":
    with Popen(["sleep", "60"]) as process:
        print("stopped:", stop(process, grace=5))
        #> stopped: -15
    with Popen(["sh", "-c", DEAF], stdout=PIPE) as process:
        process.stdout.readline()
        print("deaf, stopped:", stop(process, grace=0.3))
        #> deaf, stopped: -9
