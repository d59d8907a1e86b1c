"""Diagnose a process of another user."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# needs = ["root"]
# ///
import os
from multiprocessing import get_context
from textwrap import wrap

from process_terminate import diagnose


def ask_as_nobody(pid, pipe):
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    pipe.put(diagnose(pid).get("not-yours").text)


if __name__ == "__main__":
    context = get_context("fork")
    pipe = context.SimpleQueue()
    arguments = [os.getpid(), pipe]
    nobody = context.Process(target=ask_as_nobody, args=arguments)
    nobody.start()
    for line in wrap(pipe.get(), 56):
        print(line)
        #> It belongs to another user: a signal from you raises
        #> PermissionError.
    nobody.join()
