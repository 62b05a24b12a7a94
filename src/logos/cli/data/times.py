"""The options that say what files of market data do not say of their times."""

from __future__ import annotations

import argparse

from logos.data.times.reader import STAMPS, TimeRules


def add_time_rules(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what files do not say of their times."""
    parser.add_argument(
        "--timezone", metavar="ZONE", help="of times that name none: UTC, America/New_York, ..."
    )
    parser.add_argument(
        "--time-format",
        metavar="FORMAT",
        help="of times: yyyymmdd, excel, %%d.%%m.%%Y, ...",
    )
    parser.add_argument("--stamp", choices=STAMPS, help="a bar's time: open (default) or close")
    parser.add_argument("--interval", metavar="LENGTH", help="how long bars are: 1m, 1h, 1d, 1mo")


def time_rules(options: argparse.Namespace) -> TimeRules:
    """What the options say. Raises DataError for what is not known."""
    return TimeRules(
        options.timezone or "",
        options.time_format or "",
        options.stamp or "",
        options.interval or "",
    )
