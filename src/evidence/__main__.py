"""Writes what is measured and generated: `python -m evidence --help`."""

import argparse
import sys

from evidence import survivors


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m evidence")
    commands = parser.add_subparsers(dest="command", required=True)
    counting = commands.add_parser(
        "survivors", help="end hostile trees, and record who survives (minutes)"
    )
    counting.add_argument("--runs", type=int, default=200, help="of this library")
    counting.add_argument("--compare", type=int, default=20, help="of the other ways")
    commands.add_parser("render", help="write the pages that show the records")
    arguments = parser.parse_args()
    if arguments.command == "survivors":
        survivors.record(arguments.runs, arguments.compare, report)
    survivors.PAGE.write_text(survivors.render(), "utf-8")


def report(line: str) -> None:
    """Tell the person at the terminal how far it is."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
