"""What a reader copies from a page is a program that runs as shown."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from evidence.examples import FOLDER, Example


@pytest.mark.parametrize(
    "name", ["terminate/escalate_to_kill", "shared/end_a_lock_holder"]
)
def test_copied_code_prints_what_the_page_says(
    name: str, context: BrowserContext, page: Page, base: str, tmp_path: Path
) -> None:
    """From the button by the clipboard to a file, and run."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base)
    page.goto(f"{base}/examples/{name}/")
    page.click(".md-code__button >> nth=0")
    page.wait_for_selector(".md-dialog--active")
    copied = page.evaluate("navigator.clipboard.readText()")
    file = tmp_path / "copied.py"
    file.write_text(copied, "utf-8")
    ran = subprocess.run(
        [sys.executable, file], capture_output=True, text=True, check=False, timeout=60
    )
    example = Example(FOLDER / f"{name}.py")
    assert ran.stdout.splitlines() == example.output
    assert (ran.returncode, ran.stderr) == (0, "")
