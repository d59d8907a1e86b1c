"""Serves a built site as a host would: its headers, gzip, and its page for 404."""

import gzip
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def headers_of(site: Path) -> dict[str, str]:
    """What the file `_headers` says of all pages; nothing if there is none."""
    file = site / "_headers"
    lines = file.read_text("utf-8").splitlines()[1:] if file.exists() else []
    pairs = (line.strip().partition(": ") for line in lines)
    return {name: value for name, _, value in pairs}


@cache
def compressed(path: Path) -> bytes:
    """A file as it goes over the wire."""
    return gzip.compress(path.read_bytes(), 9, mtime=0)


class Handler(SimpleHTTPRequestHandler):
    """Gives out the files of one folder."""

    protocol_version = "HTTP/1.1"
    site: Path
    sent: dict[str, str]

    def do_GET(self) -> None:
        """Answer with a file, or with the page for what is not there."""
        path = self.site / self.path.partition("?")[0].lstrip("/")
        if path.is_dir():
            path /= "index.html"
        status = 200 if path.is_file() else 404
        if status == 404:
            path = self.site / "404.html"
        body = compressed(path)
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        for name, value in self.sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Gives up with a browser that has left, without a word."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what is wrong, unless the other side has gone."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(site: Path) -> Iterator[str]:
    """Serve a folder on a free port, for as long as the block lasts."""
    members = {"site": site, "sent": headers_of(site)}
    handler = type("SiteHandler", (Handler,), members)
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
