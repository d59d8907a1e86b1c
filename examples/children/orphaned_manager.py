"""Orphan a Manager: its server outlives the worker that made it."""

# /// script
# dependencies = ["process-terminate", "psutil"]
# ///
import time
from multiprocessing import Manager, Pipe, Process, current_process
from multiprocessing.managers import SyncManager

import psutil

from process_terminate import stop


def work(report):
    manager = Manager()
    report.send((manager.address, manager._process.pid))
    time.sleep(60)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    address, pid = receiver.recv()
    server = psutil.Process(pid)
    worker.terminate()
    worker.join()
    print("the worker: exit code", worker.exitcode)
    #> the worker: exit code -15
    manager = SyncManager(address, current_process().authkey)
    manager.connect()
    print("its server:", manager.list(["still", "here"]))
    #> its server: ['still', 'here']
    stop(server)
