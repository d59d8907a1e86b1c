"""Serve a built site as a host would: with its headers, gzip and its page for 404."""

import gzip
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def compressed(path: Path) -> bytes:
    """Return a file as it is sent."""
    return _compressed(path.resolve())


@cache
def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)


def headers_for_all(site: Path) -> dict[str, str]:
    """Return the headers that a host sends with each file of a site."""
    lines = (site / "_headers").read_text("utf-8").splitlines()[1:]
    for_all = itertools.takewhile(lambda line: line.startswith(" "), lines)
    return dict(line.strip().split(": ", 1) for line in for_all)


@contextmanager
def serve(
    site: Path, caching: Callable[[str], str] = lambda _: "max-age=600"
) -> Iterator[str]:
    """Serve a folder on a free port while the block runs.

    Args:
        site: The folder.
        caching: Gives the Cache-Control for a path; default: that of GitHub Pages.
    """
    for_all = headers_for_all(site)

    class Handler(SimpleHTTPRequestHandler):
        """Answer with the files of the folder."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Send a file, or the page for what does not exist."""
            path = site / self.path.partition("?")[0].lstrip("/")
            if path.is_dir():
                path /= "index.html"
            found = path.is_file()
            path = path if found else site / "404.html"
            body = compressed(path)
            headers = {
                "Content-Type": self.guess_type(str(path)),
                "Content-Encoding": "gzip",
                "Content-Length": str(len(body)),
                "Cache-Control": caching(self.path),
            }
            self.send_response(200 if found else 404)
            for name, value in (headers | for_all).items():
                self.send_header(name, value)
            with suppress(ConnectionError):  # The browser has left.
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
