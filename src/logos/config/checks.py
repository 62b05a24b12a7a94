"""Refuse what has the right type and still makes no sense, or would be unsafe.

Each function looks at one part of the settings and answers with texts, one for each thing that
is wrong; none raises. Limits that contradict each other are refused because one of them never
acts, while its author believes that it does.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from logos.config.actions import problems_of
from logos.config.limits import live_problems, sends_real_orders
from logos.config.settings import Config, RiskLimits, TotalLimits
from logos.config.tables.alert_rules import alert_problems
from logos.config.tables.disk import DISK, disk_problems
from logos.config.tables.kafka_options import kafka_problems
from logos.config.tables.live import FeedKind, FeedName, LiveSettings, VenueName
from logos.config.tables.log import LOG, log_problems
from logos.config.terms.coordinator import coordinator_problems
from logos.config.terms.payments import payment_problems
from logos.config.terms.shards import shard_problems
from logos.secrecy import looks_like_key

_FEE_DECIMALS_MAX: Final = 18
_BAR_DAYS_MAX: Final = 366
ALPACA_SOURCES: Final = ("iex", "sip", "delayed_sip")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_EXCHANGE: Final = re.compile(r"[a-z0-9_]+")
_SCHEMES: Final = ("https", "http", "wss", "ws", "tcp")
_LOOPBACK: Final = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_ABOVE_ZERO: Final = (
    "poll_interval_ms",
    "heartbeat_ms",
    "inbox_size",
    "reconcile_every_s",
    "drain_timeout_s",
    "max_clock_skew_ms",
)

_FROM_NOTHING: Final = "with no position such an order is always refused"
PAIRS: Final = (
    ("max_order_quantity", False, "max_position", _FROM_NOTHING),
    ("max_order_notional", True, "max_gross_exposure", _FROM_NOTHING),
    ("max_open_orders", True, "max_open_orders", "so many orders are never open"),
)
"""A limit, and the one of the same table or of `[risk.total]` that it may not be above."""


def check_values(config: Config, *, has_all_limits: bool = True) -> list[str]:
    """Everything that makes no sense, a text each.

    `has_all_limits`: False when a limit could not be read, so that none is called missing.
    """
    problems = [
        *_check_session(config),
        *_check_prices(config),
        *_check_limits(config),
        *_check_money(config),
        *_check_actions(config),
        *_check_hours(config),
        *_check_negative(config),
        *_check_inverse(config),
        *payment_problems(config),
        *coordinator_problems(config),
        *shard_problems(config),
        *_check_contradictions(config),
        *_check_venue(config),
        *_check_live(config),
        *disk_problems(config.disk or DISK),
        *log_problems(config.log or LOG),
        *_check_ship(config),
        *([] if config.alerts is msgspec.UNSET else alert_problems(config.alerts)),
    ]
    if sends_real_orders(config) and has_all_limits:
        problems += live_problems(config)
    return problems


def _check_session(config: Config) -> list[str]:
    paper = config.paper
    problems = []
    if config.session.seed is not None and config.session.seed < 0:
        problems.append("session.seed must be 0 or more")
    if config.session.sample_interval_s < 0:
        problems.append("session.sample_interval_s must be 0 or more")
    for symbol, times in Counter(config.data.symbols).items():
        if times > 1:
            problems.append(f"data.symbols names {symbol!r} {times} times; keep one")
    if not 0 <= paper.participation <= 1:
        problems.append("paper.participation is a share from 0 to 1")
    if paper.slippage_ticks < 0 or paper.slippage_bps < 0 or paper.latency_ms < 0:
        problems.append("paper.slippage_ticks, slippage_bps and latency_ms must be 0 or more")
    if config.switch.on_engaged not in ("halt", "block"):
        problems.append("switch.on_engaged is 'halt' or 'block'")
    return problems


def _check_prices(config: Config) -> list[str]:
    """Which prices of the paper market count, and what splits and dividends there are."""
    bands = [("paper.band", config.paper.band)]
    bands += [
        (f"instruments.{symbol}.band", each.band)
        for symbol, each in config.instruments.items()
        if each.band is not None
    ]
    problems = [
        f"{name} is a fraction from 0 (any price counts) to below 1, not {band}"
        for name, band in bands
        if not 0 <= band < 1
    ]
    for symbol, each in config.instruments.items():
        problems += problems_of(symbol, each)
    age_s = config.paper.stale_after_s
    if age_s is not None and age_s < 0:
        problems.append(f"paper.stale_after_s must be 0 (any age) or more, not {age_s}")
    return problems


def _check_limits(config: Config) -> list[str]:
    problems = []
    tables: list[tuple[str, RiskLimits | TotalLimits]] = [
        ("risk", config.risk),
        ("risk.total", config.risk.total),
        *_symbols_limits(config),
    ]
    for name, limits in tables:
        for field in msgspec.structs.fields(limits):
            value = getattr(limits, field.name)
            if isinstance(value, (int, Decimal)) and value < 0:
                problems.append(f"{name}.{field.name} must be 0 (none) or more, not {value}")
    for key in ("max_orders", "max_refusals"):
        total = config.risk.total
        if getattr(total, key) != 0 and not getattr(total, f"{key}_window_s"):
            problems.append(f"risk.total.{key} needs a {key}_window_s above 0")
    return problems


def _check_money(config: Config) -> list[str]:
    problems = []
    for asset, balance in (*config.account.balances.items(), *config.account.borrow.items()):
        if balance < 0:
            problems.append(f"account: {asset} must be 0 or more, not {balance}")
    if config.orders.cap_notional < 0:
        problems.append("orders.cap_notional must be 0 (none) or more")
    for symbol, each in (("", config.orders), *config.orders.symbols.items()):
        if each.quantity is not None and each.quantity <= 0:
            name = f"orders.symbols.{symbol}" if symbol else "orders"
            problems.append(f"{name}.quantity must be above 0, not {each.quantity}")
    for currency, rate in config.account.rates.items():
        if rate <= 0:
            problems.append(f"account.rates.{currency} must be above 0, not {rate}")
    for symbol, settings in config.instruments.items():
        fees = settings.fees
        for key in ("per_unit", "per_fill", "minimum"):
            if getattr(fees, key) < 0:
                problems.append(
                    f"instruments.{symbol}.fees.{key} must be 0 or more; a rebate is a maker or "
                    "taker rate below 0"
                )
        for key in ("maker", "taker"):
            if getattr(fees, key) <= -1:
                problems.append(f"instruments.{symbol}.fees.{key} must be above -1 (100 %)")
        if not 0 <= fees.decimals <= _FEE_DECIMALS_MAX:
            problems.append(f"instruments.{symbol}.fees.decimals: 0 to {_FEE_DECIMALS_MAX}")
    if config.account.rates and not config.account.report_in:
        problems.append("account.rates needs account.report_in, the currency they convert to")
    return problems


def _check_negative(config: Config) -> list[str]:
    """What goes with prices of zero and less, and what does not."""
    problems = []
    for symbol, each in config.instruments.items():
        name = f"instruments.{symbol}.allow_negative_prices"
        if not each.allow_negative_prices:
            continue
        if each.settlement == "spot":
            problems.append(f"{name}: an asset changes hands at a price above 0; set settlement")
        if each.band:
            problems.append(f"{name}: leave band out: it is a fraction of the price")
        if each.splits:
            problems.append(f"{name}: a split divides a price above 0; take splits out")
        if config.venue.live:
            problems.append(f"{name} is for the paper market; take it out")
    return problems


def _check_inverse(config: Config) -> list[str]:
    """Contracts that are settled in the coin: what goes with them, and what does not."""
    problems = []
    for symbol, each in config.instruments.items():
        if each.settlement != "inverse":
            continue
        name = f"instruments.{symbol}.settlement: an inverse contract"
        if each.allow_negative_prices:
            problems.append(f"{name} has no price of zero; take allow_negative_prices out")
        if each.splits or each.dividends:
            problems.append(f"{name} has neither splits nor dividends; take them out")
        if config.venue.live or config.live.feed is not FeedName.NONE:
            problems.append(f"{name} is for recorded data and the paper market")
    return problems


def _check_actions(config: Config) -> list[str]:
    """Splits and dividends are said once."""
    return [
        f"instruments.{symbol}.actions: leave splits and dividends out: the file has them"
        for symbol, each in config.instruments.items()
        if each.actions and not each.actions_sha256 and (each.splits or each.dividends)
    ]


def _check_hours(config: Config) -> list[str]:
    """What says when an instrument trades must say it once."""
    problems = []
    for symbol, each in config.instruments.items():
        name = f"instruments.{symbol}"
        if each.calendar and (each.hours or each.timezone):
            problems.append(f"{name}.calendar: leave hours and timezone out: the calendar has them")
        elif each.timezone and not each.hours:
            problems.append(f"{name}.timezone is that of hours; set hours, or leave it out")
        elif each.sessions and each.hours and not each.timezone:
            problems.append(f"{name}.sessions: leave hours out: sessions take their place")
        if not 0 <= (each.bar_days or 0) <= _BAR_DAYS_MAX:
            problems.append(f"{name}.bar_days is a number of days from 0 to {_BAR_DAYS_MAX}")
    return problems


def _check_contradictions(config: Config) -> list[str]:
    """Limits of which one makes the other meaningless. 0 is no limit, and contradicts none."""
    total = config.risk.total
    tables = [("risk", config.risk), *_symbols_limits(config)]
    problems = []
    for key, is_total, other, why in PAIRS:
        told = None
        for name, limits in tables:
            value, most = getattr(limits, key), getattr(total if is_total else limits, other)
            # What a symbol has from [risk] is reported there, once.
            if 0 < (most or 0) < (value or 0) and told != (value, most):
                problems.append(
                    f"{name}.{key} ({value}) is above {'risk.total' if is_total else name}.{other} "
                    f"({most}): {why}; lower it to {most} or less"
                )
            told = (value, most) if name == "risk" else told
    if 0 < total.max_gross_exposure < total.max_net_exposure:
        problems.append(
            f"risk.total.max_net_exposure ({total.max_net_exposure}) is above "
            f"risk.total.max_gross_exposure ({total.max_gross_exposure}): net is never more than "
            "gross, so the limit never acts; lower it, or set it to 0"
        )
    return problems


def _symbols_limits(config: Config) -> list[tuple[str, RiskLimits]]:
    return [(f"risk.symbols.{symbol}", each) for symbol, each in config.risk.symbols.items()]


def _check_venue(config: Config) -> list[str]:
    venue = config.venue
    problems = _check_exchange("venue", venue.exchange, venue.name is VenueName.CCXT)
    problems += _check_url("venue.url", venue.url, in_private=venue.live)
    if venue.share is not msgspec.UNSET:
        if venue.name is not VenueName.ALPACA:
            problems.append('venue.share is for venue.name = "alpaca" only; take it out')
        elif not 0 < venue.share <= 100:
            problems.append(f"venue.share must be from 1 to 100 percent, not {venue.share}")
    if venue.account and venue.name is not VenueName.CCXT:
        problems.append('venue.account is for venue.name = "ccxt" only; take it out')
    elif venue.account and not _ACCOUNT.fullmatch(venue.account):
        problems.append("venue.account: letters, digits, - and _, 64 at most; any name will do")
    if venue.live and venue.name is VenueName.PAPER:
        problems.append(
            "venue.live: the paper venue has no live orders; set venue.name, or leave --live out"
        )
    if venue.url and venue.name is VenueName.PAPER:
        problems.append("venue.url: the paper venue has no address; set venue.name, or take it out")
    return problems


def _check_live(config: Config) -> list[str]:
    live = config.live
    if live.feed is FeedName.ALPACA:
        problems = []
        if live.exchange not in ("", *ALPACA_SOURCES):
            known = ", ".join(ALPACA_SOURCES)
            problems.append(f"live.exchange: Alpaca's feeds of shares are {known}")
    elif live.feed is FeedName.IB:
        problems = _check_ib_feed(live)
    else:
        problems = _check_exchange("live", live.exchange, live.feed is FeedName.CCXT)
    problems += _check_url("live.url", live.url, in_private=live.feed is FeedName.ALPACA)
    for key in _ABOVE_ZERO:
        if getattr(live, key) <= 0:
            problems.append(f"live.{key} must be above 0, not {getattr(live, key)}")
    kafka = live.kafka
    if kafka is not msgspec.UNSET:
        problems += kafka_problems(kafka, "live.kafka")
    if live.feed is FeedName.KAFKA and (kafka is msgspec.UNSET or not kafka.topics):
        problems.append('live.feed is "kafka": name brokers and topics in [live.kafka]')
    if live.speed < 0:
        problems.append(f"live.speed must be 0 (at once) or more, not {live.speed}")
    if live.stop_after_s < 0:
        problems.append(f"live.stop_after_s must be 0 (never) or more, not {live.stop_after_s}")
    return problems


def _check_ib_feed(live: LiveSettings) -> list[str]:
    problems = []
    if live.exchange not in ("", "delayed"):
        problems.append('live.exchange: of "ib" it is "delayed", or empty for live data')
    elif live.exchange and live.kind is not FeedKind.QUOTES:
        problems.append('live.exchange is "delayed": such data has quotes only; set live.kind')
    return problems


def _check_ship(config: Config) -> list[str]:
    if config.ship is msgspec.UNSET or not config.ship.kafka.brokers:
        return []
    return kafka_problems(config.ship.kafka, "ship.kafka")


def _check_exchange(table: str, exchange: str, is_needed: bool) -> list[str]:
    if is_needed and not exchange:
        return [f'{table}.exchange is empty: ccxt needs the exchange\'s id, such as "kraken"']
    if exchange and not is_needed:
        which = "venue.name" if table == "venue" else "live.feed"
        return [f'{table}.exchange is for {which} = "ccxt" only; take it out']
    if exchange and not _EXCHANGE.fullmatch(exchange):
        return [f"{table}.exchange: not a ccxt id: {exchange!r}; ids are lower case, like kraken"]
    return []


def _check_url(name: str, url: str, *, in_private: bool) -> list[str]:
    """What is wrong with an address. It is not repeated: it may hold a password.

    `in_private`: keys and orders travel there, so nobody on the way may read them.
    """
    if not url:
        return []
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), ""
    if parts.scheme not in _SCHEMES or not host:
        return [f"{name}: not an address; write it like https://127.0.0.1:8080 ({_words()})"]
    if parts.username is not None or parts.query or parts.fragment:
        return [
            f"{name} may hold neither a user and password nor a query: settings are written to "
            "the session's folder; keys belong in the environment or .env"
        ]
    if any(looks_like_key(part) for part in parts.path.split("/")):
        return [
            f"{name} holds what looks like a key: settings are written to the session's folder; "
            "keys belong in the environment or .env"
        ]
    if in_private and parts.scheme in ("http", "ws") and not _LOOPBACK.fullmatch(host):
        return [f"{name}: orders and keys would travel unencrypted; use https or wss"]
    return []


def _words() -> str:
    return ", ".join(_SCHEMES)
