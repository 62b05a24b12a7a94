"""What the simulated gateway lists: contracts, their price rules, and how they look in answers.

Source of the layouts: `Decoder.contractDetails`, `Decoder.position` and `Decoder.marketRule` of
ib-api-reloaded/ib_async (`ib_async/decoder.py`, server version 164 and later); the figures of
AAPL: ThomasMarcelis/ibkr-go, `testdata/transcripts/grounded_contract_details_aapl.txt`, recorded
from a gateway. A market rule is a list of low edges, each with the increment from there on:
interactivebrokers.github.io/tws-api/minimum_increment.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

CONTRACT_FIELDS: Final = (
    "con_id",
    "symbol",
    "sec_type",
    "last_trade_date",
    "strike",
    "right",
    "multiplier",
    "exchange",
    "primary_exchange",
    "currency",
    "local_symbol",
    "trading_class",
)
"""A contract in a request, in this order: `Client.send` of ib_async."""

SMART: Final = "SMART"


@dataclass(frozen=True, slots=True)
class Listing:
    """One contract. `rules` are the steps of its price: (from this price on, increment)."""

    con_id: int
    symbol: str
    sec_type: str = "STK"
    currency: str = "USD"
    primary_exchange: str = "NASDAQ"
    exchange: str = SMART
    local_symbol: str = ""
    trading_class: str = "NMS"
    multiplier: str = ""
    last_trade_date: str = ""
    long_name: str = ""
    min_tick: str = "0.01"
    rule_id: int = 26
    rules: Sequence[tuple[str, str]] = (("0.0", "0.01"),)
    min_size: str = "1"
    size_increment: str = "1"
    price_magnifier: int = 1
    order_types: str = "ACTIVETIM,AD,ADJUST,LMT,MKT,STP,STPLMT"

    def conforms(self, price: Decimal) -> bool:
        """Whether a price stands on the steps of the rule."""
        increment = Decimal(self.min_tick)
        for edge, step in self.rules:
            if price >= Decimal(edge):
                increment = Decimal(step)
        return price % increment == 0

    def answers(self, asked: dict[str, str]) -> bool:
        """Whether a request names this contract: by its id, or by all that it says."""
        if asked["con_id"] not in ("", "0"):
            return asked["con_id"] == str(self.con_id)
        return (
            asked["symbol"] == self.symbol
            and asked["sec_type"] == self.sec_type
            and asked["exchange"] in ("", self.exchange, self.primary_exchange)
            and asked["currency"] in ("", self.currency)
            and asked["primary_exchange"] in ("", self.primary_exchange)
            and asked["local_symbol"] in ("", self.local_symbol or self.symbol)
            and self.last_trade_date.startswith(asked["last_trade_date"])
        )

    def short(self, exchange: str, *, is_order: bool = False) -> list[object]:
        """The contract as it stands in openOrder (`is_order`), execDetails and position."""
        return [
            self.con_id,
            self.symbol,
            self.sec_type,
            self.last_trade_date,
            *(("0", "?") if is_order else ("0.0", "")),
            self.multiplier,
            exchange,
            self.currency,
            self.local_symbol or self.symbol,
            self.trading_class,
        ]

    def details(self, request_id: str) -> list[object]:
        """The answer to a question about the contract."""
        return [
            10,
            request_id,
            self.symbol,
            self.sec_type,
            self.last_trade_date,
            "0",
            "",
            self.exchange,
            self.currency,
            self.local_symbol or self.symbol,
            self.trading_class,
            self.trading_class,
            self.con_id,
            self.min_tick,
            self.multiplier,
            self.order_types,
            f"{self.exchange},{self.primary_exchange}",
            self.price_magnifier,
            "0",
            self.long_name or self.symbol,
            self.primary_exchange,
            self.last_trade_date[:6],
            *("Technology", "Computers", "Computers"),
            "US/Eastern",
            *("", ""),
            *("", "0"),
            "0",
            "1",
            *("", ""),
            f"{self.rule_id},{self.rule_id}",
            self.last_trade_date,
            "COMMON" if self.sec_type == "STK" else "",
            *(self.min_size, self.size_increment, self.size_increment),
        ]

    def market_rule(self) -> list[object]:
        """The answer about its steps of price."""
        steps = [figure for step in self.rules for figure in step]
        return [93, self.rule_id, len(self.rules), *steps]


APPLE: Final = Listing(265598, "AAPL", long_name="APPLE INC")
"""As a gateway lists it."""
TESLA: Final = Listing(76792991, "TSLA", long_name="TESLA INC")


@dataclass(slots=True)
class Quote:
    """The market of one contract."""

    bid: Decimal
    ask: Decimal
    bid_size: Decimal = Decimal(300)
    ask_size: Decimal = Decimal(400)
    last: Decimal | None = None
    last_size: Decimal = Decimal(100)
