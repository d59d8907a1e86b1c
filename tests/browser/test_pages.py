"""Every page in a browser: whole, private, and within its policy."""

import json
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    expect,
)

EXAMPLE = "/examples/terminate/escalate_to_kill/"


def paths(site: Path) -> list[str]:
    """The addresses of all pages, without the host."""
    folders = (p.parent.relative_to(site).as_posix() for p in site.rglob("index.html"))
    return sorted("/" if folder == "." else f"/{folder}/" for folder in folders)


def test_pages_load_without_a_fault(
    context: BrowserContext, page: Page, site: Path, base: str
) -> None:
    """No error in the console, so none of the policy; no 404; no other host; no cookie."""
    faults: list[str] = []

    def asked(request: Request) -> None:
        if urlsplit(request.url).netloc not in {"", urlsplit(base).netloc}:
            faults.append(f"{page.url} asks {request.url}")

    def failed(request: Request) -> None:
        # The icon is not waited for.
        if request.failure != "net::ERR_ABORTED":
            faults.append(f"{page.url}: {request.url} {request.failure}")

    def answered(response: Response) -> None:
        if not response.ok:
            faults.append(f"{page.url}: {response.status} {response.url}")

    def said(message: ConsoleMessage) -> None:
        faults.append(f"{page.url}: {message.type} {message.text}")

    def raised(error: Error) -> None:
        faults.append(f"{page.url}: {error}")

    page.on("console", said)
    page.on("pageerror", raised)
    page.on("request", asked)
    page.on("requestfailed", failed)
    page.on("response", answered)
    for path in paths(site):
        page.goto(base + path)
    assert faults == []
    assert context.cookies() == []
    # Material notes the palette, chosen or not.
    kept = page.evaluate(
        "[...Object.keys(localStorage), ...Object.keys(sessionStorage)]"
    )
    assert set(kept) <= {"/.__palette"}


def test_policy_is_enforced(page: Page, base: str) -> None:
    """A script that the site did not write does not run, so the test above means something."""
    page.goto(base)
    page.evaluate(
        "document.body.append(Object.assign("
        "document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert page.evaluate("fetch('http://127.0.0.1:9/').catch(() => 'no')") == "no"


def test_missing_page_leads_on(page: Page, base: str) -> None:
    """Also deep below: its styles and links are found from anywhere."""
    answer = page.goto(f"{base}/no/such/page/")
    assert answer
    assert answer.status == 404
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 100
    page.click(".md-content a >> text=Errors")
    page.wait_for_url("**/errors/")


def test_palette_is_kept_and_nothing_else(
    context: BrowserContext, page: Page, base: str
) -> None:
    """What a reader chose holds on all pages."""
    page.goto(base)
    for _ in range(2):  # From the system's choice by light to dark.
        page.click("form[data-md-component=palette] label:not([hidden])")
    scheme = "document.body.dataset.mdColorScheme"
    assert page.evaluate(scheme) == "slate"
    page.goto(base + EXAMPLE)
    assert page.evaluate(scheme) == "slate"
    assert page.evaluate("Object.keys(localStorage)") == ["/.__palette"]
    assert page.evaluate("sessionStorage.length") == 0
    assert context.cookies() == []


@pytest.mark.parametrize("system", ["light", "dark"])
def test_browser_paints_in_the_scheme_that_was_chosen(
    page: Page, base: str, system: Literal["light", "dark"]
) -> None:
    """Its bars too, and whatever the system has."""
    page.emulate_media(color_scheme=system)
    page.goto(base)
    painted = "getComputedStyle(document.documentElement).colorScheme"
    found = [page.evaluate(painted)]
    for _ in range(2):
        page.click("form[data-md-component=palette] label:not([hidden])")
        found.append(page.evaluate(painted))
    assert found == [system, "light", "dark"]


@pytest.mark.parametrize("phone", [False, True])
def test_a_pointer_that_rests_makes_a_page_ready(
    browser: Browser, base: str, phone: bool
) -> None:
    """And a finger does not rest."""
    context = browser.new_context(is_mobile=phone, has_touch=phone)
    page = context.new_page()
    page.goto(base)
    rules = page.locator("script[type=speculationrules]").all_text_contents()
    assert [next(iter(json.loads(text))) for text in rules] == (
        ["prefetch"] if phone else ["prefetch", "prerender"]
    )
    context.close()


def test_back_and_forward(page: Page, base: str) -> None:
    """From the front page to an example, on by its footer, and back."""
    page.goto(base)
    page.click(".wrong li a >> nth=0")
    page.wait_for_url(f"**{EXAMPLE}")
    page.click(".md-footer__link--next")
    page.wait_for_url("**/examples/terminate/*/")
    assert page.url != base + EXAMPLE
    page.go_back()
    assert page.url == base + EXAMPLE
    page.go_back()
    page.go_forward()
    assert page.url == base + EXAMPLE


def test_deep_link_shows_its_place(page: Page, base: str) -> None:
    """A link to a section ends at its heading, not below the header."""
    page.goto(f"{base}{EXAMPLE}#where-it-holds")
    expect(page.locator("#where-it-holds")).to_be_in_viewport()
    top = page.locator("#where-it-holds").evaluate("e => e.getBoundingClientRect().top")
    header = page.locator(".md-header").evaluate("e => e.offsetHeight")
    assert top >= header


@pytest.mark.parametrize("path", ["/", EXAMPLE, "/reference/stop/", "/evidence/"])
def test_narrow_page_does_not_scroll_sideways(page: Page, base: str, path: str) -> None:
    """At 390 pixels code and tables scroll in their boxes, the page does not."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(base + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_reader_without_scripts_sees_all(context: BrowserContext, base: str) -> None:
    """Code, output, timeline, table, navigation, and the decoder's table."""
    assert context.browser
    plain = context.browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(base + EXAMPLE)
    assert page.is_visible("text=#> alive False exit code -9")
    assert page.is_visible(".timeline svg")
    page.click("details:has(.measured) > summary")
    assert page.is_visible(".measured td")
    page.click(".md-tabs a >> text=Exit codes")
    assert page.is_visible("#exit-codes tr[data-code='-15']")
    plain.close()


def test_printed_page_has_code_and_addresses(page: Page, base: str) -> None:
    """On paper all is dark on light and whole, and a link shows where it leads."""
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(base + EXAMPLE)
    assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
    body = page.locator("body")
    assert body.evaluate("e => getComputedStyle(e).backgroundColor") in {
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    }
    code = page.locator("pre > code").first
    color = code.evaluate("e => getComputedStyle(e).color.match(/\\d+/g).map(Number)")
    assert max(color) < 100
    assert code.evaluate("e => getComputedStyle(e).whiteSpace") == "pre-wrap"
    link = page.locator(".md-typeset a[href^=http]:not(.headerlink)").first
    shown = link.evaluate("e => getComputedStyle(e, '::after').content")
    assert link.get_attribute("href") or "none" in shown
    assert not page.is_visible("header")
