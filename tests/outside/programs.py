# ruff: noqa: S602 - a shell is one of the programs.
"""Start and stop real programs: each function is a recipe of the guide.

`run.py` runs one of them, with the library installed from its wheel.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from process_terminate import no_orphans, stop, stop_tree

#: Seconds in which a program must be ready, on a busy machine too.
PATIENCE = 60


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not ready after {PATIENCE} s")
        time.sleep(0.02)


def answers(port: int) -> bool:
    """Return whether a server answers a request for a page."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return link.recv(4) == b"HTTP"
    return False


def says(*command: str) -> bytes:
    """Return what a command prints, whether it succeeds or not."""
    return subprocess.run(command, check=False, stdout=subprocess.PIPE).stdout


def count(program: subprocess.Popen[bytes]) -> int:
    """Return how many descendants a program has."""
    return len(psutil.Process(program.pid).children(recursive=True))


def record(film: Path) -> subprocess.Popen[bytes]:
    """Start ffmpeg, which records until it is stopped; return when it has frames."""
    command = ["ffmpeg", "-re", "-f", "lavfi", "-i", "testsrc=size=160x120"]
    recorder = subprocess.Popen(
        [*command, "-progress", "pipe:1", str(film)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert recorder.stdout
    for line in recorder.stdout:
        if line.startswith(b"frame=") and line != b"frame=0\n":
            break
    return recorder


def duration(film: Path) -> float:
    """Return the seconds that a film has; 0 if the file cannot be read."""
    asked = ["-show_entries", "format=duration", "-of", "csv=p=0"]
    return float(says("ffprobe", "-v", "quiet", *asked, str(film)) or 0)


def open_browser(port: int) -> None:
    """Let chromedriver start a browser without a window."""
    arguments = ["--headless", "--no-sandbox", "--disable-dev-shm-usage"]
    wanted = {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}
    body = json.dumps({"capabilities": wanted}).encode()
    url = f"http://127.0.0.1:{port}/session"
    with urllib.request.urlopen(url, body, timeout=PATIENCE) as answer:
        answer.read()


def nginx(folder: Path, port: int) -> None:
    """Stop nginx in the foreground: a master and two workers."""
    # --8<-- [start:nginx]
    command = ["nginx", "-p", str(folder), "-c", "nginx.conf"]
    server = subprocess.Popen([*command, "-g", "daemon off;"])
    until(lambda: answers(port) and count(server) == 2)

    stop_tree(server, grace=10)
    # --8<-- [end:nginx]


def nginx_daemon(folder: Path, port: int) -> None:
    """Stop nginx as a daemon, which has left its parent, its session and its terminal."""
    # --8<-- [start:nginx_daemon]
    command = ["nginx", "-p", str(folder), "-c", "nginx.conf"]

    with no_orphans(grace=10):
        subprocess.run([*command, "-g", "daemon on;"], check=True)
        until(lambda: answers(port))
    # --8<-- [end:nginx_daemon]


def redis(folder: Path, port: int) -> None:
    """Stop Redis, which saves its data on SIGTERM, with a grace period."""
    # --8<-- [start:redis]
    command = ["redis-server", "--port", str(port), "--save", "3600 1"]
    client = ["redis-cli", "-p", str(port)]

    server = subprocess.Popen(command, cwd=folder)
    until(lambda: says(*client, "ping") == b"PONG\n")
    says(*client, "mset", "a", "1", "b", "2")

    stop(server, grace=30)

    server = subprocess.Popen(command, cwd=folder)
    until(lambda: says(*client, "ping") == b"PONG\n")
    kept = says(*client, "mget", "a", "b")
    stop(server, grace=30)
    # --8<-- [end:redis]
    assert kept == b"1\n2\n", kept


def redis_killed(folder: Path, port: int) -> None:
    """Kill Redis without a grace period: it loses the data that it has not saved."""
    command = ["redis-server", "--port", str(port), "--save", "3600 1"]
    client = ["redis-cli", "-p", str(port)]

    server = subprocess.Popen(command, cwd=folder)
    until(lambda: says(*client, "ping") == b"PONG\n")
    says(*client, "mset", "a", "1", "b", "2")

    # --8<-- [start:redis_killed]
    stop(server, grace=0)
    # --8<-- [end:redis_killed]

    server = subprocess.Popen(command, cwd=folder)
    until(lambda: says(*client, "ping") == b"PONG\n")
    kept = says(*client, "mget", "a", "b")
    stop(server, grace=30)
    assert kept == b"\n\n", kept


def executor(folder: Path, _: int) -> None:
    """Stop a program with a ProcessPoolExecutor whose four workers have tasks."""
    # --8<-- [start:executor]
    program = subprocess.Popen([sys.executable, folder / "executor.py"])
    until(lambda: count(program) >= 4)

    stop_tree(program, grace=10)
    # --8<-- [end:executor]


def gunicorn(folder: Path, port: int) -> None:
    """Stop Gunicorn with three workers."""
    # --8<-- [start:gunicorn]
    command = [sys.executable, "-m", "gunicorn", "app:wsgi", "--workers", "3"]
    server = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}"], cwd=folder)
    until(lambda: answers(port) and count(server) >= 3)

    stop_tree(server, grace=35)
    # --8<-- [end:gunicorn]


def uvicorn(folder: Path, port: int) -> None:
    """Stop Uvicorn with two workers."""
    # --8<-- [start:uvicorn]
    command = [sys.executable, "-m", "uvicorn", "app:asgi", "--workers", "2"]
    server = subprocess.Popen([*command, "--port", str(port)], cwd=folder)
    until(lambda: answers(port) and count(server) >= 2)

    stop_tree(server, grace=10)
    # --8<-- [end:uvicorn]


def pipeline(_: Path, __: int) -> None:
    """Stop a shell with a pipeline of three commands."""
    # --8<-- [start:pipeline]
    shell = subprocess.Popen("yes | gzip | cat > /dev/null", shell=True)
    until(lambda: count(shell) == 3)

    stop_tree(shell, grace=10)
    # --8<-- [end:pipeline]


def ffmpeg(folder: Path, _: int) -> None:
    """Stop ffmpeg with a grace period: it completes its file."""
    # --8<-- [start:ffmpeg]
    film = folder / "film.mp4"
    recorder = record(film)

    stop(recorder, grace=10)
    # --8<-- [end:ffmpeg]
    assert recorder.returncode == 255
    assert duration(film) > 0


def ffmpeg_killed(folder: Path, _: int) -> None:
    """Kill ffmpeg without a grace period: its file cannot be read."""
    film = folder / "film.mp4"
    recorder = record(film)

    # --8<-- [start:ffmpeg_killed]
    stop(recorder, grace=0)
    # --8<-- [end:ffmpeg_killed]
    assert duration(film) == 0


def chromedriver(_: Path, port: int) -> None:
    """Stop chromedriver with the browser that it has started."""
    # --8<-- [start:chromedriver]
    driver = subprocess.Popen(["chromedriver", f"--port={port}"])
    until(lambda: answers(port))
    open_browser(port)

    stop_tree(driver, grace=10)
    # --8<-- [end:chromedriver]


def java(folder: Path, _: int) -> None:
    """Stop a program in Java, which runs its shutdown hooks on SIGTERM."""
    # --8<-- [start:java]
    command = ["java", str(folder / "Hook.java")]
    program = subprocess.Popen(command, stdout=subprocess.PIPE)
    said = iter(program.stdout or [])
    until(lambda: next(said) == b"ready\n")

    stop(program, grace=10)
    # --8<-- [end:java]
    assert list(said) == [b"the hook ran\n"]
    assert program.returncode == 143


def npm(folder: Path, port: int) -> None:
    """Stop npm, which has started a server of Node.js."""
    # --8<-- [start:npm]
    command = ["npm", "start", "--no-update-notifier", "--", str(port)]
    server = subprocess.Popen(command, cwd=folder)
    until(lambda: answers(port))

    stop_tree(server, grace=10)
    # --8<-- [end:npm]


RECIPES = {
    recipe.__name__: recipe
    for recipe in [
        nginx,
        nginx_daemon,
        redis,
        redis_killed,
        executor,
        gunicorn,
        uvicorn,
        pipeline,
        npm,
        ffmpeg,
        ffmpeg_killed,
        chromedriver,
        java,
    ]
}
