"""`logos report`: make a session's report.html, and open it.

A session makes its report when it ends. This makes one of a session that runs or crashed, one after
the files were moved, or one in another place.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_here
from logos.errors import ConfigError, LogosError, WorkspaceError

_BAD_COMMAND_LINE = 2
_CANNOT_WRITE = 6
_DAMAGED = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos report`."""
    parser.epilog = exit_codes(
        {
            0: "made",
            2: "no such session, one that has not begun, or a wrong command line",
            6: "a file cannot be read, or the report cannot be written",
            8: "a file of the session is damaged: `logos verify` says which",
        }
    )
    parser.add_argument("session", metavar="ID|FOLDER", help="a session's id, or its folder")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.add_argument(
        "--out", metavar="FILE", help="write it there (default: report.html in its folder)"
    )


def run(options: argparse.Namespace) -> int:
    """Make the report; returns the exit code."""
    from logos.report import write_report
    from logos.session.history import find_session

    try:
        folder = find_session(options.session, find_here(), may_be_path=True)
        path = write_report(folder, Path(options.out) if options.out else None)
    except (ConfigError, WorkspaceError) as error:
        return _complain(error, _BAD_COMMAND_LINE)
    except OSError as error:
        return _complain(f"{error.filename or options.session}: {error.strerror}", _CANNOT_WRITE)
    except (LogosError, ValueError) as error:
        return _complain(f"{error}; `logos verify {options.session}` says more", _DAMAGED)
    print(f"report    {path}", flush=True)
    if options.open:
        _open(path)
    return 0


def _open(path: Path) -> None:
    """Open the file in a browser; where there is none, say so: the file is there all the same."""
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        print("logos report: no browser could be started; open the file yourself", file=sys.stderr)


def _complain(error: object, code: int) -> int:
    print(f"logos report: {error}", file=sys.stderr)
    return code
