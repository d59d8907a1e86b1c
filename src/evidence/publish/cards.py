"""Draw the picture that a chat or a search engine shows beside a link: one a section."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

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
        for line in _wrap(part, SIZE[0] - 2 * _LEFT, size):
            draw.text((_LEFT, top), line, color, _font(size))
            top += size * 5 // 4
        top += 25
    return card


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _wrap(text: str, width: int, size: int) -> list[str]:
    """Return the lines of a text that is at most so wide."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if _font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
