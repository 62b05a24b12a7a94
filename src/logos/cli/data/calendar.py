"""`logos data calendar`: the sessions of an exchange, written once into a file for sessions."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from logos.data.beside.calendars import EXTENSION, write_calendar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos data calendar`."""
    parser.add_argument("name", metavar="NAME", help="of the exchange: XNYS, XLON, XHKG, CMES, ...")
    parser.add_argument(
        "--from", dest="first", type=_day, required=True, metavar="DAY", help="first day"
    )
    parser.add_argument(
        "--to", dest="last", type=_day, required=True, metavar="DAY", help="last day, included"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE.toml", help="default: calendars/NAME.toml"
    )


def run_calendar(options: argparse.Namespace) -> int:
    """Write the file and say how settings name it; 0. Raises DataError and OSError."""
    out: Path = options.out or Path("calendars") / f"{options.name}{EXTENSION}"
    count = write_calendar(options.name, options.first, options.last, out)
    print(f"{out}  {count} sessions from {options.first} to {options.last}")
    print(f'\nName it in your settings:\n\n[instruments.SYMBOL]\ncalendar = "{out.as_posix()}"')
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a day like 2024-01-31, not {text!r}") from None
