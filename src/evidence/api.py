"""Keeps what the library offers, so that a break of it is seen and told."""

import re
from collections.abc import Iterator
from typing import Any, cast

import griffe

from evidence.paths import ROOT

RECORD = ROOT / "tests" / "api.txt"
CHANGELOG = ROOT / "CHANGELOG.md"
_HEAD = '"""The API of {version}: written by `python -m evidence api`."""\n'
_NAME = "process_terminate"


def load() -> griffe.Module:
    """The library as it is."""
    paths = [ROOT / "src"]
    found = griffe.load(_NAME, search_paths=paths, resolve_aliases=True)
    return cast("griffe.Module", found)


def render(version: str) -> str:
    """All that is public, as declarations in Python."""
    library = load()
    names = [str(name) for name in library.exports or []]
    found = [_HEAD.format(version=version)]
    found += ["\n".join(_declared(library[name], "")) + "\n" for name in names]
    return "\n".join(found)


def version_of_record() -> str:
    """The version whose API was recorded."""
    return RECORD.read_text("utf-8").split()[3].rstrip(":")


def breaks() -> list[griffe.Breakage]:
    """What a program cannot rely on any more that was written for the record."""
    # Both are read from declarations: griffe does not look behind the names that a
    # package imports if they are none in the other.
    texts = RECORD.read_text("utf-8"), render("now")
    old, new = (griffe.visit(_NAME, RECORD, text) for text in texts)
    return list(griffe.find_breaking_changes(old, new))


def told(breakage: griffe.Breakage, changelog: str) -> bool:
    """Whether the changelog names a break, below "Changed" or "Removed".

    It is named by the public name that it is of, in backticks.
    """
    unreleased = _section(changelog, "## [Unreleased]", "## ")
    sections = (
        _section(unreleased, f"### {k}", "### ") for k in ("Changed", "Removed")
    )
    name = public_name(breakage)
    pattern = rf"`(?:{_NAME}\.)?{re.escape(name)}\b"
    return any(re.search(pattern, section) for section in sections)


def public_name(breakage: griffe.Breakage) -> str:
    """The name that the library exports, and that a break is of or within."""
    path = breakage.obj.path.split(".")
    return next((part for part in path[1:] if not part.startswith("_")), path[-1])


def write(version: str) -> None:
    """Record the API as it is."""
    RECORD.write_text(render(version), "utf-8")


def _section(text: str, heading: str, next_heading: str) -> str:
    _, _, rest = text.partition(f"{heading}\n")
    return re.split(rf"(?m)^{next_heading}", rest)[0]


def _declared(found: Any, indent: str) -> Iterator[str]:
    """A function, a class with its members, or an attribute."""
    if found.is_attribute:
        if "property" in found.labels:
            yield f"{indent}@property"
            yield f"{indent}def {found.name}(self) -> {found.annotation}: ..."
        else:
            value = f" = {found.value}" if found.value else ""
            yield f"{indent}{found.name}: {found.annotation}{value}"
    elif found.is_function:
        for label in ("classmethod", "staticmethod"):
            if label in found.labels:
                yield f"{indent}@{label}"
        # A signature leaves out what a call does not name.
        first = found.parameters[0].name if len(found.parameters) else ""
        signature = found.signature(return_type=True)
        if first in ("self", "cls"):
            signature = re.sub(r"\((?!\))", f"({first}, ", signature, count=1)
            signature = signature.replace("()", f"({first})", 1)
        yield f"{indent}def {signature}: ..."
    else:
        bases = f"({', '.join(map(str, found.bases))})" if found.bases else ""
        yield f"{indent}class {found.name}{bases}:"
        for member in found.members.values():
            if member.is_public and member.name != "__post_init__":
                yield from _declared(member, indent + "    ")
