"""`logos data import` and `logos data add`: files of other programs, into our own."""

from __future__ import annotations

import argparse
import glob
import shlex
from pathlib import Path

from logos import paths
from logos.config import Config
from logos.data.check import CheckReport, inspect_source
from logos.data.defects import KEEPING_KINDS
from logos.data.importing.formats import LAYOUTS
from logos.data.importing.instruments import INSTRUMENTS_NAME, add_instruments, known_symbols
from logos.data.importing.options import ImportOptions
from logos.data.importing.report import ImportReport
from logos.data.importing.run import import_files
from logos.data.source import DataSource, discover
from logos.data.suggest import draft_instrument
from logos.errors import DataError
from logos.session.build import make_instruments
from logos.session.opening.instruments import find_instruments
from logos.session.outcome import ExitCode

_SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}


def add_arguments(parser: argparse.ArgumentParser, *, is_add: bool) -> None:
    """Add the options of `logos data import`, and of `add`, which knows one more place."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="files or patterns; zip, gz, bz2, xz and zst too"
    )
    known = sorted({layout.name for layout in LAYOUTS})
    parser.add_argument("--format", default="", metavar="NAME", help=", ".join(known))
    parser.add_argument("--symbol", default="", metavar="A,B", help="its symbol, or those wanted")
    parser.add_argument("--symbol-column", default="", metavar="NAME", help="where symbols stand")
    parser.add_argument("--columns", default="", metavar="A,B", help="what each column holds")
    parser.add_argument("--timezone", default="", metavar="ZONE", help="of times without a zone")
    parser.add_argument("--time-format", default="", metavar="FORM", help="as %%d.%%m.%%Y %%H:%%M")
    parser.add_argument(
        "--stamp", default="", choices=("open", "close"), help="which end of a bar its time is"
    )
    parser.add_argument("--interval", default="", metavar="LENGTH", help="of a bar, as 1m or 1d")
    parser.add_argument("--tick", default="", help="price step, to round the noise of floats away")
    parser.add_argument("--quote", default="", metavar="USD", help="the currency of its prices")
    parser.add_argument(
        "--asset-class", default="", metavar="CLASS", help="for Lean: equity, forex or crypto"
    )
    parser.add_argument("--separator", default="", metavar="SIGN", help="between cells; or tab")
    parser.add_argument("--decimal", default="", choices=(".", ","), help="before the decimals")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="lines at the beginning")
    parser.add_argument(
        "--last-row", default="", choices=("keep", "drop"), help="a last line without its end"
    )
    parser.add_argument("--sort", action="store_true", help="put rows in order of time")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: data/cache")
    parser.set_defaults(run_data=run_add if is_add else run_import)


def run_import(options: argparse.Namespace) -> int:
    """`logos data import`; returns the exit code."""
    out = _out(options)
    known_symbols(out)  # a damaged file of instruments is refused before anything is written
    report = _imported(options, out)
    _print_written(report)
    _add_drafts(out, discover(report.paths), options.quote)
    return int(ExitCode.FINISHED)


def run_add(options: argparse.Namespace) -> int:
    """`logos data add`; returns the exit code."""
    out = _out(options)
    known_symbols(out)
    report = _imported(options, out)
    try:
        sources = discover(report.paths)
        instruments = make_instruments(find_instruments(Config(), sources, infer=True))
        checked = [inspect_source(source, instruments[source.symbol]) for source in sources]
    except DataError:
        _remove(report)
        raise
    bad = [each for each in checked if not KEEPING_KINDS.issuperset(each.counts)]
    if bad:
        _remove(report)
        raise DataError(_defects_words(bad))
    _print_written(report)
    _add_drafts(out, sources, options.quote)
    _print_next(sources, checked, out)
    return int(ExitCode.FINISHED)


def _out(options: argparse.Namespace) -> Path:
    return options.out if options.out is not None else paths.cache_dir()


def _imported(options: argparse.Namespace, out: Path) -> ImportReport:
    said = ImportOptions(
        format=options.format,
        symbols=_words(options.symbol),
        symbol_column=options.symbol_column,
        columns=_words(options.columns, keep_empty=True),
        timezone=options.timezone,
        time_format=options.time_format,
        stamp=options.stamp,
        interval=options.interval,
        tick=options.tick,
        asset_class=options.asset_class,
        separator=_SEPARATORS.get(options.separator, options.separator),
        decimal=options.decimal,
        skip=options.skip,
        last_row=options.last_row,
        sort=options.sort,
    )
    return import_files(_files(options.files), out, said, show=_show)


def _words(text: str, *, keep_empty: bool = False) -> tuple[str, ...]:
    words = [word.strip() for word in text.split(",")] if text else []
    return tuple(word for word in words if word or keep_empty)


def _files(given: list[str]) -> list[str]:
    """The files that were named, and those that a pattern names, in the order of their names."""
    found: list[str] = []
    for text in given:
        if Path(text).exists() or not glob.has_magic(text):
            found.append(text)
            continue
        matches = sorted(glob.glob(text))
        if not matches:
            raise DataError(f"{text}: no file has such a name")
        found += matches
    return list(dict.fromkeys(found))


def _show(lines: list[str]) -> None:
    print("\n".join(lines))


def _print_written(report: ImportReport) -> None:
    for left in report.left:
        print(f"  left out   {left}")
    for path in report.paths:
        print(path)
    rows = ", ".join(f"{symbol} {count:,}" for symbol, count in list(report.rows.items())[:10])
    more = f" and {len(report.rows) - 10} more" if len(report.rows) > 10 else ""
    print(f"rows: {rows}{more}")


def _add_drafts(out: Path, sources: list[DataSource], quote: str) -> None:
    known = known_symbols(out)
    made = {
        source.symbol: draft_instrument(source, quote=quote)
        for source in sources
        if source.symbol not in known
    }
    drafts = {symbol: draft.toml() for symbol, draft in made.items()}
    added = add_instruments(out, drafts)
    if not added:
        print(f"{out / INSTRUMENTS_NAME} knows {', '.join(sorted({s.symbol for s in sources}))}")
        return
    print(f"added to {out / INSTRUMENTS_NAME}; check it against the venue's terms:\n")
    print("\n".join(drafts[symbol] for symbol in added))
    missing = [name for symbol in added for name in made[symbol].missing]
    if missing:
        print(
            f"fill in {', '.join(dict.fromkeys(missing))} there: no session begins before"
            f"{' (--quote says the currency at once)' if 'quote' in missing else ''}\n"
        )


def _remove(report: ImportReport) -> None:
    """Leave nothing behind."""
    for path in report.paths:
        path.unlink(missing_ok=True)


def _defects_words(reports: list[CheckReport]) -> str:
    lines = [
        f"  {defect}"
        for report in reports
        for kind in report.counts
        for defect in report.defects[:20]
        if defect.kind == kind and kind not in KEEPING_KINDS
    ]
    counts = ", ".join(
        f"{kind} {count:,}"
        for report in reports
        for kind, count in report.counts.items()
        if kind not in KEEPING_KINDS
    )
    return (
        f"rows that no session would use: {counts}\n" + "\n".join(lines[:20]) + "\n"
        "nothing was added; logos data import and logos data check --repair keep the rest"
    )


def _print_next(sources: list[DataSource], reports: list[CheckReport], out: Path) -> None:
    kinds = sorted({kind for report in reports for kind in report.counts})
    if kinds:
        counts = ", ".join(
            f"{kind} {sum(report.counts.get(kind, 0) for report in reports):,}" for kind in kinds
        )
        print(f"checked: {counts}")
    else:
        print("checked: no defects")
    accept = f" --accept {','.join(kinds)}" if kinds else ""
    symbols = list(dict.fromkeys(source.symbol for source in sources))
    is_cache = out.resolve() == paths.cache_dir().resolve()
    named = symbols[0] if is_cache else str(sources[0].path)
    print(f"use it: logos trade --strategy sma_cross --data {shlex.quote(named)}{accept}")
