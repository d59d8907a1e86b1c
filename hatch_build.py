"""Gives PyPI what it needs of README.md: links that hold away from the repository."""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\[([^\]]+)\]\((?!\w+:|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Makes links absolute where the address of the repository is known."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the long description and the links of the project."""
        repository = os.environ.get("REPO_URL", "").rstrip("/")
        text = Path(self.root, "README.md").read_text("utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": with_links_to(repository, text),
        }
        if repository:
            metadata["urls"] = {
                "Source": repository,
                "Changelog": f"{repository}/blob/main/CHANGELOG.md",
            }
            if site := os.environ.get("SITE_URL"):
                metadata["urls"]["Documentation"] = site


def with_links_to(repository: str, text: str) -> str:
    """The text with its relative links made absolute, or with their words alone."""
    return _RELATIVE.sub(
        rf"[\1]({repository}/blob/main/\2)" if repository else r"\1", text
    )
