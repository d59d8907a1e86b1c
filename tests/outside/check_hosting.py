"""The site as nginx serves it, with the file that hosts are given; run by `make outside`."""

import gzip
import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from browser.hosting import headers_for_all
from copies import wait_until
from evidence import installed
from evidence.paths import ROOT
from evidence.studies import programs
from process_terminate import stop_tree

PATH = installed.clean_environment()["PATH"]
NGINX = shutil.which("nginx", path=PATH)
WRK = shutil.which("wrk", path=PATH)
#: Seconds of load for each of three files.
LOAD = 10
pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="not installed: nginx"),
    pytest.mark.timeout(300),
]

#: A configuration around the one that is tested.
AROUND = Path(__file__).with_name("hosting.conf")


class Answer(NamedTuple):
    """What the server has sent."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def port(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx that serves the built site."""
    assert NGINX
    folder = tmp_path_factory.mktemp("nginx")
    found = programs.free_port()
    text = (ROOT / "hosting" / "nginx.conf").read_text("utf-8")
    for old, new in [
        ("listen 80;", f"listen 127.0.0.1:{found};"),
        ("listen [::]:80;", ""),
        ("/srv/process-terminate;", f"{site};"),
        ("/etc/nginx/snippets/", f"{folder}/"),
    ]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text, "utf-8")
    headers = headers_of(site)
    (folder / "process-terminate-headers.conf").write_text(headers, "utf-8")
    # Else its workers are nobody, who may not look into the folder of the tests.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    settings = shutil.copy(AROUND, folder)
    command = [NGINX, "-p", folder, "-c", settings, "-e", "stderr", *user]
    server = subprocess.Popen(command)
    try:
        wait_until(lambda: answers(found))
        yield found
    finally:
        stop_tree(server, grace=10)
    assert server.returncode == 0
    assert "[alert]" not in (folder / "error.log").read_text()


def headers_of(site: Path) -> str:
    """What the command on the page for hosts makes of the headers of the build."""
    page = (ROOT / "docs" / "contributing" / "hosting.md").read_text("utf-8")
    command = re.search(r"(?m)^sed -n '(.*)' site/_headers", page)
    assert command
    return subprocess.check_output(
        ["sed", "-n", command[1], site / "_headers"], text=True, timeout=60
    )


def answers(port: int) -> bool:
    """Return whether the server has started."""
    with suppress(ConnectionRefusedError):
        return get(port, "/").status == 200
    return False


def get(port: int, path: str, **headers: str) -> Answer:
    """Ask for a file."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as link:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        link.request("GET", path, headers=names)
        answer = link.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())


def hashed(site: Path) -> str:
    """The address of a script with the hash of its content in its name."""
    (path,) = site.glob("assets/javascripts/bundle.*.min.js")
    return f"/{path.relative_to(site)}"


def test_pages_are_what_was_built(site: Path, port: int) -> None:
    """At the address of the folder."""
    answer = get(port, "/guides/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.body == (site / "guides" / "index.html").read_bytes()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/index.md", "text/markdown; charset=utf-8"),
        ("/llms.txt", "text/plain; charset=utf-8"),
        ("/examples/stop/escalate_to_kill.py", "text/plain; charset=utf-8"),
        ("/search/search_index.json", "application/json; charset=utf-8"),
        ("/sitemap.xml", "text/xml; charset=utf-8"),
        ("/objects.inv", "application/octet-stream"),
    ],
)
def test_files_have_their_types(path: str, kind: str, port: int) -> None:
    """Text is text, in UTF-8."""
    answer = get(port, path)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize("path", ["/", "/search/search_index.json", "/index.md"])
def test_text_is_compressed_for_those_who_take_it(path: str, port: int) -> None:
    """With the note for caches that the answer depends on it."""
    plain = get(port, path)
    packed = get(port, path, Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2


def test_files_with_a_hash_are_kept_and_others_asked_for(site: Path, port: int) -> None:
    """A page that has not changed is not sent again."""
    kept = get(port, hashed(site)).headers
    assert "max-age=315360000" in kept["cache-control"]
    page = get(port, "/").headers
    assert page["cache-control"] == "no-cache"
    again = get(port, "/", If_None_Match=page["etag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/no/such/page", "/objects.inv"])
def test_headers_of_the_build_are_sent(site: Path, path: str, port: int) -> None:
    """With every answer, also with the one for a wrong address."""
    wanted = headers_for_all(site)
    sent = get(port, path).headers
    assert wanted
    assert {name: sent.get(name.lower()) for name in wanted} == wanted


@pytest.mark.parametrize("path", ["/no/such/page", "/404.html", "/_headers"])
def test_wrong_address_shows_the_page_for_it(site: Path, path: str, port: int) -> None:
    """With the status 404."""
    answer = get(port, path)
    assert answer.status == 404
    assert answer.body == (site / "404.html").read_bytes()


def test_range_is_sent_alone(site: Path, port: int) -> None:
    """As for a download that goes on where it broke off."""
    answer = get(port, "/llms-full.txt", Range="bytes=10-19")
    whole = (site / "llms-full.txt").read_bytes()
    assert (answer.status, answer.body) == (206, whole[10:20])
    assert answer.headers["content-range"] == f"bytes 10-19/{len(whole)}"


def test_folder_without_a_slash_leads_to_the_one_with_it(port: int) -> None:
    """On whatever host and port it was asked for."""
    answer = get(port, "/guides", Host="docs.example.org:8443")
    assert (answer.status, answer.headers["location"]) == (301, "/guides/")


@pytest.mark.skipif(WRK is None, reason="not installed: wrk")
@pytest.mark.parametrize("what", ["page", "index", "script"])
def test_load_on_all_cores_makes_no_error(what: str, site: Path, port: int) -> None:
    """32 connections, compressed answers."""
    assert WRK
    path = {"page": "/", "index": "/search/search_index.json", "script": hashed(site)}
    cores = str(os.cpu_count())
    command = [WRK, "-t", cores, "-c", "32", "-d", f"{LOAD}s", "--timeout", "20s"]
    command += ["-H", "Accept-Encoding: gzip", f"http://127.0.0.1:{port}{path[what]}"]
    said = subprocess.check_output(command, text=True, timeout=LOAD + 60)
    print(json.dumps({"what": what, "wrk": said.splitlines()}))  # noqa: T201
    assert "Non-2xx" not in said
    assert "Socket errors" not in said
    assert "Requests/sec" in said
