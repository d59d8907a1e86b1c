"""Write what a page may load and run, into each page and into the headers of a host."""

import base64
import hashlib
from pathlib import Path

from lxml import html

#: What a page may load and run; `{scripts}` are the hashes of the inline scripts.
_POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
#: A browser takes this from a header only.
_OF_HEADERS = "; frame-ancestors 'none'"
_CHARSET = '<meta charset="utf-8">'
_META = '<meta http-equiv="Content-Security-Policy" content="{}">'
_OTHERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def write(site: Path) -> None:
    """Write the policy into each page, and `_headers` for Netlify and Cloudflare.

    Some hosts send no headers of a site, such as GitHub Pages.
    """
    hashes = set()
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        found = _hashes(text)
        meta = _META.format(_policy(found))
        if meta not in text:
            text = text.replace(_CHARSET, _CHARSET + meta, 1)
            path.write_text(text, "utf-8")
        hashes |= found
    sent = {"Content-Security-Policy": _policy(hashes) + _OF_HEADERS} | _OTHERS
    lines = [f"  {name}: {value}\n" for name, value in sent.items()]
    (site / "_headers").write_text("".join(["/*\n", *lines]), "utf-8")


def _policy(hashes: set[str]) -> str:
    return _POLICY.format(scripts=" ".join(sorted(hashes)))


def _hashes(text: str) -> set[str]:
    """Return the hashes of the scripts in a page; data does not run."""
    page = html.document_fromstring(text)
    found = page.xpath(
        "//script[not(@src) and not(starts-with(@type, 'application/'))]"
    )
    digests = (hashlib.sha256(script.text.encode()).digest() for script in found)
    return {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}
