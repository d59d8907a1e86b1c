"""Stop a command, and kill one that ignores SIGTERM."""

from subprocess import PIPE, Popen, TimeoutExpired

IGNORE = "trap '' TERM; echo ready; while :; do sleep 0.1; done"


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
    with Popen(["sh", "-c", IGNORE], stdout=PIPE) as process:
        process.stdout.readline()
        print("ignores SIGTERM, stopped:", stop(process, grace=0.3))
        #> ignores SIGTERM, stopped: -9
