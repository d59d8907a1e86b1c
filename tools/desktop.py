"""A Chromium on a desktop, which makes ready the page that a pointer rests upon.

That of Playwright never does: Chromium makes nothing ready while a debugger holds a
page directly, and not by its tab. So this speaks to Chromium itself.
"""

import json
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

#: What keeps a Chromium to this machine.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FLAGS = [
    *QUIET,
    "--headless",
    "--no-first-run",
    "--window-size=1280,900",
    "--remote-debugging-port=0",
    # Here is no mouse, and a page would take this machine for a phone.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,"
    "primaryPointerType=4,availablePointerTypes=4",
]
#: Seconds for which a pointer rests on a link, and its button is down.
RESTS, DOWN = 0.3, 0.08
LIMIT = 20
LINK = """(() => {
  const link = document.querySelector(".md-footer__link--next");
  link.scrollIntoView({block: "center"});
  const {x, y, width, height} = link.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
})()"""
#: Also of a page that is made ready, and not shown yet.
SHOWN = "!document.prerendering && document.readyState == 'complete' && document.title"


class Desktop:
    """One Chromium with one tab, which was never anywhere before."""

    def __init__(self, chromium: str) -> None:
        """Take the path of Chromium."""
        self.chromium = chromium
        self.pages: list[str] = []
        self.count = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            profile = Path(stack.enter_context(folder))
            command = [self.chromium, *FLAGS, f"--user-data-dir={profile}"]
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            self.wire = stack.enter_context(connection(profile))
            self.open_tab()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def open_tab(self) -> None:
        """Hold a tab; it tells of the page in it, and of one that is made ready."""
        target = self.ask("Target.createTarget", url="about:blank", forTab=True)
        options = {"flatten": True, "autoAttach": True, "waitForDebuggerOnStart": False}
        tab = self.ask("Target.attachToTarget", flatten=True, **target)["sessionId"]
        self.ask("Target.setAutoAttach", tab, **options)
        self.listen(1, until=lambda: bool(self.pages))

    def click_next(self, address: str, settled: float) -> float:
        """Milliseconds from a click on "next" until the next page is there and ready."""
        self.ask("Page.navigate", self.pages[0], url=address)
        self.listen(settled)
        x, y = self.evaluate(LINK, self.pages[0])
        title = self.evaluate("document.title", self.pages[0])
        self.mouse("mouseMoved", x, y)
        self.listen(RESTS)
        self.mouse("mousePressed", x, y)
        self.listen(DOWN)
        start = time.perf_counter()
        self.mouse("mouseReleased", x, y, wait=False)
        while time.perf_counter() < start + LIMIT:
            for page in list(self.pages):
                if self.evaluate(SHOWN, page) not in (None, False, "", title):
                    return (time.perf_counter() - start) * 1000
        raise TimeoutError(f"the page after {address} did not come in {LIMIT} s")

    def mouse(self, kind: str, x: float, y: float, *, wait: bool = True) -> None:
        """Move the pointer, or use its button."""
        event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        send = self.ask if wait else self.send
        send("Input.dispatchMouseEvent", self.pages[0], **event)

    def evaluate(self, script: str, page: str) -> Any:
        """The value of an expression in a page; None if the page has gone."""
        with suppress(RuntimeError):  # It is just being replaced.
            answer = self.ask(
                "Runtime.evaluate", page, expression=script, returnByValue=True
            )
            return answer.get("result", {}).get("value")
        return None

    def send(self, method: str, session: str | None = None, **options: Any) -> int:
        """Send a command, to the browser or to a page."""
        self.count += 1
        command = {"id": self.count, "method": method, "params": options}
        if session:
            command["sessionId"] = session
        self.wire.send(json.dumps(command))
        return self.count

    def ask(self, method: str, session: str | None = None, **options: Any) -> Any:
        """Send a command, and wait for the answer; it is empty if the page has gone."""
        number = self.send(method, session, **options)
        asked_page = session in self.pages
        while not asked_page or session in self.pages:
            message = self.receive(LIMIT)
            if message.get("id") == number:
                if error := message.get("error"):
                    raise RuntimeError(f"{method}: {error['message']}")
                return message["result"]
        return {}

    def listen(self, seconds: float, until: Any = lambda: False) -> None:
        """Take in what the browser tells."""
        end = time.perf_counter() + seconds
        while not until() and (left := end - time.perf_counter()) > 0:
            try:
                self.receive(left)
            except TimeoutError:
                return

    def receive(self, seconds: float) -> Any:
        """The next message; pages come and go by it."""
        message = json.loads(self.wire.recv(timeout=seconds))
        told = message.get("params", {})
        if message.get("method") == "Target.attachedToTarget":
            if told["targetInfo"]["type"] == "page":
                self.pages.append(told["sessionId"])
        elif message.get("method") == "Target.detachedFromTarget":
            self.pages.remove(told["sessionId"])
        return message


def connection(profile: Path) -> ClientConnection:
    """Wait until Chromium has told where it listens, and call it."""
    told = profile / "DevToolsActivePort"
    end = time.perf_counter() + LIMIT
    while not told.exists() or len(lines := told.read_text().split()) < 2:
        if time.perf_counter() > end:
            raise TimeoutError(f"Chromium did not start in {LIMIT} s")
        time.sleep(0.02)
    return connect(f"ws://127.0.0.1:{lines[0]}{lines[1]}", max_size=None)
