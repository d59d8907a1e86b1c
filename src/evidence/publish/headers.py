"""Write the headers that a host should send with each file of the site."""

import base64
import hashlib
from pathlib import Path

from lxml import html

#: What a page may load and run; `{scripts}` are the hashes of the inline scripts.
_POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OTHERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def write(site: Path) -> None:
    """Write `_headers` in the form that Netlify and Cloudflare read."""
    texts = {text for path in site.rglob("*.html") for text in _scripts(path)}
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    hashes = sorted(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests)
    sent = {"Content-Security-Policy": _POLICY.format(scripts=" ".join(hashes))}
    lines = [f"  {name}: {value}\n" for name, value in (sent | _OTHERS).items()]
    (site / "_headers").write_text("".join(["/*\n", *lines]), "utf-8")


def _scripts(path: Path) -> set[str]:
    """Return the scripts that a page contains; JSON is data and does not run."""
    page = html.document_fromstring(path.read_text("utf-8"))
    found = page.xpath("//script[not(@src) and not(@type='application/json')]")
    return {script.text for script in found}
