"""`logos export`: figures of a session as a table for other programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_here
from logos.errors import ConfigError, LogosError, WorkspaceError

if TYPE_CHECKING:
    from logos.analysis import Analysis, Book

_BAD_COMMAND_LINE = 2
_CANNOT_WRITE = 6
_DAMAGED = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos export`."""
    parser.epilog = exit_codes(
        {
            0: "written",
            2: "no such session or book, one that has not begun, or a wrong command line",
            6: "a file cannot be read or written",
            8: "a file of the session is damaged: `logos verify` says which",
        }
    )
    parser.add_argument("what", choices=["returns"], help="returns: one row a day: date,return")
    parser.add_argument("session", metavar="ID|FOLDER", help="a session's id, or its folder")
    parser.add_argument(
        "--book",
        metavar="NAME",
        help="a currency, or total (default: total where there is one, else the first currency)",
    )
    parser.add_argument("--out", metavar="FILE", help="write it there (default: print it)")


def run(options: argparse.Namespace) -> int:
    """Write the table; returns the exit code."""
    from logos.analysis import analyse
    from logos.files import replace_file
    from logos.session.history import find_session

    try:
        analysis = analyse(find_session(options.session, find_here(), may_be_path=True))
        text = returns_csv(_book(analysis, options.book))
        if options.out is None:
            print(text, end="", flush=True)
        else:
            replace_file(Path(options.out), text.encode())
    except (ConfigError, WorkspaceError) as error:
        return _complain(error, _BAD_COMMAND_LINE)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _complain(f"{error.filename or options.session}: {error.strerror}", _CANNOT_WRITE)
    except LogosError as error:
        return _complain(f"{error}; `logos verify {options.session}` says more", _DAMAGED)
    return 0


def returns_csv(book: Book) -> str:
    """Daily returns as CSV: `date` as YYYY-MM-DD, `return` as a ratio that reads back exactly."""
    return "".join(["date,return\n", *(f"{date},{value!r}\n" for date, value in book.returns)])


def _book(analysis: Analysis, name: str | None) -> Book:
    if name is None:
        return analysis.books[0]
    for book in analysis.books:
        if book.name == name:
            return book
    names = ", ".join(book.name for book in analysis.books)
    raise ConfigError(f"there is no book {name}; there are: {names}")


def _complain(error: object, code: int) -> int:
    print(f"logos export: {error}", file=sys.stderr)
    return code
