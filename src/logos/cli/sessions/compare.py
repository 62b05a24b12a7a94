"""`logos compare A B ...`: sessions side by side, what differs, curves over each other."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_here, not_here, say
from logos.errors import ConfigError, LogosError, WorkspaceError

_WIDTH = 100
"""Characters of a line where there is no terminal."""
_CODES = {
    0: "compared",
    2: "no such session, one that has not begun, or a wrong command line",
    6: "a file cannot be read, or the page cannot be written",
    8: "a session's files are damaged: `logos verify ID` says where",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos compare`."""
    parser.epilog = exit_codes(_CODES)
    parser.add_argument(
        "sessions",
        metavar="ID|FOLDER",
        nargs="+",
        help="sessions by id, or by their folders, of other workspaces too; two to twelve",
    )
    parser.add_argument("--html", metavar="FILE", help="write a page with charts, for a browser")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")


def run(options: argparse.Namespace) -> int:
    """Compare; returns the exit code."""
    from logos.journal.reader import Damaged

    try:
        return _compare(options, find_here())
    except Damaged as error:
        return _complain(error, 8)
    except (ConfigError, WorkspaceError) as error:
        return _complain(error, 2)
    except BrokenPipeError:
        raise  # the reader of our output has closed it
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}", 6)
    except LogosError as error:  # a table is damaged
        return _complain(f"{error}; `logos verify` says more", 8)


def _compare(options: argparse.Namespace, here: Path | None) -> int:
    from logos.comparison.comparing import compare
    from logos.comparison.plain import comparison_json
    from logos.comparison.words import comparison_text

    comparison = compare([_folder(name, here) for name in options.sessions])
    page = Path(options.html) if options.html else None
    if page is not None:
        from logos.comparison.page import comparison_page
        from logos.files import open_new

        with open_new(page, "w", encoding="utf-8") as file:
            file.write(comparison_page(comparison))
    if options.json:
        print(json.dumps(comparison_json(comparison), indent=2, ensure_ascii=False))
        return 0
    if here is not None:
        say(f"workspace {here}")
    width = shutil.get_terminal_size((_WIDTH, 0)).columns if sys.stdout.isatty() else _WIDTH
    print(comparison_text(comparison, width))
    if page is not None:
        print(f"\npage      {page}")
    else:
        print(f"\nnext      logos compare {' '.join(options.sessions)} --html compare.html")
    return 0


def _folder(name: str, here: Path | None) -> Path:
    """The folder of a session that is named by its id or by its folder. Raises ConfigError."""
    from logos.cli.sessions.shown import missing
    from logos.journal.names import JOURNAL
    from logos.session.history import find_session

    if "/" in name or (Path(name) / JOURNAL).is_file():
        return find_session(name, may_be_path=True)
    if here is None:
        raise ConfigError(f"no session {name}: {not_here()}")
    try:
        return find_session(name, here)
    except ConfigError:
        raise missing(name, here) from None


def _complain(error: object, code: int) -> int:
    print(f"logos compare: {error}", file=sys.stderr)
    return code
