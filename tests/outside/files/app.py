"""The same answer for two kinds of servers."""

from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]


def wsgi(_: Message, start_response: Callable[..., object]) -> list[bytes]:
    """Answer a request of WSGI."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ready\n"]


async def asgi(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer a request of ASGI."""
    if scope["type"] == "lifespan":
        kind = ""
        while kind != "lifespan.shutdown":
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
        return
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ready\n"})
