"""`python -m process_terminate`: the command line."""

import sys

from process_terminate._command.main import main

if __name__ == "__main__":  # pragma: no branch
    sys.exit(main())
