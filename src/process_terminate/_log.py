"""The logger of the library."""

import logging

log = logging.getLogger("process_terminate")
#: A program that does not configure logging sees nothing.
log.addHandler(logging.NullHandler())


def runs_other_code() -> bool:
    """Return whether debug messages go to a handler that Python does not bring."""
    logger: logging.Logger | None = log if log.isEnabledFor(logging.DEBUG) else None
    handlers: list[logging.Handler] = []
    while logger:
        handlers += logger.handlers
        logger = logger.parent if logger.propagate else None
    own = ("logging", "logging.handlers")
    return any(type(handler).__module__ not in own for handler in handlers)
