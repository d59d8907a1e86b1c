"""Build the package that the site carries, so that a reader can install it from there."""

from importlib import metadata
from pathlib import Path

from evidence.paths import ROOT
from evidence.publish import module

NAME = "process-terminate"
#: The folder of the site.
FOLDER = "dist"


def wheel() -> str:
    """Return the name of the wheel's file."""
    return f"{NAME.replace('-', '_')}-{metadata.version(NAME)}-py3-none-any.whl"


def url(site_url: str) -> str:
    """Return the URL of the wheel on a site."""
    return f"{site_url.rstrip('/')}/{FOLDER}/{wheel()}"


def requirement(source: str, site_url: str) -> str:
    """Return an example that declares the library by its URL, as PyPI has none yet."""
    return source.replace(f'"{NAME}"', f'"{NAME} @ {url(site_url)}"')


def build(folder: Path) -> list[Path]:
    """Build the wheel and the sdist into a folder, and return them."""
    module.run("hatchling", "build", "-d", folder, folder=ROOT)
    return sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])
