"""Share a connection between forked workers: the answers are mixed."""

import socket
from multiprocessing import Pipe, get_context

fork = get_context("fork")


def work(database, question, pipe):
    database.sendall(question.encode())
    pipe.send("asked")
    pipe.recv()
    answer = database.recv(13).decode()
    print(f"asked {question}, got {answer}")
    #> asked one, got answer to two
    #> asked two, got answer to one
    pipe.send("got it")


if __name__ == "__main__":
    database, server = socket.socketpair()
    pipes = []
    for question in "one", "two":
        ours, theirs = Pipe()
        args = [database, question, theirs]
        fork.Process(target=work, args=args).start()
        ours.recv()
        pipes.append(ours)
    for _ in pipes:  # What a database does.
        question = server.recv(3).decode()
        server.sendall(f"answer to {question}".encode())
    # The second worker reads first.
    for pipe in reversed(pipes):
        pipe.send("read")
        pipe.recv()
    server.close()
    database.close()
