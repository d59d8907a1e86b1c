"""Run the command line: `python -m evidence --help`."""

from evidence.cli import main

main()
