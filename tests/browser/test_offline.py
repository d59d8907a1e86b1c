"""The site from a reader's disk."""

from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

from playwright.sync_api import Page

from evidence.publish import offline


def test_unpacked_site_searches_without_a_network(
    site: Path, page: Page, tmp_path: Path
) -> None:
    offline.pack(site, tmp_path / "name.zip")
    with ZipFile(tmp_path / "name.zip") as archive:
        archive.extractall(tmp_path)
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto((tmp_path / "name" / "index.html").as_uri())
    page.locator("input[name=query]").focus()
    page.keyboard.type("zombie")
    page.locator(".md-search-result__item a[href*=check_a_zombie]").first.click()
    page.wait_for_url("**/check_a_zombie/index.html*")
    assert "os.kill(pid, 0)" in page.locator("h1").inner_text()
    assert {urlsplit(url).scheme for url in urls} == {"file"}
    # The theme would request it if it took the Markdown for a translation.
    assert [url for url in urls if url.endswith("sitemap.xml")] == []
