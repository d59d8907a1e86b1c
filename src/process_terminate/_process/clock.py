"""The clock of all limits in the library."""

import functools
import time

#: A partial, because tests that freeze the time (freezegun) replace the function itself
#: in all modules, and no grace period ends while the time stands still.
monotonic = functools.partial(time.monotonic)
