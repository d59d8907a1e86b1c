"""Write the day of its last change into what a page tells search engines."""

import json

from lxml.html import HtmlElement


def write(page: HtmlElement, day: str | None) -> None:
    """Add the day to the JSON-LD, which overrides/page.html writes."""
    if day:
        script = page.find(".//script[@type='application/ld+json']")
        text = json.dumps(json.loads(script.text) | {"dateModified": day})
        script.text = text.replace("<", "\\u003c")  # A tag would end the script.
