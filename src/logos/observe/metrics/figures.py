"""From what one session wrote to the samples of its metrics.

The heartbeat says that it lives and how it stands with the switch; `<session>.metrics.json` has its
figures. That file is decoded into the structs below, which name what is needed and no more: a
field that a later version adds is passed over, and one that a file lacks is an error that the page
counts, not a figure of 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec

from logos.core.types import NS_PER_SECOND
from logos.feeds.contract import FeedState
from logos.files import read_whole
from logos.observe.metrics.samples import Samples
from logos.session.presence.heartbeat import Heartbeat, PermitStands

SCHEMA: Final = 1
"""Of the figures' file; one with another number is not read."""
BYTES_MAX: Final = 16 << 20

_Decimals = Annotated[int, msgspec.Meta(ge=0, le=40)]

_FEED_STATES: Final = tuple(state.value for state in FeedState)


class _Risk(msgspec.Struct, frozen=True):
    currencies: list[_Currency]
    symbols: list[_Symbol]
    guards: list[_Guard]


class _Currency(msgspec.Struct, frozen=True):
    currency: str
    equity_units: int
    realised_units: int
    fees_units: int
    unrealised_units: int
    payments_units: int
    gross_exposure_units: int
    net_exposure_units: int
    drawdown_units: int
    max_drawdown_units: int
    day_profit_units: int
    money_decimals: _Decimals


class _Symbol(msgspec.Struct, frozen=True):
    symbol: str
    currency: str
    position_units: int
    mark_units: int
    value_units: int
    realised_units: int
    unrealised_units: int
    fees_units: int
    price_age_ns: int
    quantity_decimals: _Decimals
    mark_decimals: _Decimals
    money_decimals: _Decimals


class _Guard(msgspec.Struct, frozen=True):
    guard: str
    subject: str
    used_units: int
    limit_units: int


class _Trades(msgspec.Struct, frozen=True):
    name: str
    orders: int
    answered: int
    fills: int
    trades: int
    wins: int
    losses: int
    latency_sum_ns: int


class _Disk(msgspec.Struct, frozen=True):
    syncs: int
    sync_ns: int


class _Market(msgspec.Struct, frozen=True):
    conflated: int


class _Feed(msgspec.Struct, frozen=True):
    feed: str
    symbol: str
    state: str


class _Latency(msgspec.Struct, frozen=True):
    count: int
    sum_ns: int
    buckets: list[tuple[int, int]]


class _Version(msgspec.Struct, frozen=True):
    schema: int


class FiguresFile(msgspec.Struct, frozen=True):
    """What is needed of a session's figures. Times are nanoseconds since 1970 UTC."""

    session_id: str
    mode: str
    is_live: bool
    pid: int
    written_ns: int
    exit_code: int
    """-1 while it runs."""
    ticks: int
    orders: int
    fills: int
    blocked: int
    warnings: int
    refusals: dict[str, int]
    guards: dict[str, int]
    risk: _Risk
    journal: _Disk
    inputs: _Disk | None
    market: _Market | None
    feeds: list[_Feed]
    latency: dict[str, _Latency]
    overruns: int
    stalls: int
    symbols: list[_Trades]

    @property
    def mode_word(self) -> str:
        """As the metrics name it: recorded, paper or live."""
        return mode_of(is_live=self.is_live, is_real=self.mode == "live")


def mode_of(*, is_live: bool, is_real: bool) -> str:
    """recorded data, or live data with orders on paper or to a venue."""
    return "live" if is_real else "paper" if is_live else "recorded"


def read_figures(path: Path, session_id: str) -> FiguresFile | None:
    """The figures at `path`; None where there is no file. Raises OSError for what cannot be read,
    ValueError for what is not the figures of `session_id` as this version writes them."""
    try:
        content = read_whole(path, BYTES_MAX)
    except FileNotFoundError:
        return None
    try:
        schema = msgspec.json.decode(content, type=_Version).schema
        if schema != SCHEMA:
            raise ValueError(f"{path}: schema {schema}, and this version reads {SCHEMA}")
        figures = msgspec.json.decode(content, type=FiguresFile)
    except RecursionError as error:
        raise ValueError(f"{path}: {error}") from None
    if figures.session_id != session_id:
        raise ValueError(f"{path}: it is of session {figures.session_id!r}")
    return figures


def add_heartbeat(samples: Samples, beat: Heartbeat, now_ns: int, *, runs: bool) -> None:
    """What the heartbeat says. What ages or waits is told only of a session that `runs`."""
    age_s = max(0.0, beat.age_s(now_ns))
    samples.add("logos_heartbeat_timestamp_seconds", beat.written_ns / NS_PER_SECOND)
    if runs:
        samples.add("logos_heartbeat_age_seconds", age_s)
    samples.add("logos_user_code_stuck", bool(beat.stuck))
    samples.add("logos_session_switch_epoch", beat.epoch)
    samples.add("logos_session_blocked", beat.blocked)
    samples.add("logos_session_drained", beat.drained)
    if runs and beat.permit is not None:
        _add_permit(samples, beat.permit, age_s)
    if not beat.switch:
        return  # it has met no event yet: its figures are still those of nothing
    samples.add("logos_session_suspended", beat.suspended)
    for symbol in beat.symbols:
        samples.add("logos_symbol_paused", symbol in beat.paused, symbol)
    samples.add("logos_open_orders", beat.open_orders)
    samples.add("logos_venue_differences", beat.differences)
    if runs and beat.is_live:
        samples.add("logos_inbox_events", beat.waiting)
        samples.add("logos_inbox_events_peak", beat.peak_waiting)
        if beat.market_age_ns >= 0:
            age_s += beat.market_age_ns / NS_PER_SECOND
            samples.add("logos_feed_age_seconds", age_s)


