"""Run out of descriptors with dead pools and killed commands."""

from multiprocessing import Pool
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from subprocess import PIPE, Popen


def descriptors():
    return len(list(Path("/dev/fd").iterdir()))


if __name__ == "__main__":
    with Pool(1) as first:  # Opens what all pools share.
        before = descriptors()
    with Pool(2) as second:
        second.map(abs, [-1, -2])
    print("after a block with Pool(2): +", descriptors() - before)
    #> after a block with Pool(2): + 10
    commands = [Popen(["sleep", "60"], stdout=PIPE) for _ in range(10)]
    for command in commands:
        command.kill()
        command.wait()
    print("10 killed commands: +", descriptors() - before)
    #> 10 killed commands: + 20
    limit = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (before + 30, limit[1]))
    try:
        while True:
            commands.append(Popen(["true"], stdout=PIPE))
    except OSError as error:
        print(error)
        #> [Errno 24] Too many open files
    setrlimit(RLIMIT_NOFILE, limit)
    for command in commands:
        command.communicate()
    print("after communicate(): +", descriptors() - before)
    #> after communicate(): + 10
