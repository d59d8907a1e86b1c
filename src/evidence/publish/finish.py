"""Finish a built site: add what programs read and what a host needs.

Each step leaves alone what it has done before, so finishing a site twice does no harm.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from evidence import examples, history, pages
from evidence.paths import ROOT, copy_project
from evidence.publish import (
    assets,
    cards,
    headers,
    markup,
    measured,
    module,
    package,
    redirects,
)
from evidence.publish.formats import feed, llms, sitemap

Builder = Literal["mkdocs", "zensical"]
_COMMANDS = {
    "mkdocs": ["mkdocs", "build", "--strict"],
    "zensical": ["zensical", "build", "--strict", "--clean"],
}


def finish(site: Path, url: str | None = None) -> None:
    """Finish a site that is published at `url`; default: as mkdocs.yml says."""
    url = (url or pages.site_url()).rstrip("/") + "/"
    package.build(site / package.FOLDER)
    for example in examples.find():
        target = site / "examples" / f"{example.name}.py"
        target.write_text(package.requirement(example.source, url), "utf-8")
    measured.write(site)
    redirects.write(site, url)
    changed = history.changes()
    markup.write(site, changed)
    llms.write(site, url)
    sitemap.write(site, url, changed)
    feed.write(site, url, (ROOT / feed.CHANGELOG).read_text("utf-8"), changed)
    cards.write(site)
    assets.fix_lunr(site)
    assets.shrink(site)
    assets.keep(site)
    headers.write(site)


def build(site: Path, url: str, builder: Builder = "mkdocs") -> None:
    """Render, build and finish the site for `url` in a copy of this folder.

    So it disturbs no other build, and no reader of the folder `site/`.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        source = str(project / "src")
        for command in ["evidence", "render"], _COMMANDS[builder]:
            module.run(*command, folder=project, SITE_URL=url, PYTHONPATH=source)
        shutil.move(project / "site", site)
    finish(site, url)
