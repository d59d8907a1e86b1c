"""Pack the finished site into a zip that opens from disk, search included.

The theme's own plugin for this loads the search from another host.
"""

import json
import re
import shutil
import tempfile
from pathlib import Path
from posixpath import relpath
from urllib.parse import urljoin, urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lxml.html import HtmlElement
from lxml.html.builder import SCRIPT

from evidence import UserError
from evidence.publish import package
from evidence.publish.markup import file

SHIM = Path(__file__).parent / "vendor" / "iframe-worker"
_TEXTS = {".html", ".js", ".md", ".py", ".txt"}
_WORKER = "assets/iframe-worker.js"
#: Files that only a server can use.
_OF_THE_SERVER = ("404.html", "_headers", "feed.xml", "robots.txt", "sitemap.xml")
#: What tells programs the URL of a page.
_ABOUT_THE_URL = (
    "//link[@rel='canonical']",
    "//link[@type='application/atom+xml']",
    "//meta[starts-with(@property, 'og:')]",
    "//meta[starts-with(@name, 'twitter:')]",
    "//script[@type='application/ld+json']",
)
#: The zip has one date, so that the same site gives the same zip.
_DATE = (1980, 1, 1, 0, 0, 0)


def pack(site: Path, target: Path) -> None:
    """Pack a site that MkDocs has built and `finish` has finished."""
    if not (site / "llms.txt").exists():
        raise UserError(f"{site} is no finished site; run: make site")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / target.stem
        shutil.copytree(site, copy, ignore=shutil.ignore_patterns(*_OF_THE_SERVER))
        url = _url(copy)
        root = urlsplit(url).path
        for path in copy.rglob("*.html"):
            page = file.read(path)
            folder_of_page = f"{root}{path.parent.relative_to(copy).as_posix()}/"
            _convert(page, folder_of_page, root)
            file.write(path, page)
        _convert_search(copy)
        for path in copy.rglob("*"):
            if path.suffix in _TEXTS:
                text = path.read_text("utf-8")
                path.write_text(_without_host(text, url, path, copy), "utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        with ZipFile(target, "w", ZIP_DEFLATED) as archive:
            for path in sorted(copy.rglob("*")):
                if path.is_file():
                    entry = ZipInfo(path.relative_to(folder).as_posix(), _DATE)
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED)


def _url(site: Path) -> str:
    """Return the URL of the site on its host."""
    page = file.read(site / "index.html")
    (url,) = page.xpath("//link[@rel='canonical']/@href")
    return str(url)


def _convert(page: HtmlElement, folder: str, root: str) -> None:
    """Let a page link to files, since a folder on disk shows a list of files."""
    for element in page.iter("a", "link", "script", "img"):
        name = "href" if "href" in element.attrib else "src"
        if name in element.attrib:
            element.set(name, _to_file(element.get(name), folder))
    for about in page.xpath(" | ".join(_ABOUT_THE_URL)):
        about.drop_tree()
    for policy in page.xpath("//meta[@http-equiv='Content-Security-Policy']"):
        policy.drop_tree()  # For a page from disk no other file is of the same origin.
    for refresh in page.xpath("//meta[@http-equiv='refresh']"):
        wait, _, link = refresh.get("content").partition("url=")
        refresh.set("content", f"{wait}url={_to_file(link, folder)}")
    for bundle in page.xpath("//script[contains(@src, 'javascripts/bundle.')]"):
        bundle.addprevious(SCRIPT(src=_to_file(f"{root}{_WORKER}", folder)))


def _without_host(text: str, url: str, path: Path, root: Path) -> str:
    """Let a text name files of the zip, and an example its library, instead of URLs.

    A link leads from the file; a path in a command begins in the folder of the zip.
    """
    up = "../" * (len(path.relative_to(root).parts) - 1)
    if path.suffix == ".py":
        wheel = package.url(url)
        source = f'{package.NAME} = {{ path = "{up}{wheel.removeprefix(url)}" }}'
        text = text.replace(f'"{package.NAME} @ {wheel}"', f'"{package.NAME}"')
        if f'"{package.NAME}"' in text:
            text = text.replace(
                "# ///\n", f"# [tool.uv.sources]\n# {source}\n# ///\n", 1
            )
    text = text.replace(f"]({url}", f"]({up or './'}")
    return re.sub(rf"{re.escape(url)}(?=\w)", "", text)


def _to_file(link: str, folder: str) -> str:
    """Return the link from a folder of the site to the file that it leads to."""
    parts = urlsplit(link)
    if parts.scheme or not parts.path:
        return link
    path = urljoin(folder, parts.path)
    if path.endswith("/"):
        path += "index.html"
    return parts._replace(path=relpath(path, folder)).geturl()


def _convert_search(folder: Path) -> None:
    """Give the search an index that it can load without a server: a script."""
    path = folder / "search" / "search_index.json"
    index = json.loads(path.read_text("utf-8"))
    for entry in index["docs"]:
        page, mark, name = entry["location"].partition("#")
        entry["location"] = f"{page}index.html{mark}{name}"
    text = json.dumps(index, separators=(",", ":"))
    path.with_suffix(".js").write_text(f"var __index = {text}", "utf-8")
    path.unlink()
    shutil.copy(SHIM / "iframe-worker.js", folder / _WORKER)
    shutil.copy(SHIM / "LICENSE", folder / "assets" / "iframe-worker.LICENSE.txt")
