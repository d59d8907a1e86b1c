"""Check the site's HTML with the checker of the W3C; run by `make outside`."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from evidence.paths import ROOT

#: The Nu Html Checker in npm, and the hash that npm gives for the file.
CHECKER = "vnu-jar@26.9.27"
SHA512 = (
    "TkQd5DFfOaWC9ebtvozTsrH2Vaod3jYg+vrOeREzIXxBexLz9+rS2DNtjn7+"
    "RPUiZhgli0SghgBX6RJRNea0KA=="
)
CACHE = ROOT / ".vnu_cache"
pytestmark = [
    pytest.mark.skipif(
        shutil.which(program) is None, reason=f"not installed: {program}"
    )
    for program in ("java", "npm")
] + [pytest.mark.timeout(300)]


@pytest.fixture
def checker() -> Path:
    """The checker, kept for the next run."""
    jar = CACHE / "package" / "build" / "dist" / "vnu.jar"
    if not jar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", "--pack-destination", str(CACHE), CHECKER]
        got = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=300
        )
        if got.returncode:
            pytest.skip(f"{CHECKER} cannot be downloaded: is there a network?")
        archive = CACHE / got.stdout.strip()
        digest = hashlib.sha512(archive.read_bytes()).digest()
        assert base64.b64encode(digest).decode() == SHA512
        with tarfile.open(archive) as files:
            files.extractall(CACHE, filter="data")
    return jar


def test_checker_has_no_error_or_warning(site: Path, checker: Path) -> None:
    command = ["java", "-jar", str(checker), "--skip-non-html", "--format", "gnu"]
    # It reads the pages from disk, where 'self' is no host, and it takes data for a
    # script. tests/browser finds what a browser blocks.
    command += ["--filterpattern", ".*Content Security Policy.*"]
    checked = subprocess.run(
        [*command, str(site)], check=False, capture_output=True, text=True, timeout=300
    )
    lines = checked.stderr.replace(str(site), "").splitlines()
    assert lines == []
    assert checked.returncode == 0
