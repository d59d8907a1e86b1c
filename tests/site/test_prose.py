"""The prose of the pages keeps the rules that a program can check."""

from pathlib import Path

import pytest

from evidence import pages
from evidence.prose import rules

KINDS = rules.files()


@pytest.mark.parametrize("kind", KINDS)
def test_prose_breaks_no_rule(kind: str) -> None:
    found = [str(found) for path in KINDS[kind] for found in rules.findings(path)]
    assert not found, "\n" + "\n".join(found)


def test_page_has_one_title() -> None:
    found = [str(found) for found in rules.other_titles()]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("kind", KINDS)
def test_half_of_the_sentences_are_short(kind: str) -> None:
    counted = rules.numbers(KINDS[kind])
    assert counted
    assert counted[rules.MEDIAN_SENTENCE] <= rules.MEDIAN


def test_rules_find_what_breaks_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in (rules, "ROOT"), (rules, "DOCS"), (pages, "DOCS"):
        monkeypatch.setattr(module, name, tmp_path)
    (tmp_path / "other.md").write_text("# Other\n")
    page = tmp_path / "page.md"
    page.write_text(
        "---\ndescription: It is deaf.\n---\n\n# Page\n\nGood `deaf` prose.\n"
        f"It lives\non, see [here](other.md).\nA{' word' * 40}.\n\n"
        "```python\nlast = 'for ever'\n```\n\n- One more\n  who waits.\n\n"
        "## See also\n\n- [another](other.md), [Other](other.md)\n"
    )
    assert [str(finding).partition(" -> ")[0] for finding in rules.findings(page)] == [
        "page.md:1: deaf",
        "page.md:8: lives on",
        "page.md:9: link called 'here'",
        "page.md:10: sentence of 41 words",
        "page.md:17: who",
        "page.md:21: link called 'another'",
    ]
