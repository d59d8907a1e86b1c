"""What a reader copies from a page is a program that runs as shown."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from copies import Folder
from evidence.examples import Example
from evidence.paths import EXAMPLES


@pytest.mark.parametrize(
    "name", ["stop/escalate_to_kill", "queues/terminate_a_lock_holder"]
)
def test_copied_code_prints_what_the_page_shows(
    name: str, context: BrowserContext, page: Page, base: str, tmp_path: Path
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base)
    page.goto(f"{base}/examples/{name}/")
    page.click(".md-code__button >> nth=0")
    page.wait_for_selector(".md-dialog--active")
    folder = Folder(tmp_path)
    folder.write("copied.py", page.evaluate("navigator.clipboard.readText()"))
    status, output = folder.run(sys.executable, "copied.py")
    assert output.splitlines() == Example(EXAMPLES / f"{name}.py").output
    assert status == 0
