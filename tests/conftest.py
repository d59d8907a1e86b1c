"""What holds for the whole run."""

import signal


def pytest_configure() -> None:
    """Hear Ctrl-C, and let all hear it that the tests start.

    A background job of a shell ignores it from birth, and so do its children.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
