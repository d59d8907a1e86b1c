"""Makes the built site lighter, valid and accessible, and writes its headers.

The last step of `evidence.publish`.
"""

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from evidence.publish.styles import Styles, Used, digest

#: Parts in which white space has a meaning.
KEPT = re.compile(
    r"(<(?:pre|script|style|textarea)\b.*?</(?:pre|script|style|textarea)>)", re.S
)
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<text>.*?)</script>", re.S)
#: Sections that show what was recorded: their words are not what a page is about.
RECORDED = re.compile(r"#(timeline|where-it-holds|proofs)$")
#: What a page may do; `{scripts}` are the hashes of Material's inline scripts.
POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
MENDS = [
    # An empty number is none.
    (re.compile(r' tabindex=""'), ""),
    # A checkbox completes nothing; a form may say so for it. Firefox would keep the
    # menu open over a reload.
    (
        re.compile(r'(<input class="md-toggle"[^>]*) autocomplete="off">'),
        r'\1 form="__toggles">',
    ),
    (
        re.compile(r"(<body[^>]*>)"),
        r'\1<form id="__toggles" autocomplete="off" hidden></form>',
    ),
    (
        re.compile(r'(<div class="md-search"[^>]*role="dialog")>'),
        r'\1 aria-label="Search">',
    ),
    # A menu is named by its title; the label that names it has no words.
    (
        re.compile(
            r'(<nav class="md-nav" data-md-level="\d") aria-labelledby="[^"]*"'
            r' aria-expanded="\w+"(>\s*<label class="md-nav__title".*?</span>)'
            r"\s*(.*?)\s*</label>",
            re.S,
        ),
        r'\1 aria-label="\3"\2\3</label>',
    ),
    # Code scrolls by keys too where no script says so; Material takes it back where
    # nothing is hidden.
    (re.compile(r"(<pre\b[^>]*>(?:<span></span>)?)<code>"), r'\1<code tabindex="0">'),
    # A plain name and white space look the same without: a third less to parse.
    (re.compile(r'<span class="[nw]">([^<]*)</span>'), r"\1"),
    # Tables of Markdown have one row of heads.
    (re.compile(r"<th(?= style=|>)"), '<th scope="col"'),
]
#: A table may scroll in its box, by keys only if something in it has the focus.
TABLE = re.compile(r"<table>(.*?</table>)", re.S)
#: Material tells the browser anew which scheme is shown, and all is styled twice more.
#: The pages say that they have both, and `look.css` says which is shown.
COLOR_SCHEME = re.compile(
    r'(let (\w)=\w+\("meta",{name:"color-scheme"}\));document\.head\.appendChild\(\2\);'
)
LABEL = re.compile(r'(<label\b[^>]*) for="([^"]+)"')


def polish(site: Path, change: Callable[[Path, str], str]) -> None:
    """Mend and lighten all pages, after a change to each; to be done once."""
    pages = {path: path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}
    prune(site)
    shrink_index(site / "search" / "search_index.json")
    old, new = mend_bundle(site)
    scripts = [path.read_text("utf-8") for path in site.glob("assets/**/*.js")]
    styles = Styles(site, Used(pages.values(), scripts))
    for path, text in pages.items():
        light = styles.join(change(path, text), path).replace(old, new)
        pages[path] = mend(light)
        path.write_text(pages[path], "utf-8")
    styles.remove_joined()
    (site / "_headers").write_text(headers(list(pages.values())), "utf-8")


def prune(site: Path) -> None:
    """Remove what no reader's browser asks for."""
    for path in site.rglob("*.map"):
        path.unlink()
    for path in site.glob("assets/**/*.*s"):
        text = path.read_text("utf-8")
        path.write_text(
            re.sub(r"\n(//|/\*)# sourceMappingURL=\S+( \*/)?", "", text), "utf-8"
        )
    # Other languages, and Material's own icon.
    shutil.rmtree(site / "assets/javascripts/lunr", ignore_errors=True)
    shutil.rmtree(site / "assets/images", ignore_errors=True)


def shrink_index(path: Path) -> None:
    """Leave the records out of the search: many words that no question has."""
    index = json.loads(path.read_text("utf-8"))
    index["docs"] = [
        entry for entry in index["docs"] if not RECORDED.search(entry["location"])
    ]
    path.write_text(json.dumps(index, separators=(",", ":")), "utf-8")


def mend_bundle(site: Path) -> tuple[str, str]:
    """Mend Material's script; its name before, and now, as that tells the content."""
    (path,) = site.glob("assets/javascripts/bundle.*.min.js")
    text, count = COLOR_SCHEME.subn(r"\1;", path.read_text("utf-8"))
    if count != 1:
        raise ValueError(
            f"{path.name} does not set the colour scheme as it did: see {__name__}"
        )
    new = path.with_name(f"bundle.{digest(text)}.min.js")
    path.unlink()
    new.write_text(text, "utf-8")
    return path.name, new.name


def mend(text: str) -> str:
    """Make valid and accessible what Material and Markdown write, and shorter."""
    for pattern, replacement in MENDS:
        text = pattern.sub(replacement, text)
    text = TABLE.sub(
        lambda m: m[0] if "<a " in m[0] else f'<table tabindex="0">{m[1]}', text
    )
    ids = set(re.findall(r' id="([^"]+)"', text))
    text = LABEL.sub(lambda m: m[0] if m[2] in ids else m[1], text)
    parts = KEPT.split(text)
    # Every other part is one to keep.
    parts[::2] = [re.sub(r"\s*\n\s*", "\n", part) for part in parts[::2]]
    return "".join(parts)


def headers(pages: list[str]) -> str:
    """The headers that a host is to send, in the form of Netlify and Cloudflare."""
    hashes = {
        base64.b64encode(hashlib.sha256(script["text"].encode()).digest()).decode()
        for text in pages
        for script in SCRIPT.finditer(text)
        # JSON is data, not a script.
        if not re.search(r"\b(src=|type=\"application/json\")", script["attributes"])
    }
    scripts = " ".join(f"'sha256-{digest}'" for digest in sorted(hashes))
    sent = {"Content-Security-Policy": POLICY.format(scripts=scripts), **HEADERS}
    return "/*\n" + "".join(f"  {name}: {value}\n" for name, value in sent.items())
