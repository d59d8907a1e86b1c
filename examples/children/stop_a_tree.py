"""Stop a supervisor and the workers that it restarts."""

# /// script
# dependencies = ["process-terminate"]
# ///
import signal
import subprocess
from multiprocessing import Pipe, Process

from process_terminate import stop_tree


def supervise(ready):
    signal.signal(signal.SIGTERM, lambda *args: None)
    fds = [ready.fileno()]
    # If its worker exits, it starts another.
    for _ in range(3):
        worker = subprocess.Popen(["sleep", "60"], pass_fds=fds)
        ready.send("ready")
        worker.wait()


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    process = Process(target=supervise, args=(sender,))
    process.start()
    sender.close()  # Otherwise the pipe does not end.
    receiver.recv()
    supervisor, *workers = stop_tree(process, grace=30)
    print("the supervisor:", supervisor.signal.name)
    #> the supervisor: SIGTERM
    print("its workers:", *(worker.signal.name for worker in workers))
    #> its workers: SIGTERM SIGTERM SIGTERM
    try:
        while True:
            receiver.recv()
    except EOFError:
        print("all are dead")
        #> all are dead
