"""`logos launch`: check, test, initialise and start a session, as deploy.toml says."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import Final

from logos.cli.exit_codes import exit_codes
from logos.cli.launch.phases import PHASES

_FILE: Final = "deploy.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos launch`."""
    parser.epilog = exit_codes(
        {
            0: "done as far as --until; else the exit code is that of the session it becomes",
            1: "the self-test failed: do not trade with this build",
            2: "a pre-check is BAD, a bad deploy.toml or command line",
            4: "the kill switch is ENGAGED, or not armed for the mode",
            6: "the workspace or the new file cannot be written",
            130: "ended by a signal before the session began; what was made is taken back",
        }
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "file", metavar="FILE", nargs="?", default=_FILE, help=f"what to launch (default: {_FILE})"
    )
    which.add_argument("--config", metavar="FILE", help="the same")
    parser.add_argument(
        "--init", action="store_true", help="write FILE, with comments, to start from"
    )
    parser.add_argument(
        "--until",
        choices=PHASES,
        default=PHASES[-1],
        help="the last phase to go through (default: start)",
    )
    parser.add_argument("--live", action="store_true", help="permit real orders, for mode live")
    parser.add_argument(
        "--i-acknowledge-risk", action="store_true", help="--live needs this too, each time"
    )
    parser.add_argument("--quiet", action="store_true", help="print only what is wrong")
    parser.add_argument(
        "--json", action="store_true", help="print the log: JSON objects, a line each"
    )


def run(options: argparse.Namespace) -> int:
    """Launch. Does not return where the process becomes the session."""
    # Help answers at once: what runs sessions is loaded when one is wanted.
    from logos.cli.launch.begin import run_launch, write_template

    path = Path(options.config or options.file)
    if options.init:
        return write_template(path)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run_launch(path, options)
    finally:
        signal.signal(signal.SIGTERM, before)
