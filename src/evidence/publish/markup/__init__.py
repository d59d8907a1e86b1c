"""Change the HTML of each page, whichever builder has written it."""

import os
from pathlib import Path

from evidence import history, pages
from evidence.publish.markup import (
    described,
    file,
    foot,
    glossary,
    names,
    policy,
    tables,
)


def write(site: Path, changed: dict[str, str]) -> None:
    """Parse each page once, let each step change it, and write it once.

    `changed` has the day of each file's change.
    """
    terms = glossary.terms(site)
    exported = names.pages(site)
    found = pages.in_order()
    beside = zip(found, [None, *found], [*found[1:], None], strict=False)
    in_nav = {site / page[0].address / "index.html": page for page in beside}
    for path in site.rglob("*.html"):
        document = file.read(path)
        if path in in_nav:  # The others are 404.html and the redirects.
            page, before, after = in_nav[path]
            up = os.path.relpath(site, path.parent).replace(os.sep, "/")
            if path.parent != site / glossary.PAGE:
                glossary.link(document, terms, f"{up}/{glossary.PAGE}/")
            names.link(document, exported, f"{up}/{names.FOLDER}/")
            day = history.last_change(page, changed)
            described.write(document, day)
            foot.write(document, foot.facts(page, day))
            foot.stay_in_topic(document, page, before, after)
        tables.finish(document)
        policy.write(document)
        file.write(path, document)
