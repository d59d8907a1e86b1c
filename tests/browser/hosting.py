"""Serve a built site as a host would: with its headers, gzip and its page for 404."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@cache
def compressed(path: Path) -> bytes:
    """Return a file as it is sent."""
    return gzip.compress(path.read_bytes(), 9, mtime=0)


class Handler(SimpleHTTPRequestHandler):
    """Answer with the files of one folder."""

    protocol_version = "HTTP/1.1"
    site: Path
    headers_of_site: dict[str, str]

    def do_GET(self) -> None:
        """Send a file, or the page for what does not exist."""
        path = self.site / self.path.partition("?")[0].lstrip("/")
        if path.is_dir():
            path /= "index.html"
        status = 200 if path.is_file() else 404
        if status == 404:
            path = self.site / "404.html"
        body = compressed(path)
        headers = {
            "Content-Type": self.guess_type(str(path)),
            "Content-Encoding": "gzip",
            "Content-Length": str(len(body)),
            "Cache-Control": "max-age=600",
        }
        self.send_response(status)
        for name, value in (headers | self.headers_of_site).items():
            self.send_header(name, value)
        with suppress(ConnectionError):  # The browser has left.
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextmanager
def serve(site: Path) -> Iterator[str]:
    """Serve a folder on a free port while the block runs."""
    lines = (site / "_headers").read_text("utf-8").splitlines()[1:]
    pairs = (line.strip().partition(": ") for line in lines)
    members = {"site": site, "headers_of_site": {name: to for name, _, to in pairs}}
    handler = type("SiteHandler", (Handler,), members)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
