"""The logger of the library."""

import logging

log = logging.getLogger("process_terminate")
#: A program that does not configure logging sees nothing.
log.addHandler(logging.NullHandler())
