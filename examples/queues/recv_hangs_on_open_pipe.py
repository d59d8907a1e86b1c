"""Keep a copy of a pipe's sending end: no end of file comes."""

import time
from multiprocessing import Pipe, Process


def work(sender):
    sender.send("ready")
    time.sleep(60)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    print("the worker is", receiver.recv())
    #> the worker is ready
    worker.terminate()
    worker.join()
    print("anything to receive:", receiver.poll(0.5))
    #> anything to receive: False
    sender.close()
    print("anything to receive:", receiver.poll(0.5))
    #> anything to receive: True
    try:
        receiver.recv()
    except EOFError:
        print("recv(): EOFError")
        #> recv(): EOFError
