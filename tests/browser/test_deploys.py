"""A deploy breaks no page that a browser has kept from before it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response

from browser.hosting import serve
from evidence.paths import ROOT
from evidence.publish import assets

EXAMPLE = "/examples/stop/escalate_to_kill/"


def page_alone(path: str) -> str:
    """Return the worst case: pages are kept, and nothing that they load."""
    return "max-age=600" if path.endswith("/") else "no-store"


def nginx(path: str) -> str:
    """Return what hosting/nginx.conf says."""
    text = (ROOT / "hosting" / "nginx.conf").read_text("utf-8")
    pattern = re.search(r'"~(.*)" max;', text)
    assert pattern
    assert "default epoch;" in text
    kept = re.search(pattern[1], path)
    return "max-age=315360000" if kept else "no-cache"


def deploy(site: Path, folder: Path, change: Callable[[str], str]) -> Path:
    """Make a smaller copy of a site whose pages, styles and scripts were changed."""
    shutil.copytree(site / "assets", folder / "assets")
    for name in "_headers", "index.html", f"{EXAMPLE[1:]}index.html":
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site / name, folder / name)
    for path in [
        *folder.rglob("*.html"),
        *folder.rglob("*.css"),
        *folder.rglob("*.js"),
    ]:
        path.write_text(change(path.read_text("utf-8")), "utf-8")
        path.rename(path.with_name(change(path.name)))
    assets.keep(folder)
    return folder


@pytest.mark.parametrize("caching", [page_alone, nginx])
def test_page_cached_before_a_deploy_has_its_styles_and_scripts_after_it(
    caching: Callable[[str], str], site: Path, page: Page, tmp_path: Path
) -> None:
    """The second deploy is one with another theme, whose files have other names."""
    names = assets.current(site)
    hashes = re.compile("|".join({name.split(".")[1] for name in names}))
    before = deploy(site, tmp_path / "before", lambda text: text)
    after = deploy(
        site,
        tmp_path / "after",
        lambda text: hashes.sub("01234567", text).replace("MIT license", "After it"),
    )
    assert not names & assets.current(after)
    public = tmp_path / "public"
    public.symlink_to(before)
    answers: dict[str, Response] = {}
    page.on("response", lambda answer: answers.update({answer.url: answer}))
    with serve(public, caching) as url:
        page.goto(url + EXAMPLE)
        assert page.is_visible("text=MIT license")
        public.unlink()
        public.symlink_to(after)
        page.goto(f"{url}/")
        assert page.is_visible("text=After it")
        answers.clear()
        page.goto(url + EXAMPLE)
        is_old = page.is_visible("text=MIT license")
        assert is_old == (caching is page_alone)
        assert is_old == any(names & {u.removeprefix(f"{url}/") for u in answers})
        assert [a.url for a in answers.values() if not (a.ok or a.status == 304)] == []
        assert page.evaluate("[...document.styleSheets].every(s => s.cssRules.length)")
        page.wait_for_selector("html.js .md-code__button")  # The theme's script ran.
