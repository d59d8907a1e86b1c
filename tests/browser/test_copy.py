"""What a reader copies from a page is a program that runs as shown."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

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
    file = tmp_path / "copied.py"
    file.write_text(page.evaluate("navigator.clipboard.readText()"), "utf-8")
    ran = subprocess.run(
        [sys.executable, file], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.stdout.splitlines() == Example(EXAMPLES / f"{name}.py").output
    assert (ran.returncode, ran.stderr) == (0, "")
