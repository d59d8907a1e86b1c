"""Write into each page what it may load and run."""

import base64
import hashlib

from lxml.html import HtmlElement
from lxml.html.builder import META

#: What a page may load and run; `{scripts}` are the hashes of the inline scripts.
_POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
_NAME = "Content-Security-Policy"


def write(page: HtmlElement) -> None:
    """Write the policy after the charset, because it holds for what follows it.

    Some hosts send no headers of a site, such as GitHub Pages.
    """
    for old in page.xpath(f"//meta[@http-equiv='{_NAME}']"):
        old.drop_tree()
    policy = _POLICY.format(scripts=" ".join(_hashes(page)))
    charset = page.find("head/meta[@charset]")
    charset.addnext(META({"http-equiv": _NAME, "content": policy}))


def _hashes(page: HtmlElement) -> list[str]:
    """Return the hashes of the scripts in a page; data does not run."""
    found = page.xpath(
        "//script[not(@src) and not(starts-with(@type, 'application/'))]"
    )
    digests = (hashlib.sha256(script.text.encode()).digest() for script in found)
    return sorted(
        {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}
    )
