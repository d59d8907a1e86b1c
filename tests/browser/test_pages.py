"""Each kind of page in a browser: whole, private, and within its policy."""

import json
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from browser.conftest import kinds
from evidence.paths import EXAMPLES

EXAMPLE = "/examples/stop/escalate_to_kill/"
SOURCE = (EXAMPLES / "stop" / "escalate_to_kill.py").read_text("utf-8")
PALETTE = "form[data-md-component=palette] label:not([hidden])"
SCHEME = "document.body.dataset.mdColorScheme"


def test_pages_load_without_error_and_ask_no_other_host(
    context: BrowserContext, page: Page, base: str
) -> None:
    """The console also reports what is missing, and what the policy blocks."""
    faults: list[str] = []

    def check(request: Request) -> None:
        if urlsplit(request.url).netloc not in {"", urlsplit(base).netloc}:
            faults.append(f"{page.url} requests {request.url}")

    page.on("request", check)
    page.on("console", lambda m: faults.append(f"{page.url}: {m.type} {m.text}"))
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    for path in kinds():
        if path != "/no-such-page":
            page.goto(base + path)
    assert faults == []
    assert context.cookies() == []
    stored = "[...Object.keys(localStorage), ...Object.keys(sessionStorage)]"
    # The theme stores the palette, chosen or not.
    assert set(page.evaluate(stored)) <= {"/.__palette"}


def test_policy_blocks_other_scripts_and_hosts(page: Page, base: str) -> None:
    page.goto(base)
    page.evaluate(
        "document.body.append(Object.assign("
        "document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert page.evaluate("fetch('http://127.0.0.1:9/').catch(() => 'no')") == "no"


def test_wrong_url_shows_a_styled_page_that_leads_on(page: Page, base: str) -> None:
    answer = page.goto(f"{base}/no/such/page/")
    assert answer
    assert answer.status == 404
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 100
    page.click(".md-content a >> text=Look up")
    page.wait_for_url("**/errors/")
    wrongs = ("stop_a_worker", "x/kill_9_does_not_work/", "children/stop-a-tree.html")
    for wrong in wrongs:
        page.goto(f"{base}/{wrong}")
        name = re.sub(r"[-_]", "_", Path(urlsplit(page.url).path).stem)
        expect(page.locator("#likely a")).to_have_attribute(
            "href", re.compile(rf"/{name}/$")
        )
    page.click("#likely a")
    expect(page.locator("h1")).to_contain_text("a process and all its children")
    page.goto(f"{base}/examples/family/orphaned-child.html")
    page.click("text=Search for orphaned child")
    expect(page.locator(".md-search-result__item").first).to_be_visible()


def test_reader_sees_which_page_and_section_this_is(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 300})
    page.goto(base + EXAMPLE)
    page.keyboard.press("Tab")  # To the link that skips the navigation.
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('.md-content')")
    page.locator("#see-also").scroll_into_view_if_needed()
    page.mouse.wheel(0, 2000)
    expect(page.locator(".md-tabs__item--active")).to_be_in_viewport()
    section = ".md-sidebar--secondary .md-nav__link--active >> text=See also"
    expect(page.locator(section)).to_be_in_viewport()
    page.emulate_media(forced_colors="active")
    style = "(e, [of, name]) => getComputedStyle(e, of)[name]"
    current = page.locator(".md-nav--primary a.md-nav__link--active:visible").first
    assert current.evaluate(style, ["", "textDecorationLine"]) == "underline"
    ground = page.locator("body").evaluate(style, ["", "backgroundColor"])
    fold = page.locator("summary").first
    assert fold.evaluate(style, ["::after", "backgroundColor"]) != ground


@pytest.mark.parametrize("system", ["light", "dark"])
def test_chosen_scheme_holds_on_all_pages_whatever_the_system_has(
    page: Page, base: str, system: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=system)
    page.goto(base)
    # What the browser itself paints, such as its scroll bars.
    painted = "getComputedStyle(document.documentElement).colorScheme"
    found = [page.evaluate(painted)]
    for _ in range(2):  # From the system's choice by light to dark.
        page.click(PALETTE)
        found.append(page.evaluate(painted))
    assert found == [system, "light", "dark"]
    page.goto(base + EXAMPLE)
    assert page.evaluate(SCHEME) == "slate"


@pytest.mark.parametrize("phone", [False, True])
def test_pages_are_made_ready_only_where_a_pointer_can_rest(
    browser: Browser, base: str, phone: bool
) -> None:
    context = browser.new_context(is_mobile=phone, has_touch=phone)
    page = context.new_page()
    page.goto(base)
    rules = page.locator("script[type=speculationrules]").all_text_contents()
    kinds = [kind for text in rules for kind in json.loads(text)]
    assert kinds == (["prefetch"] if phone else ["prefetch", "prerender"])
    context.close()