def _add_permit(samples: Samples, permit: PermitStands, age_s: float) -> None:
    """The permit of its fleet, as it stands `age_s` seconds after the heartbeat told of it."""
    samples.add("logos_fleet_epoch", permit.epoch, permit.fleet)
    left_s = permit.left_ns / NS_PER_SECOND
    # A session that is well renews it meanwhile: only what was left counts as it was told.
    samples.add("logos_fleet_permit_left_seconds", max(0.0, left_s), permit.fleet)
    if permit.left_ns:
        read_s = permit.ttl_ns / NS_PER_SECOND - left_s
        samples.add("logos_fleet_permit_age_seconds", max(0.0, read_s) + age_s, permit.fleet)


def add_figures(samples: Samples, figures: FiguresFile, now_ns: int, *, runs: bool) -> None:
    """What the figures' file says. Ages are told only of a session that `runs` on live data."""
    samples.add("logos_ticks_total", figures.ticks)
    samples.add("logos_blocked_total", figures.blocked)
    samples.add("logos_warnings_total", figures.warnings)
    for code, count in sorted(figures.refusals.items()):
        samples.add("logos_refusals_total", count, code)
    for code, count in sorted(figures.guards.items()):
        samples.add("logos_guard_actions_total", count, code)
    if not runs and figures.exit_code >= 0:
        samples.add("logos_session_exit_code", figures.exit_code)
    _add_trades(samples, figures)
    for currency in figures.risk.currencies:
        _add_currency(samples, currency)
    written_s = max(0.0, (now_ns - figures.written_ns) / NS_PER_SECOND)
    for symbol in figures.risk.symbols:
        _add_symbol(samples, symbol)
        if runs and figures.is_live and symbol.price_age_ns >= 0:
            age_s = symbol.price_age_ns / NS_PER_SECOND + written_s
            samples.add("logos_price_age_seconds", age_s, symbol.symbol)
    for guard in figures.risk.guards:
        samples.add("logos_guard_used_ratio", _ratio(guard), guard.guard, guard.subject)
    for stage, latency in figures.latency.items():
        samples.spread(
            "logos_latency_seconds",
            latency.count,
            latency.sum_ns / NS_PER_SECOND,
            stage,
            buckets=((bound / NS_PER_SECOND, count) for bound, count in latency.buckets),
        )
    if figures.market is not None:
        samples.add("logos_quotes_conflated_total", figures.market.conflated)
        samples.add("logos_loop_overruns_total", figures.overruns)
        samples.add("logos_loop_stalls_total", figures.stalls)
    for name, disk in (("journal", figures.journal), ("inputs", figures.inputs)):
        if disk is not None:
            seconds = disk.sync_ns / NS_PER_SECOND
            samples.spread("logos_fsync_seconds", disk.syncs, seconds, name)
    if runs:
        for feed in figures.feeds:
            name = f"{feed.feed} {feed.symbol}".strip()
            samples.one_of("logos_feed_state", _FEED_STATES, feed.state, name)


def _add_trades(samples: Samples, figures: FiguresFile) -> None:
    if not figures.symbols:  # aggregated in live sessions alone; the others count in all
        samples.add("logos_orders_total", figures.orders, "")
        samples.add("logos_fills_total", figures.fills, "")
    for each in figures.symbols:
        samples.add("logos_orders_total", each.orders, each.name)
        samples.add("logos_fills_total", each.fills, each.name)
        samples.add("logos_trades_total", each.trades, each.name)
        samples.add("logos_trades_won_total", each.wins, each.name)
        samples.add("logos_trades_lost_total", each.losses, each.name)
        seconds = each.latency_sum_ns / NS_PER_SECOND
        samples.spread("logos_order_answer_seconds", each.answered, seconds, each.name)


def _add_currency(samples: Samples, each: _Currency) -> None:
    scale = 10**each.money_decimals
    for name, units in (
        ("logos_equity", each.equity_units),
        ("logos_payments", each.payments_units),
        ("logos_day_profit", each.day_profit_units),
        ("logos_gross_exposure", each.gross_exposure_units),
        ("logos_net_exposure", each.net_exposure_units),
        ("logos_drawdown", each.drawdown_units),
        ("logos_drawdown_peak", each.max_drawdown_units),
    ):
        samples.add(name, units / scale, each.currency)


def _add_symbol(samples: Samples, each: _Symbol) -> None:
    scale = 10**each.money_decimals
    samples.add("logos_position", each.position_units / 10**each.quantity_decimals, each.symbol)
    if each.mark_units:
        samples.add("logos_mark_price", each.mark_units / 10**each.mark_decimals, each.symbol)
    for name, units in (
        ("logos_realised_profit", each.realised_units),
        ("logos_unrealised_profit", each.unrealised_units),
        ("logos_fees", each.fees_units),
        ("logos_exposure", abs(each.value_units)),
    ):
        samples.add(name, units / scale, each.symbol, each.currency)


def _ratio(guard: _Guard) -> float:
    """1 is the limit itself; infinite where nothing is allowed and something is used."""
    if guard.limit_units > 0:
        return max(0.0, guard.used_units / guard.limit_units)
    return float("inf") if guard.used_units > 0 else 0.0
