"""The site from a reader's disk."""

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest
from lxml import html
from playwright.sync_api import Page

from evidence.publish import offline


@pytest.fixture(scope="module")
def archive(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as a zip."""
    path = tmp_path_factory.mktemp("offline") / "name.zip"
    offline.pack(site, path)
    return path


@pytest.fixture(scope="module")
def folder(archive: Path) -> Path:
    """The unpacked site."""
    with ZipFile(archive) as packed:
        packed.extractall(archive.parent)
    return archive.with_suffix("")


def test_zip_depends_on_no_order_or_time(archive: Path) -> None:
    with ZipFile(archive) as packed:
        paths = [Path(name) for name in packed.namelist()]
        assert paths == sorted(paths)
        assert {entry.date_time[0] for entry in packed.infolist()} == {1980}


def test_links_lead_to_files(folder: Path) -> None:
    broken = []
    for path in folder.rglob("*.html"):
        page = html.document_fromstring(path.read_text("utf-8"))
        for link in page.xpath("//@href | //@src"):
            parts = urlsplit(link)
            inside = parts.path and not parts.scheme
            if inside and not (path.parent / parts.path).is_file():
                broken.append((path.name, link))
    assert broken == []


def test_zip_names_no_host_of_the_site(folder: Path) -> None:
    """It may be read where there is no such server."""
    texts = {
        p: p.read_text("utf-8", "ignore") for p in folder.rglob("*") if p.is_file()
    }
    with_host = re.compile(r"127\.0\.0\.1:8000/\w")
    assert [path for path, text in texts.items() if with_host.search(text)] == []


def test_example_in_the_zip_needs_the_wheel_in_the_zip(folder: Path) -> None:
    path = folder / "examples" / "stop" / "stop_a_worker.py"
    header = path.read_text().partition("# ///\nimport")[0]
    settings = tomllib.loads(header.partition("# /// script")[2].replace("\n# ", "\n"))
    assert settings["dependencies"] == ["process-terminate"]
    source = settings["tool"]["uv"]["sources"]["process-terminate"]["path"]
    assert (path.parent / source).resolve().is_relative_to(folder.resolve())
    assert (path.parent / source).is_file()


def test_unpacked_site_searches_without_a_network(folder: Path, page: Page) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto((folder / "index.html").as_uri())
    page.locator("input[name=query]").focus()
    page.keyboard.type("zombie")
    page.locator(".md-search-result__item a[href*=check_a_zombie]").first.click()
    page.wait_for_url("**/check_a_zombie/index.html*")
    assert "os.kill(pid, 0)" in page.locator("h1").inner_text()
    assert {urlsplit(url).scheme for url in urls} == {"file"}
    # The theme would request it if it took the Markdown for a translation.
    assert [url for url in urls if url.endswith("sitemap.xml")] == []