def test_keys_do_what_the_page_of_keys_says(page: Page, base: str) -> None:
    page.goto(base + EXAMPLE)
    page.click(".page-actions >> text=Keys")
    page.wait_for_url("**/guides/#keys")
    page.wait_for_selector("html.js")  # The theme's script, which knows the keys, runs.
    shown = page.locator("#keys ~ .md-typeset__scrollwrap kbd, #keys ~ table kbd")
    keys = shown.all_inner_texts()
    assert keys == ["/", "F", "S", "N", ".", "P", ",", "Tab", "Enter"]
    for key in "/fs":
        # Slower than a test types: the theme closes the search 125 ms after its start,
        # and misses a focus that comes some milliseconds after the last one was lost.
        page.evaluate("new Promise((done) => setTimeout(done, 200))")
        page.keyboard.press(key)
        expect(page.locator("#__search")).to_be_checked()
        expect(page.locator("input[name=query]")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#__search")).not_to_be_checked()
        expect(page.locator("input[name=query]")).not_to_be_focused()
    page.goto(base + EXAMPLE)
    for forward, back in "n,", ".p":
        page.keyboard.press(forward)
        page.wait_for_url("**/examples/stop/stop_a_worker/")
        page.keyboard.press(back)
        page.wait_for_url(f"**{EXAMPLE}")
    page.goto(f"{base}/examples/stop/show_what_keeps_running/")
    page.keyboard.press("n")
    page.keyboard.press("p")  # Leads to the page before the last one.
    page.wait_for_url("**/examples/stop/terminate_a_dead_worker/")


def test_code_and_page_are_copied_as_they_are_in_their_files(
    context: BrowserContext, page: Page, base: str
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    clipboard = "navigator.clipboard.readText()"
    page.goto(base + EXAMPLE)
    page.click(".md-code__button >> nth=0")
    page.wait_for_selector(".md-dialog--active")
    assert page.evaluate(clipboard).rstrip() == SOURCE.rstrip()
    page.goto(f"{base}/reference/stop/")
    page.click("text=Copy this page")
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert "\n# `stop`\n" in page.evaluate(clipboard)


def test_link_to_a_heading_shows_it_below_the_header(page: Page, base: str) -> None:
    page.goto(f"{base}{EXAMPLE}#tested-on")
    heading = page.locator("#tested-on")
    expect(heading).to_be_in_viewport()
    header = page.locator(".md-header").evaluate("e => e.offsetHeight")
    assert heading.evaluate("e => e.getBoundingClientRect().top") >= header


#: What is wider than its page, too small to read, below a button, or a head over rows.
FAULTS = """() => {
    const all = (selector) => [...document.querySelectorAll(selector)]
    const boxes = all(':root, .measured, .md-typeset__scrollwrap, .md-typeset table')
    if (innerWidth < 720) boxes.push(...all('pre > code'))
    const wide = boxes.filter(e => e.scrollWidth > e.clientWidth + 1)
    const small = all('.md-typeset code').filter(
        e => parseFloat(getComputedStyle(e).fontSize) < 13)
    const covered = all('.md-code__button').filter(button => {
        const [a, b] = [button, button.closest('pre').querySelector('code')]
            .map(e => e.getBoundingClientRect())
        return a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top
    })
    const top = e => e.getBoundingClientRect().top
    const moved = all('thead').filter(e => top(e) > top(e.parentElement) + 2)
    return [...wide, ...small, ...covered, ...moved].map(e => e.outerHTML.slice(0, 80))
}"""


def test_tables_and_code_are_whole_at_each_width(page: Page, base: str) -> None:
    tables = ["/evidence/", "/evidence/survivors/", "/evidence/runners/", "/decoder/"]
    faults = []
    differed = "/examples/signals/set_a_handler_in_a_thread/"
    for path in [*tables, "/", EXAMPLE, differed, "/reference/stop/"]:
        page.goto(base + path)
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        for width in (390, 768, 1000, 1240, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            faults += [(path, width, fault) for fault in page.evaluate(FAULTS)]
    assert faults == []


def test_timeline_fills_its_box_below_the_names_of_its_lanes(
    page: Page, base: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 300})
    page.goto(base + EXAMPLE)
    heights = ".timeline[open] li"
    measure = "all => all.map(e => [e.clientHeight, e.firstChild.clientHeight])"
    rows = page.eval_on_selector_all(heights, measure)
    assert [row for row, picture in rows if row != picture] == []
    assert max(rows) > min(rows), "a long row has a high picture"
    box = page.locator(".timeline[open]").first
    share = "e => e.querySelector('li').clientWidth / e.clientWidth"
    assert box.evaluate(share) > 0.9
    box.locator("li").last.scroll_into_view_if_needed()
    expect(box.locator("> svg")).to_be_in_viewport(ratio=1)


def test_row_of_a_wide_table_is_a_list_on_a_phone(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{base}/evidence/survivors/")
    cell = page.locator("td[data-head='killpg']").first
    shown = cell.evaluate("e => getComputedStyle(e, '::before').content")
    assert "killpg" in shown
    assert not page.is_visible("thead")


def test_nothing_moves_when_the_scripts_arrive_late(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 412, "height": 823})
    page.add_init_script(
        "window.moves = []; new PerformanceObserver(list => moves.push("
        "...list.getEntries().map(e => e.value))).observe({type: 'layout-shift'})"
    )
    paths = {*kinds(), "/decoder/", "/evidence/platforms/", "/guides/killed/"}
    moved = {path: _moves(page, base + path) for path in paths}
    assert {path: value for path, value in moved.items() if value > 0.01} == {}


def _moves(page: Page, url: str) -> float:
    """Return the layout shift of a page that is painted before its scripts arrive."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/*.js", hold)
    page.goto(url, wait_until="commit")
    observer = "new PerformanceObserver(() => done())"
    painted = f"{observer}.observe({{type: 'paint', buffered: true}})"
    page.evaluate(f"new Promise(done => {painted})")
    settled = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))"
    # A busy machine may paint the first half of a row; the scripts are at the end.
    page.wait_for_selector("body > script[src]", state="attached")
    page.evaluate(settled)
    page.evaluate("moves.length = 0")
    page.route("**/*.js", lambda route: route.continue_())
    for route in held:
        route.continue_()
    page.wait_for_load_state("load")
    page.unroute_all()
    page.evaluate(settled)
    return float(page.evaluate("moves.reduce((a, b) => a + b, 0)"))


def test_filter_of_all_examples_is_in_the_url(page: Page, base: str) -> None:
    page.goto(f"{base}/evidence/")
    page.click(".filter >> text=that differed somewhere")
    assert page.url.endswith("/evidence/#differed")
    for row in page.locator(".overview tbody tr[class]:visible").all():
        assert row.locator(".differed").count()
    for group in page.locator(".overview tbody:visible").all():
        assert group.locator("tr[class]:visible").count()
    page.click(".filter >> text=all")
    page.locator(".overview tbody tr").nth(40).scroll_into_view_if_needed()
    expect(page.locator(".overview thead").first).to_be_in_viewport(ratio=1)


def test_reader_without_scripts_sees_everything(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + EXAMPLE)
    assert page.is_visible("text=#> alive False exit code -9")
    assert page.is_visible(".timeline svg")
    page.click("details:has(.measured) > summary")
    assert page.is_visible(".measured td")
    page.goto(f"{base}/decoder/")
    assert not page.is_visible("#decoder")
    assert page.is_visible("#exit-codes tr[data-codes='-15 143']")
    context.close()


def test_printed_page_is_dark_on_light_with_all_code_and_urls(
    page: Page, base: str
) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(base + EXAMPLE)
    assert page.evaluate(SCHEME) == "slate"
    style = "(e, name) => getComputedStyle(e)[name]"
    background = page.locator("body").evaluate(style, "backgroundColor")
    assert background in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    code = page.locator("pre > code").first
    assert code.evaluate(style, "whiteSpace") == "pre-wrap"
    color = code.evaluate("e => getComputedStyle(e).color.match(/\\d+/g).map(Number)")
    assert max(color) < 100
    link = page.locator(".md-typeset a[href^=http]:not(.headerlink)").first
    shown = link.evaluate("e => getComputedStyle(e, '::after').content")
    assert str(link.get_attribute("href")) in shown
    assert not page.is_visible("header")
    heading = page.locator(".md-typeset h2").first
    assert heading.evaluate(style, "breakAfter") == "avoid"
    # Else the head of a table covers its first row.
    assert page.locator("thead").first.evaluate(style, "position") == "static"
    margin = dict.fromkeys(("top", "right", "bottom", "left"), "15mm")
    sheets = {EXAMPLE: 4, "/reference/stop/": 5, "/reference/": 1, "/explanation/": 1}
    for path, most in sheets.items():
        page.goto(base + path)
        pdf = page.pdf(format="A4", margin=margin)  # type: ignore[arg-type]
        assert len(re.findall(rb"/Type /Page\b", pdf)) <= most, path


def test_line_of_an_example_has_a_url(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 300})
    page.goto(f"{base}{EXAMPLE}#L7")
    line = page.locator("#L7")
    expect(line).to_be_in_viewport(ratio=0)
    after = "e => [getComputedStyle(e, '::after').content, e.nextSibling.textContent]"
    assert line.evaluate(after)[0] == '""'
    numbers = page.locator("code a[data-line]")
    assert numbers.count() == len(SOURCE.splitlines())
    number = page.locator("#L9")
    assert number.evaluate("e => getComputedStyle(e, '::before').content")
    x, y = page.evaluate(
        "() => {const [a, pre] = [document.querySelector('#L9'), document.querySelector("
        "'.filename + pre')].map(e => e.getBoundingClientRect());"
        "return [pre.left + 20, a.top + a.height / 2]}"
    )
    page.mouse.click(x, y)
    expect(page).to_have_url(f"{base}{EXAMPLE}#L9")
    assert number.evaluate("e => e.matches(':target')")
    assert page.locator("pre > code").first.evaluate("e => e.innerText") == SOURCE
