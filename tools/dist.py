"""Build the package twice, compare, and check what a release needs.

With TAG in the environment, as for a release, the tag, the version, the changelog
and the record of the API must be of one version.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

from packaging.metadata import Metadata

from evidence import api

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"


def main() -> None:
    """Build, compare, check; each fault in one line."""
    for old in [*DIST.glob("*.whl"), *DIST.glob("*.tar.gz")]:
        old.unlink()
    built = build(DIST)
    with tempfile.TemporaryDirectory() as again:
        if build(Path(again)) != built:
            sys.exit("dist: two builds differ; what they read changes between them")
    (wheel,) = DIST.glob("*.whl")
    faults = list(wrong_with(wheel, os.environ.get("TAG", "")))
    for fault in faults:
        print(f"dist: {fault}")
    if faults:
        sys.exit(1)
    for name, digest in built.items():
        print(f"{digest}  dist/{name}")


def build(folder: Path) -> dict[str, str]:
    """Build both files into a folder; their names, and their SHA-256."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    # The time in the files is fixed: it is not that of the build.
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    built = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, env=environment
    )
    if built.returncode:
        sys.exit(f"dist: hatchling cannot build it:\n{built.stderr}")
    files = sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def wrong_with(wheel: Path, tag: str) -> list[str]:
    """What PyPI would refuse, what leads nowhere there, and what is of another version."""
    text = metadata_of(wheel)
    found = Metadata.from_email(text, validate=True)  # Raises, and says why.
    version = str(found.version)
    description = message_from_string(text).get_payload()
    relative = re.findall(r"\]\((?!\w+:|#)([^)]+)\)", str(description))
    faults = [f"README.md has a link that PyPI cannot follow: {r}" for r in relative]
    if tag:
        changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
        if tag != f"v{version}":
            faults.append(f"the tag {tag} is not v{version}; see pyproject.toml")
        if not re.search(rf"(?m)^## \[{re.escape(version)}\] - \d{{4}}-", changelog):
            faults.append(f"CHANGELOG.md has no section [{version}] with its date")
        if api.RECORD.read_text("utf-8") != api.render(version):
            faults.append(
                f"{api.RECORD.relative_to(ROOT).as_posix()} is not the API of "
                f"{version}; record it: python -m evidence api"
            )
    return faults


def metadata_of(wheel: Path) -> str:
    """The metadata that PyPI reads."""
    with ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return archive.read(name).decode()


if __name__ == "__main__":
    main()
