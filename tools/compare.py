"""What the site costs, against the same pages on Material as it comes.

Run by `make compare`. All sites are built and read in one run, in turns, so that the
ratios hold on a noisy machine; the times themselves are of this machine alone.
"""

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    sync_playwright,
)

from browser.hosting import serve
from desktop import QUIET, Desktop

ROOT = Path(__file__).parents[1]
PAGES = {
    "home": "/",
    "reference": "/reference/terminate/",
    "example": "/examples/terminate/escalate_to_kill/",
}
#: Reads of a page, and builds of a site; the median counts.
READS, BUILDS = 7, 5
#: Milliseconds after which a page has done all it does by itself.
SETTLED = 2000
#: How much slower a phone is than this machine, as Lighthouse has it.
SLOWER = 4

#: The same pages without what is done here; the second loads the next page by script.
STOCK: dict[str, list[str]] = {"stock": [], "stock, instant": ["navigation.instant"]}
#: What a page notes of itself while it is read.
WATCH = """
window.seen = {blocked: 0, moved: 0, painted: 0};
const watch = (type, note) => new PerformanceObserver(
  (list) => list.getEntries().forEach(note)).observe({type, buffered: true});
watch("longtask", (e) => { seen.blocked += Math.max(e.duration - 50, 0) });
watch("layout-shift", (e) => { seen.moved += e.value });
watch("largest-contentful-paint", (e) => { seen.painted = e.startTime });
"""


def main(chromium: str) -> None:
    """Build all sites, read their pages, and print a table for each page."""
    with ExitStack() as stack:
        project = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "project"
        ignored = shutil.ignore_patterns(
            ".git", ".venv", ".*cache", "site", "dist", "__pycache__"
        )
        shutil.copytree(ROOT, project, ignore=ignored)
        show("build", build_in_turns(project))
        sites = {"ours": "site", **{name: folder(name) for name in STOCK}}
        addresses = {
            name: stack.enter_context(serve(project / site))
            for name, site in sites.items()
        }
        play = stack.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=chromium, args=QUIET)
        for page, path in PAGES.items():
            show(page, read_in_turns(browser, chromium, addresses, path))


def build_in_turns(project: Path) -> dict[str, dict[str, float]]:
    """The median time of several builds, of each site."""
    python = [sys.executable, "-m"]
    commands = {
        "ours": [
            [*python, "mkdocs", "build", "--strict"],
            [*python, "evidence.publish", "site"],
        ]
    }
    for name, features in STOCK.items():
        config = write_stock(project, name, features)
        commands[name] = [[*python, "mkdocs", "build", "--config-file", config]]
    # In a folder of its own, as its pages are not read.
    text = (project / "mkdocs.yml").read_text("utf-8")
    (project / "zensical.yml").write_text(f"site_dir: zensical\n{text}", "utf-8")
    commands["zensical"] = [
        [*python, "zensical", "build", "--clean", "-f", "zensical.yml"]
    ]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(BUILDS):
        for name, found in times.items():
            found.append(seconds(commands[name], project))
    return {name: {"s": statistics.median(found)} for name, found in times.items()}


def seconds(commands: list[list[str]], project: Path) -> float:
    """How long some commands take, one after the other."""
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    start = time.perf_counter()
    for command in commands:
        run = subprocess.run(
            command,
            check=False,
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
        )
        if run.returncode:
            sys.exit(f"compare: {' '.join(command)} fails:\n{run.stderr}")
    return time.perf_counter() - start


def folder(name: str) -> str:
    """Where a stock site is built."""
    return name.replace(", ", "-")


def write_stock(project: Path, name: str, features: list[str]) -> str:
    """Write the configuration for a site; inherited, but for the look."""
    config = {
        "INHERIT": "mkdocs.yml",
        "site_dir": folder(name),
        "theme": {
            "custom_dir": folder(name) + "-overrides",
            "features": ["content.code.copy", "navigation.footer", *features],
            "icon": {"logo": None},
            "palette": {"scheme": "default"},
        },
        "extra_css": [],
    }
    # It cannot be taken back, only be another.
    (project / f"{folder(name)}-overrides").mkdir()
    path = project / f"{folder(name)}.yml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    return path.name


def read_in_turns(
    phone: Browser, chromium: str, addresses: dict[str, str], path: str
) -> dict[str, dict[str, float]]:
    """The median of several reads of a page, of each site."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in addresses}
    for _ in range(READS):
        # In another order each time: who is first finds the machine cold.
        for name in random.sample(list(addresses), len(addresses)):
            read = read_on_phone(phone, addresses[name] + path)
            with Desktop(chromium) as desktop:
                click = desktop.click_next(addresses[name] + path, SETTLED / 1000)
            found[name].append(read | {"click ms": click})
    return {
        name: {key: statistics.median(r[key] for r in reads) for key in reads[0]}
        for name, reads in found.items()
    }


def read_on_phone(browser: Browser, address: str) -> dict[str, float]:
    """What a reader on a phone waits for, who was never here; then a tap."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    try:
        page = context.new_page()
        wire = slow(context, page)
        sizes: list[float] = []

        def note(event: dict[str, Any]) -> None:
            if event["encodedDataLength"]:  # Not the images that a style has in it.
                sizes.append(event["encodedDataLength"])

        wire.on("Network.loadingFinished", note)
        page.add_init_script(WATCH)
        page.goto(address)
        page.wait_for_timeout(SETTLED)  # Its scripts go on, and ask for more.
        cold = {"KB": sum(sizes) / 1024, "requests": len(sizes)}
        seen = page.evaluate("seen")
        return cold | {
            "blocked ms": seen["blocked"],
            "LCP ms": seen["painted"],
            "CLS": seen["moved"],
            "tap ms": tap(page),
        }
    finally:
        context.close()


def slow(context: BrowserContext, page: Page) -> CDPSession:
    """A phone's processor; what goes over the wire is watched."""
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return wire


def tap(page: Page) -> float:
    """Milliseconds from a tap on "next" until the next page is there and ready."""
    title = page.title()
    link = page.locator(".md-footer__link--next")
    link.scroll_into_view_if_needed()
    start = time.perf_counter()
    link.tap(no_wait_after=True)
    page.wait_for_function(
        "title => document.title != title && document.readyState == 'complete'",
        arg=title,
    )
    return (time.perf_counter() - start) * 1000


def show(title: str, found: dict[str, dict[str, float]]) -> None:
    """Print a table: each number, and in parentheses what ours is of it."""
    keys = list(found["ours"])
    print(f"\n{title:15}" + "".join(f"{key:>18}" for key in keys))
    for name, values in found.items():
        cells = (cell(values[key], found["ours"][key]) for key in keys)
        print(f"{name:15}" + "".join(f"{text:>18}" for text in cells), flush=True)


def cell(value: float, ours: float) -> str:
    """A number, and what ours is of it."""
    number = f"{value:.3g}" if value < 100 else f"{value:.0f}"
    return f"{number} ({ours / value:.2f})" if value else number


if __name__ == "__main__":
    if not (found := shutil.which("chromium")):
        sys.exit("compare: needs chromium on the PATH")
    main(found)
