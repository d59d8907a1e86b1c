"""Serve the site for writers: what is saved is rendered, built and shown again."""

import signal
import socket
from pathlib import Path
from typing import Any, NoReturn

import mkdocs.__main__
from mkdocs.commands import build
from mkdocs.commands import serve as mkdocs_serve
from mkdocs.config.defaults import MkDocsConfig

from evidence import UserError
from evidence.paths import ROOT
from evidence.publish import module
from evidence.publish.finish import finish

HOST = "127.0.0.1"
_ENDING = (signal.SIGINT, signal.SIGTERM)


def serve(port: int) -> None:
    """Do what `mkdocs serve --strict` does; render before each build, finish after."""
    with socket.socket() as probe:
        # As the server does, so that a port that was just left counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise UserError(
                f"cannot serve on port {port}: {error}; "
                "choose another, such as: make serve PORT=8001"
            ) from error
    for number in _ENDING:
        signal.signal(number, _interrupt_once)
    # MkDocs offers no step before a build; a plugin would run for other builds, too.
    mkdocs_serve.build = _build  # type: ignore[attr-defined]
    mkdocs.__main__.cli(["serve", "--strict", "--dev-addr", f"{HOST}:{port}"])


def _interrupt_once(*_: object) -> NoReturn:
    """Raise KeyboardInterrupt, but not a second one, which would stop the shutdown.

    make passes SIGTERM on, so the server gets it twice from a supervisor. After half a
    shutdown a thread of MkDocs would keep the program.
    """
    for number in _ENDING:
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def _build(config: MkDocsConfig, **options: Any) -> None:
    url = str(config.site_url)
    # A process of its own sees what was saved in src/, too.
    module.run("evidence", "render", folder=ROOT, SITE_URL=url)
    build.build(config, **options)
    finish(Path(config.site_dir), url)
