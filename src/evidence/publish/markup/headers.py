"""Write what a page may load and run into each page, and the rest for a host."""

import base64
import hashlib
from pathlib import Path

from lxml import html

from evidence.publish import assets

#: What a page may load and run; `{scripts}` are the hashes of the inline scripts.
_POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
_CHARSET = '<meta charset="utf-8">'
_META = '<meta http-equiv="Content-Security-Policy" content="{}">'
#: A browser takes these from a header only. A host sends them with each file, so the
#: policy is not among them: with its hashes it would make a first visit 8 KB larger.
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: For a name with the hash of the content in it, which never means anything else.
_FOREVER = "Cache-Control: public, max-age=31536000, immutable"


def write(site: Path) -> None:
    """Write the policy into each page, and `_headers` for Netlify and Cloudflare.

    Some hosts send no headers of a site, such as GitHub Pages.
    """
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        meta = _META.format(_POLICY.format(scripts=" ".join(_hashes(text))))
        if meta not in text:
            path.write_text(text.replace(_CHARSET, _CHARSET + meta, 1), "utf-8")
    lines = [f"  {name}: {value}\n" for name, value in _HEADERS.items()]
    lines += [f"/{name}\n  {_FOREVER}\n" for name in sorted(assets.current(site))]
    (site / "_headers").write_text("".join(["/*\n", *lines]), "utf-8")


def _hashes(text: str) -> list[str]:
    """Return the hashes of the scripts in a page; data does not run."""
    page = html.document_fromstring(text)
    found = page.xpath(
        "//script[not(@src) and not(starts-with(@type, 'application/'))]"
    )
    digests = (hashlib.sha256(script.text.encode()).digest() for script in found)
    return sorted(
        {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}
    )
