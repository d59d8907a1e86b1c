"""The styles: those that something on a page needs, and none that makes it slow."""

import re
from pathlib import Path

import pytest

from evidence.publish.styles import SWITCHING, Used, lighten, may_match

USED = Used(
    ['<p class="shown also">', '<b class="held">'],
    ['a.className = "by-script"; b.className = "kind--" + kind'],
)


@pytest.mark.parametrize(
    ("styles", "left"),
    [
        (".shown{color:red}", ".shown{color:red}"),
        (".gone{color:red}b{top:0}", "b{top:0}"),
        (".shown,.gone,p>.gone{color:red}", ".shown{color:red}"),
        (".by-script,.kind--any{top:0}", ".by-script,.kind--any{top:0}"),
        # A choice, or what is left out, is not what an element needs.
        ("p:not(.gone){top:0}", "p:not(.gone){top:0}"),
        ("p:is(.gone,b:not(.gone,.held)){top:0}",) * 2,
        (".gone:is(b,i),b{top:0}", "b{top:0}"),
        (
            "@media print{.gone{top:0}}@media screen{b{top:0}}",
            "@media screen{b{top:0}}",
        ),
        ("@keyframes turn{from{top:0}to{top:1px}}",) * 2,
        ("@font-face{font-family:x}",) * 2,
        ("/* b,{x} .gone */b{src:url(a;b,.gone)}", "b{src:url(a;b,.gone)}"),
        (f"{SWITCHING} *,{SWITCHING} :after{{transition:none}}", ""),
        ("table:not([class]) td{top:0}", "table:not(.highlighttable) td{top:0}"),
    ],
)
def test_lighten(styles: str, left: str) -> None:
    """What may match something stays as it is, in its order."""
    assert lighten(styles, USED) == left


def test_may_match_needs_all_classes() -> None:
    """One that nothing has is enough for a selector to match nothing."""
    assert may_match(".shown .held .also", USED)
    assert not may_match(".shown .held .gone", USED)


def test_the_site_has_no_slow_rules(site: Path) -> None:
    """Nor those of parts that it has not, as tabs within the text."""
    (sheet,) = site.glob("assets/*.css")
    styles = sheet.read_text("utf-8")
    assert "tabbed-set" not in styles
    assert SWITCHING not in styles
    assert "table:not([class])" not in styles
    for name in ("md-typeset", "md-search__input", "md-code__button", "timeline"):
        assert f".{name}" in styles


def test_no_table_has_a_class(site: Path) -> None:
    """But that of numbered lines: what styles tables relies on it."""
    for path in site.rglob("*.html"):
        found = re.findall(r'<table[^>]* class="([^"]*)"', path.read_text("utf-8"))
        assert set(found) <= {"highlighttable"}, path
