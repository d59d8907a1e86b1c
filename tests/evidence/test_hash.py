"""The hash of an example changes with what runs, and with nothing else."""

from pathlib import Path

import pytest

from evidence.examples import Example

SOURCE = '''# /// script
# requires-python = ">=3.11"
# ///
"""Print a sum."""

def add(a, b):  # A comment.
    """Add."""
    text = f"""{a} # no comment
"""
    return f"{a}{'+'}{b:>{3}} # {text!r}"


if __name__ == "__main__":
    # Another comment.
    print(add(1, 2))
    #> 1+  2
'''


def hash_of(source: str, tmp_path: Path) -> str:
    """Return the hash of an example with this source."""
    path = tmp_path / "name.py"
    path.write_text(source)
    return Example(path).hash


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("Another comment.", "Reworded.", True),
        ("    # Another comment.\n", "", True),
        ("Print a sum.", "Print the sum\n\nof two.", True),
        ('    """Add."""\n', "", True),
        ("#> 1+  2", "#> 1 + 2", False),
        (">=3.11", ">=3.12", False),
        ("add(1, 2)", "add(1, 3)", False),
        ("# no comment", "# still none", False),
    ],
)
def test_hash_changes_with_outputs_header_and_code_only(
    old: str, new: str, same: bool, tmp_path: Path
) -> None:
    assert old in SOURCE
    changed = SOURCE.replace(old, new)
    assert (hash_of(changed, tmp_path) == hash_of(SOURCE, tmp_path)) is same


def test_hash_is_the_same_on_every_python(tmp_path: Path) -> None:
    expected = "ac1435ba5a8d9ae4bcb0a2c2e638c73e9f48c584a554f6b98726df1b85c76bc1"
    assert hash_of(SOURCE, tmp_path) == expected
