"""Build the package twice, compare the builds, and check what a release needs.

With TAG in the environment, as for a release, the tag, the version and the changelog
must agree, and PyPI must learn where the project is.
"""

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

from packaging.metadata import Metadata

from evidence.publish import package

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"


def main() -> None:
    """Build, compare and check; print one line for each fault."""
    for old in [*DIST.glob("*.whl"), *DIST.glob("*.tar.gz")]:
        old.unlink()
    built = build(DIST)
    with tempfile.TemporaryDirectory() as again:
        if build(Path(again)) != built:
            sys.exit("dist: two builds differ; a file changed between them")
    (wheel,) = DIST.glob("*.whl")
    if faults := faults_of(wheel, os.environ.get("TAG", "")):
        sys.exit("\n".join(f"dist: {fault}" for fault in faults))
    for name, digest in built.items():
        print(f"{digest}  dist/{name}")


def build(folder: Path) -> dict[str, str]:
    """Build the wheel and the sdist into a folder; return their SHA-256 by name."""
    try:
        files = package.build(folder)
    except RuntimeError as error:
        sys.exit(f"dist: {error}")
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def faults_of(wheel: Path, tag: str) -> list[str]:
    """Return what is wrong with the metadata that PyPI will read, and with the tag."""
    with ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode()
    found = Metadata.from_email(text, validate=True)  # Raises an error that says why.
    faults = []
    if tag:
        changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
        version = str(found.version)
        if tag != f"v{version}":
            faults.append(f"the tag {tag} is not v{version}; see pyproject.toml")
        if not re.search(rf"(?m)^## \[{re.escape(version)}\] - \d{{4}}-", changelog):
            faults.append(f"CHANGELOG.md has no section [{version}] with its date")
        if not found.project_urls:
            faults.append("pyproject.toml has no [project.urls]")
    return faults


if __name__ == "__main__":
    main()
