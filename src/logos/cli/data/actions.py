"""`logos data actions`: splits and dividends of a symbol, from yfinance or Lean, into a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from logos.data.beside.actions import ADJUSTED, RAW, SOURCES, import_actions, write_actions
from logos.data.defects import toml_key
from logos.data.names import check_symbol, stem_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos data actions`."""
    parser.add_argument("file", type=Path, help="a CSV of yfinance, or a factor file of Lean")
    parser.add_argument("--format", required=True, choices=SOURCES, help="its layout")
    parser.add_argument("--symbol", required=True, help="whose they are")
    parser.add_argument(
        "--prices", default="", choices=("", RAW, ADJUSTED), help="of yfinance: for which prices"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE.toml", help="default: actions/SYMBOL.toml"
    )


def run_actions(options: argparse.Namespace) -> int:
    """Write the file, and say what it holds and how settings name it; 0. Raises DataError."""
    check_symbol(options.symbol)
    out: Path = options.out or Path("actions") / f"{stem_for(options.symbol)}.toml"
    found = import_actions(options.file, options.format, options.prices)
    write_actions(options.symbol, options.format, found, out)
    print(f"{out}  {len(found.splits)} splits, {len(found.dividends)} dividends")
    for note in found.notes:
        print(f"  {note}")
    table = f"[instruments.{toml_key(options.symbol)}]"
    print(f'\nName it in your settings:\n\n{table}\nactions = "{out.as_posix()}"')
    return 0
