"""The dry run at Alpaca: what its answers say of keys, the account and the assets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from logos.config.proved import unproved_pair
from logos.core.fixed import to_decimal
from logos.core.instrument import Instrument
from logos.venues.contract import CheckLine
from logos.venues.records import Unreadable, decimal_of, is_record
from logos.venues.rules import MarketRules, compare_rules

_BLOCKS = ("trading_blocked", "account_blocked", "trade_suspended_by_user")
_CENT = Decimal("0.01")
_COIN_DECIMALS = 9
_RATE_DECIMALS = 4
"""Fees are in hundredths of a per cent (docs.alpaca.markets/docs/crypto-fees)."""


def key_line(key: str, secret: str, sandbox: bool) -> CheckLine:
    """Whether there are credentials, and for the kind of account that is configured.

    Keys of paper accounts begin with "PK", those of live accounts with "AK".
    """
    if not key or not secret:
        words = "no key or no secret: set APCA_API_KEY_ID and APCA_API_SECRET_KEY in .env"
        return CheckLine("credentials", False, words)
    if sandbox and key.startswith("AK"):
        return CheckLine("credentials", False, "the key is of a live account, the venue is paper")
    if not sandbox and key.startswith("PK"):
        return CheckLine("credentials", False, "the key is of a paper account, the venue is live")
    return CheckLine("credentials", True, "present")


def account_lines(answer: object) -> list[CheckLine]:
    """Whether the account is active and may trade."""
    if not is_record(answer):
        return [CheckLine("account", False, "the answer holds no account")]
    status = str(answer.get("status"))
    lines = [CheckLine("account", status == "ACTIVE", f"{status.lower()[:40]}")]
    blocks = [name for name in _BLOCKS if answer.get(name) is not False]
    words = f"{', '.join(blocks)}: see the account's page at Alpaca" if blocks else "may trade"
    lines.append(CheckLine("permissions", not blocks, words))
    return lines


def asset_lines(instrument: Instrument, asset: object) -> list[CheckLine]:
    """Alpaca's rules of an asset against the session's."""
    symbol = instrument.symbol
    if not is_record(asset):
        return [CheckLine(f"{symbol} market", False, "Alpaca has no such asset")]
    is_tradable = asset.get("tradable") is True and asset.get("status") == "active"
    words = "tradable" if is_tradable else "not tradable at Alpaca"
    lines = [CheckLine(f"{symbol} market", is_tradable, words)]
    try:
        if asset.get("class") == "crypto":
            words = unproved_pair(str(asset.get("symbol")))
            lines.append(CheckLine(f"{symbol} adapter", not words, words or "proved"))
            lines.append(_fee_line(instrument))
            return lines + compare_rules(instrument, _coin_rules(asset))
    except Unreadable as error:
        return [*lines, CheckLine(f"{symbol} tick", False, str(error))]
    return lines + _share_lines(instrument, asset)


def _fee_line(instrument: Instrument) -> CheckLine:
    """Whether the session counts a coin finely enough for the fees that Alpaca takes of it."""
    symbol = instrument.symbol
    needed = min(_COIN_DECIMALS, instrument.quantity_decimals + _RATE_DECIMALS)
    has = max(instrument.fees.decimals, instrument.quantity_decimals)
    key = f": set instruments.{symbol}.fees.decimals = {needed}"
    words = f"fees in the coin have up to {needed} decimals" + ("" if has >= needed else key)
    return CheckLine(f"{symbol} fees", has >= needed, words)


def _coin_rules(asset: Mapping[str, Any]) -> MarketRules:
    return MarketRules(
        tick=decimal_of(asset.get("price_increment"), "price_increment"),
        lot=decimal_of(asset.get("min_trade_increment"), "min_trade_increment"),
        min_quantity=decimal_of(asset.get("min_order_size"), "min_order_size"),
    )


def _share_lines(instrument: Instrument, asset: Mapping[str, Any]) -> list[CheckLine]:
    """Shares: cents from one dollar on, whole shares unless the asset is fractionable."""
    symbol = instrument.symbol
    tick = to_decimal(instrument.tick, instrument.price_decimals)
    is_cent = tick % _CENT == 0
    words = f"{tick}" + ("" if is_cent else ": orders from 1 dollar on are refused below a cent")
    lines = [CheckLine(f"{symbol} tick", is_cent, words)]
    is_whole = instrument.lot % instrument.quantity_scale == 0
    may_split = asset.get("fractionable") is True
    lot = to_decimal(instrument.lot, instrument.quantity_decimals)
    words = f"{lot}" + ("" if is_whole or may_split else f': set instruments.{symbol}.lot = "1"')
    lines.append(CheckLine(f"{symbol} lot", is_whole or may_split, words))
    may_short = asset.get("shortable") is True
    words = "may be sold short" if may_short else "may not be sold short"
    lines.append(CheckLine(f"{symbol} shorts", True, words))
    return lines
