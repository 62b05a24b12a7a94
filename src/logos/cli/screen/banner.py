"""What a session is, said when it starts: whether its orders are real stands first."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from logos import __version__, paths
from logos.cli.running.standing import read_switch
from logos.cli.screen.figures import amount
from logos.cli.screen.terminal import Colour, Terminal, wrapped
from logos.config import BALANCE_DEFAULT, Config, FeedName
from logos.config.making import masked_config
from logos.core.types import SwitchState
from logos.killswitch.status import sentence
from logos.session.artifacts.limits import ALWAYS, limit_rows
from logos.session.presence.now import money_decimals
from logos.session.session import Session
from logos.session.source import LiveSource
from logos.shown import plain

_TITLE_COLUMNS: Final = 12
_SYMBOLS_MAX: Final = 20


def banner(session: Session, terminal: Terminal) -> list[str]:
    """The lines to be shown when `session` starts."""
    is_real = session.core.order_manager.outbox is not None
    is_live = isinstance(session.source, LiveSource)
    config, columns = masked_config(session.plan.config), terminal.columns
    where = (
        terminal.coloured(f"REAL: orders go to {_venue(config)}", Colour.ALARM)
        if is_real
        else terminal.coloured("PAPER", Colour.STRONG) + ": no order leaves this machine"
    )
    lines = [f"logos {__version__}, session {session.session_id}   {where}"]
    rows = [*_what(session, config), *_limits(config)]
    if is_live:
        rows += [*_where(session, config), *_commands(session.session_id)]
    for title, words, separator in rows:
        first = f"{title:<{_TITLE_COLUMNS}}"
        found = wrapped(words, columns, first, separator)
        found[0] = terminal.coloured(first, Colour.FAINT) + found[0][len(first) :]
        lines += found
    return lines


Row = tuple[str, list[str], str]
"""A title, its words (a line breaks only between two of them), and what stands between these."""


def _text(title: str, text: str) -> Row:
    return title, plain(text).split(), " "


def _what(session: Session, config: Config) -> Iterator[Row]:
    plan = session.plan
    params = ", ".join(f"{name} = {value}" for name, value in config.strategy.params.items())
    yield _text("strategy", plan.strategy_name + (f" ({params})" if params else ""))
    symbols = list(plan.instruments)
    more = f", and {len(symbols) - _SYMBOLS_MAX} more" if len(symbols) > _SYMBOLS_MAX else ""
    yield _text("symbols", ", ".join(symbols[:_SYMBOLS_MAX]) + more)
    assumed = dict.fromkeys((each.quote for each in plan.instruments.values()), BALANCE_DEFAULT)
    balances = ", ".join(
        f"{amount(value, money_decimals(value))} {asset}"
        for asset, value in (config.account.balances or assumed).items()
    )
    if not config.account.balances:
        balances += ", as no balance is set"
    yield _text("account", balances)


def _limits(config: Config) -> Iterator[Row]:
    rows = limit_rows(config)
    on = [f"{row.guard} ({row.limit})" for row in rows if row.is_on and row.limit != ALWAYS]
    off = [row.guard for row in rows if not row.is_on]
    for title, names in (("limits on", on), ("limits off", off)):
        words = [f"{plain(name)}," for name in names[:-1]] + [plain(name) for name in names[-1:]]
        yield title, words or ["none"], " "


def _where(session: Session, config: Config) -> Iterator[Row]:
    home = _home(session)
    yield _text("feed", _feed(config))
    yield _text("workspace", str(home))
    switch = read_switch(home)
    if switch is not None:
        is_safe = switch.state is SwitchState.SAFE
        yield _text(
            "switch",
            f"{switch.state.name} at epoch {switch.epoch}" if is_safe else sentence(switch),
        )
    fleet = session.supervisor.fleet()
    if fleet:
        yield _text("fleet", fleet)


def _commands(session_id: str) -> Iterator[Row]:
    """What to type to watch it, to stop it in order, to stop all trading at once."""
    yield _text("watch", f"logos watch {session_id}, or logos inspect {session_id} --follow")
    yield _text(
        "stop",
        f"Ctrl-C, or kill -TERM {os.getpid()}; to continue: logos resume {session_id}",
    )
    yield _text("kill", f"logos kill --reason {shlex.quote('what you saw')}")


def _feed(config: Config) -> str:
    """Where prices come from, in words."""
    live = config.live
    if live.feed is FeedName.REPLAY:
        paths_ = ", ".join(config.data.paths)
        speed = "as fast as possible" if not live.speed else f"{live.speed} times as fast"
        if live.speed == 1:
            speed = "as fast as it was recorded"
        return f"replay of {paths_}, {speed}"
    name = ":".join(filter(None, (live.feed.value, live.exchange)))
    if live.feed is FeedName.IB:
        return f"{name}, {live.kind.value}"
    if live.feed in (FeedName.CCXT, FeedName.ALPACA):
        return f"{name}, {live.kind.value} by {live.transport.value}"
    return f"{name}, bars of {live.interval}" if live.feed is FeedName.YAHOO else name or "given"


def _venue(config: Config) -> str:
    venue = config.venue
    name = ":".join(filter(None, (venue.name.value, venue.exchange)))
    return f"{plain(name)} ({'its sandbox' if venue.sandbox else 'REAL MONEY'})"


def _home(session: Session) -> Path:
    return session.folder.home or paths.home()
