"""Write the day of its last change into what a page tells search engines."""

import json
import re
from pathlib import Path

from evidence import history, pages

#: overrides/page.html writes it.
_DATA = re.compile(r'(?<=<script type="application/ld\+json">).*?(?=</script>)', re.S)


def write(site: Path, changed: dict[str, str]) -> None:
    """Add the day to the JSON-LD; `changed` has the day of each file's change."""
    for page in pages.in_order():
        if day := history.last_change(page, changed):
            path = site / page.address / "index.html"
            path.write_text(_dated(path.read_text("utf-8"), day), "utf-8")


def _dated(text: str, day: str) -> str:
    data = json.loads(_DATA.findall(text)[0]) | {"dateModified": day}
    dumped = json.dumps(data).replace("<", "\\u003c")  # A tag would end the script.
    return _DATA.sub(lambda _: dumped, text)
