"""The dry run of a ccxt exchange: what its answers say of credentials, clock, rules and rights."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import ccxt.async_support as ccxt

from logos.adapters.ccxt.connection import private_urls
from logos.config.proved import unproved_exchange
from logos.core.instrument import Instrument
from logos.venues.contract import CheckLine
from logos.venues.rules import MarketRules, clock_line, compare_rules, names_lines


def missing_credentials(exchange: Any) -> list[str]:
    """What the exchange wants for signing and has not been given, by ccxt's names."""
    needed = exchange.requiredCredentials.items()
    return [name for name, is_needed in needed if is_needed and not getattr(exchange, name)]


def environment_lines(exchange: Any, sandbox: bool) -> list[CheckLine]:
    """Where orders would go, and whether this adapter has been proved there."""
    hosts = ", ".join(sorted({urlsplit(url).netloc for url in private_urls(exchange)}))
    words = "sandbox" if sandbox else "LIVE: orders are real"
    lines = [CheckLine("environment", True, f"{words}; orders would go to {hosts}")]
    if reason := unproved_exchange(exchange.id):
        lines.append(CheckLine("adapter", False, reason))
    return lines


def time_line(before_ns: int, answer: object, after_ns: int, skew_ns_max: int) -> CheckLine:
    """The exchange's clock (milliseconds) against ours before and after the question."""
    if not isinstance(answer, int):
        return CheckLine("clock", False, "the exchange's time cannot be read")
    return clock_line(before_ns, answer * 1_000_000, after_ns, skew_ns_max)


def market_lines(
    instrument: Instrument, market: Mapping[str, Any], precision_mode: int
) -> list[CheckLine]:
    """The exchange's rules of a market against the session's."""
    symbol = instrument.symbol
    is_active = market.get("active") is not False
    words = "open for trading" if is_active else "not open for trading at the exchange"
    lines = [CheckLine(f"{symbol} market", is_active, f"{market['symbol']}: {words}")]
    lines += names_lines(instrument, str(market["base"]), str(market["quote"]))
    if precision_mode != ccxt.TICK_SIZE:
        words = "the exchange counts digits, not steps: compare tick and lot by hand"
        return [*lines, CheckLine(f"{symbol} tick", False, words)]
    limits, precision = market["limits"], market["precision"]
    rules = MarketRules(
        tick=_optional(precision.get("price")),
        lot=_optional(precision.get("amount")),
        min_quantity=_optional(limits["amount"].get("min")),
        min_notional=_optional(limits["cost"].get("min")),
    )
    return lines + compare_rules(instrument, rules)


def account_lines(answer: Mapping[str, Any], count: int) -> list[CheckLine]:
    """Whether balances can be read (`count` of them), and whether the key may trade."""
    lines = [CheckLine("account", True, f"balances can be read; {count} assets above zero")]
    info = answer.get("info")
    may_trade = info.get("canTrade") if isinstance(info, dict) else None
    if may_trade is None:
        words = "the exchange does not say whether this key may trade"
        return [*lines, CheckLine("permissions", True, words)]
    words = "may trade" if may_trade else "may not trade: enable spot trading for this key"
    return [*lines, CheckLine("permissions", bool(may_trade), words)]


def _optional(text: object) -> Decimal | None:
    """A rule of the market, where the exchange names one."""
    return Decimal(text) if isinstance(text, str) and Decimal(text) > 0 else None
