"""Fill the templates, and make the tables that pages embed."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from evidence import pages

_ENVIRONMENT = Environment(
    autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
    keep_trailing_newline=True,
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    lstrip_blocks=True,  # A blank line would end the HTML for Markdown.
    trim_blocks=True,
    undefined=StrictUndefined,
)


def fill(name: str, /, **values: object) -> str:
    """Return a template with the root of the site and its values.

    The values are escaped, but not in a `.txt`.
    """
    return _ENVIRONMENT.get_template(name).render(values, root=pages.root())


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
