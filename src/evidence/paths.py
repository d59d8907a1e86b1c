"""The folders of the project."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DOCS = ROOT / "docs"
#: What was measured: the only generated files that git tracks.
DATA = ROOT / "data"
#: What is rendered from the examples and the data, before each build; git ignores it.
BUILD = ROOT / ".build"
#: What the scripts in tools/platforms/ build, by interpreter; git ignores it.
PLATFORMS = ROOT / ".platforms"
