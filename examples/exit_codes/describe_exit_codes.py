"""Describe exit codes in sentences, even a shell's 143."""

# /// script
# dependencies = ["process-terminate"]
# ///
from textwrap import wrap

from process_terminate import ExitStatus


def describe(status):
    for line in wrap(str(status), 56):
        print(line)
        #> succeeded (0)
        #> killed by SIGTERM (15); a shell shows 143
        #> exited with 143 (a shell reports 143 for a process
        #> terminated by SIGTERM)
        #> exited with 241 (sys.exit(-15) becomes 241)
        #> exited with 255; sys.exit(-1), or a multiprocessing
        #> forkserver died, or two threads waited for one of its
        #> workers, and the true exit code is lost
        #> exited with 0x10000; on Windows: multiprocessing's
        #> terminate() or kill()


if __name__ == "__main__":
    for code in (0, -15, 143, 241, 255, 0x10000):
        describe(ExitStatus(code))
    status = ExitStatus.from_shell(143)
    print(status.code, status.signal_name, status.shell_code)
    #> -15 SIGTERM 143
