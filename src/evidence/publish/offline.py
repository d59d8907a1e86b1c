"""Packs the built site so that it can be read from disk, search included.

`make offline` runs it after `make site`. Material has a plugin for this, `offline`,
whose pages ask another host for the worker of the search, which then never starts.
"""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SHIM = Path(__file__).parent / "vendor" / "iframe-worker"
#: What only a server can use.
_OF_THE_SERVER = ("404.html", "sitemap.xml", "sitemap.xml.gz")
_LINK = re.compile(r'(<[a-z]+\b[^<>]*?\b(?:href|src)="|; url=)([^"]*)(?=")')
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\s*', re.I)
_BUNDLE = re.compile(r'<script src="([^"]*)assets/javascripts/bundle\.')
_BEGINNING = (1980, 1, 1, 0, 0, 0)


def pack(site: Path, target: Path) -> None:
    """Make a zip of a built site, that is the same for the same site."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / target.stem
        shutil.copytree(site, copy)
        for name in _OF_THE_SERVER:
            (copy / name).unlink(missing_ok=True)
        for page in copy.rglob("*.html"):
            page.write_text(_from_disk(page.read_text("utf-8")), "utf-8")
        _let_search(copy)
        target.parent.mkdir(parents=True, exist_ok=True)
        with ZipFile(target, "w", ZIP_DEFLATED) as archive:
            for path in sorted(copy.rglob("*")):
                if path.is_file():
                    name = path.relative_to(folder).as_posix()
                    entry = ZipInfo(name, _BEGINNING)
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED)


def _from_disk(html: str) -> str:
    """A page whose links lead to files, since a folder on disk has no first page."""
    html = _POLICY.sub("", html)  # It is about hosts, and a disk has none.
    html = _LINK.sub(lambda match: match[1] + to_file(match[2]), html)
    return _BUNDLE.sub(r'<script src="\1assets/iframe-worker.js"></script>\g<0>', html)


def to_file(link: str) -> str:
    """The link with the name of the file, where it leads to a folder."""
    address, mark, fragment = link.partition("#")
    if ":" in address or not address:
        return link
    if address.endswith("/"):
        address += "index.html"
    elif address.split("/")[-1] in (".", ".."):
        address += "/index.html"
    return address + mark + fragment


def _let_search(folder: Path) -> None:
    """Give the search what it can load without a server: its index, as a script."""
    path = folder / "search" / "search_index.json"
    index = json.loads(path.read_text("utf-8"))
    for entry in index["docs"]:
        entry["location"] = _of_page(entry["location"])
    script = f"var __index = {json.dumps(index, separators=(',', ':'))}"
    path.with_suffix(".js").write_text(script, "utf-8")
    path.unlink()
    shutil.copy(SHIM / "iframe-worker.js", folder / "assets")
    shutil.copy(SHIM / "LICENSE", folder / "assets" / "iframe-worker.LICENSE.txt")


def _of_page(location: str) -> str:
    address, mark, fragment = location.partition("#")
    return to_file(address or "./") + mark + fragment


def main(arguments: list[str], report: Callable[[str], object]) -> None:
    """Do what the command line says: a site, and the name of the zip."""
    site, target = map(Path, arguments)
    pack(site, target)
    megabytes = target.stat().st_size / 1e6
    report(
        f"offline: {target} has {megabytes:.1f} MB; open {target.stem}/index.html in it\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:], sys.stdout.write)
