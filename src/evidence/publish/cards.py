"""Draw the picture that a chat or a search engine shows beside a link: one a section."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageText

from evidence import pages

FOLDER = "assets/cards"
#: What OpenGraph's readers show whole.
SIZE = (1200, 630)
#: The colors of docs/assets/extra.css: the header, its text, and that of a signal.
_INK, _PAPER, _SIGNAL = "#17212b", "#f6f8fa", "#fb923c"
_LEFT = 90


def write(site: Path) -> None:
    """Draw a card for each tab of the nav; overrides/page.html names it in each page."""
    (site / FOLDER).mkdir(parents=True, exist_ok=True)
    drawn = set()
    for page in pages.in_order():
        tab = page.sections[0] if page.sections else str(page.name)
        if tab not in drawn:  # The first page of a tab tells what the tab is about.
            drawn.add(tab)
            title = tab if page.sections else page.title
            # With 16 colors a card is 15 KB.
            card = _draw(title, page.description).quantize(16)
            card.save(site / FOLDER / name(tab), optimize=True)


def name(tab: str) -> str:
    """Return the file of the card of a tab."""
    return f"{tab.lower().replace(' ', '-')}.png"


def _draw(title: str, text: str) -> Image.Image:
    card = Image.new("RGB", SIZE, _INK)
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, SIZE[1] - 18, *SIZE), fill=_SIGNAL)
    top = 60
    site = str(pages.configuration()["site_name"])
    for part, size, color in (
        (site, 42, _SIGNAL),
        (title, 92, _PAPER),
        (text, 40, _PAPER),
    ):
        said = ImageText.Text(part, ImageFont.load_default(size))
        said.wrap(SIZE[0] - 2 * _LEFT)
        for line in said.text.split("\n"):
            draw.text((_LEFT, top), line, color, said.font)
            top += size * 5 // 4
        top += 25
    return card
