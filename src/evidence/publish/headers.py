"""Write the headers that a host must send with the files of a site."""

from pathlib import Path

from evidence.publish import assets

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
    """Write `_headers`, which Netlify and Cloudflare read."""
    lines = [f"  {name}: {value}\n" for name, value in _HEADERS.items()]
    lines += [f"/{name}\n  {_FOREVER}\n" for name in sorted(assets.current(site))]
    (site / "_headers").write_text("".join(["/*\n", *lines]), "utf-8")
