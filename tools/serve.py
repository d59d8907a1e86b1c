"""Build the site strictly, finish it, and serve it with live reload, on a free port."""

import socket
import sys
from pathlib import Path
from typing import Any

import mkdocs.__main__
from mkdocs.commands import build, serve
from mkdocs.config.defaults import MkDocsConfig

from evidence.publish import finish

HOST = "127.0.0.1"


def main(port: int) -> None:
    """Do what `mkdocs serve` does, unless the port is taken."""
    with socket.socket() as probe:
        # As the server does, so that a port just left counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(
                f"serve: port {port} cannot be had ({error.strerror}); "
                f"take another with: make serve PORT={port + 1}"
            )
    # It has no other place for what is done to the site after each build.
    serve.build = build_and_finish  # type: ignore[attr-defined]
    mkdocs.__main__.cli(["serve", "--strict", "--dev-addr", f"{HOST}:{port}"])


def build_and_finish(config: MkDocsConfig, **options: Any) -> None:
    """Build the site as `make site` does."""
    build.build(config, **options)
    finish(Path(config.site_dir), config.site_url)


if __name__ == "__main__":
    if not sys.argv[1].isdecimal():
        sys.exit(f"serve: PORT is a number, not {sys.argv[1]!r}")
    main(int(sys.argv[1]))
