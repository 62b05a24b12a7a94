"""`logos trade`: run one paper session and print how it went.

Everything that stops a session is one message on standard error and one exit code; the result
goes to standard output, as a table or, with `--json`, as one JSON object and nothing else.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from typing import Any

from logos.cli.data.times import add_time_rules
from logos.cli.exit_codes import exit_codes
from logos.cli.run_command import ProgressBar, add_shown, attempt
from logos.config import Config, ConfigError, FeedName, live_overrides, load_config, merge
from logos.secrecy import without_keys
from logos.session import SessionResult
from logos.session import run as run_session
from logos.session.stored.origin import Origin


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos trade`."""
    parser.epilog = exit_codes()
    add_settings(parser)
    add_shown(parser)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what a session is."""
    parser.add_argument("--config", metavar="FILE.toml", help="settings; options here override it")
    parser.add_argument("--session-id", metavar="ID", help="default: the next free session-NNNN")
    parser.add_argument(
        "--strategy", metavar="NAME", help="a bundled name, module:Class or file.py:Class"
    )
    parser.add_argument(
        "--param",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a parameter of the strategy (repeatable)",
    )
    parser.add_argument(
        "--signals", metavar="FILE.csv", help="drive the session by signals instead of a strategy"
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        action="append",
        help="a file or folder of market data (repeatable); the first named wins equal times",
    )
    parser.add_argument("--symbols", metavar="A,B", help="trade only these")
    parser.add_argument("--from", dest="start", metavar="TIME", help="ISO-8601 UTC, inclusive")
    parser.add_argument("--to", dest="end", metavar="TIME", help="ISO-8601 UTC, exclusive")
    parser.add_argument(
        "--accept", metavar="KINDS", help="kinds of data defects to tolerate: gap,crossed,..."
    )
    add_time_rules(parser)
    parser.add_argument(
        "--feed",
        choices=[name.value for name in FeedName if name.value],
        help="run on live data (replay: recorded data through the live loop); see docs/FEEDS.md",
    )
    parser.add_argument(
        "--exchange",
        metavar="ID",
        help="the live feed's exchange, as ccxt names it; of alpaca iex or sip",
    )
    parser.add_argument(
        "--speed",
        metavar="X",
        help="replay feed only: X times faster than recorded; 0: as fast as possible",
    )
    parser.add_argument(
        "--carry", metavar="ID", help="take over what this ended paper session holds"
    )
    add_leave(parser)
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the session's generator")


def add_leave(
    parser: argparse.ArgumentParser,
    live: str = "send orders to the venue of the settings, for real",
) -> None:
    """Add the two options without which no order leaves for a real venue; `live` says what the
    first one does."""
    parser.add_argument("--live", action="store_true", help=live)
    parser.add_argument(
        "--i-acknowledge-risk", action="store_true", help="--live needs this too, each time"
    )


def run(options: argparse.Namespace) -> int:
    """Run the session; returns the exit code."""

    def go(bar: ProgressBar) -> SessionResult:
        return begin(load_config(options.config, overrides(options)), options, bar)

    return attempt(go, options, "trade")


def begin(config: Config, options: argparse.Namespace, bar: ProgressBar) -> SessionResult:
    """Run a new session, as the commands do that begin one. `options` has `config`."""
    return run_session(
        config,
        on_plan=bar.start,
        beside=bar.screen.beside,
        tell=bar.screen.tell,
        origin=Origin.here(options.config),
        carry=getattr(options, "carry", None) or "",
    )


def overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What the command line says, as the tables of the settings file."""
    here = partial(_meant_here, options.config)
    params: dict[str, str] = {}
    for text in options.param:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"--param {without_keys(text)}: write it as KEY=VALUE")
        params[key] = value
    tables: dict[str, dict[str, Any]] = {
        "session": {"id": options.session_id, "seed": options.seed},
        "strategy": {
            "name": here(options.strategy),
            "signals": here(options.signals),
            "params": params or None,
        },
        "data": {
            "paths": options.data and [here(path) for path in options.data],
            "symbols": _words(options.symbols),
            "from": options.start,
            "to": options.end,
            "accept": _words(options.accept),
            "timezone": options.timezone,
            "time_format": options.time_format,
            "stamp": options.stamp,
            "interval": options.interval,
        },
        "live": {"feed": options.feed, "exchange": options.exchange, "speed": options.speed},
    }
    # Choosing one way to decide on the command line takes back the other of the file.
    if options.signals:
        tables["strategy"]["name"] = ""
    elif options.strategy:
        tables["strategy"]["signals"] = ""
    given = {
        name: {key: value for key, value in table.items() if value is not None}
        for name, table in tables.items()
    }
    return merge(given, live_overrides(options.live, options.i_acknowledge_risk))


def _meant_here(settings: str | None, text: str | None) -> str | None:
    """What the command line names is in the folder that one is in, and its whole path is given
    where a file of that name lies beside the settings too."""
    if not settings or not text:
        return text
    where, colon, what = text.rpartition(":") if ":" in text else (text, "", "")
    beside = os.path.join(os.path.dirname(os.path.abspath(settings)), where)
    if os.path.exists(where) and os.path.exists(beside) and not os.path.samefile(where, beside):
        return f"{os.path.abspath(where)}{colon}{what}"
    return text


def _words(text: str | None) -> list[str] | None:
    if text is None:
        return None
    return [word.strip() for word in text.split(",") if word.strip()]
