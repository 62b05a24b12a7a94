"""A core that trades where fees are taken in the traded asset, and what it owns."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from logos.audit.auditor import AuditReport, Terms, audit
from logos.core.engine import TradingCore
from logos.core.fixed import format_units, parse_units
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Report
from logos.core.records import GuardRecord, Record
from logos.core.strategy import Answer, market
from logos.core.types import Code, ReportKind, Side
from logos.session.artifacts.tables import ArtifactWriter
from logos.testing.builders import Scripted, quote
from logos.testing.venue_core import venue_core

COIN = instrument("COIN", tick="0.01", lot="0.001", quote="USD")
FINE = instrument("COIN-FINE", base="COIN", tick="0.01", lot="0.00000001", quote="EUR")
"""Traded besides, so that the wallet of COIN counts in eight decimals, as at an exchange."""
PERP = instrument("PERP", tick="0.01", lot="0.001", quote="USD", settlement="margin", leverage=5)

BUY = market(Side.BUY, 2)


def trading(script: dict[int, Answer], traded: Instrument = COIN, **how: Any) -> TradingCore:
    """A core that has started; every event of `told` asks the script once more."""
    core = venue_core(Scripted(script), traded, FINE, **how)
    core.start(1)
    return core


def told(core: TradingCore, ts_ns: int, traded: Instrument = COIN) -> list[Record]:
    """The records of a quote at 10.00 to 10.01."""
    core.run([quote(traded, ts_ns, "10.00", "10.01")])
    return core.take_effects()


def filled(
    core: TradingCore,
    order: int,
    quantity: str,
    price: str,
    base_fee: str = "0",
    fee: str = "0",
) -> list[Record]:
    """The records of a fill of the order of that number."""
    book = core.order_manager.states["PERP" if "PERP" in core.order_manager.states else "COIN"]
    traded = book.instrument
    core.run(
        [
            Report(
                core.order_manager.now_ns,
                ReportKind.FILLED,
                f"test-{order}",
                "",
                parse_units(quantity, traded.quantity_decimals),
                parse_units(price, traded.price_decimals),
                parse_units(fee, book.ledger.decimals),
                False,
                f"F{core.order_manager.fill_count}",
                parse_units(base_fee, book.base_wallet.decimals),
            )
        ]
    )
    return core.take_effects()


def balances(core: TradingCore) -> tuple[Decimal, Decimal]:
    """What the wallets gained since the start, COIN and USD."""
    found = {
        wallet.asset: Decimal(format_units(wallet.balance - wallet.initial, wallet.decimals))
        for wallet in core.order_manager.account.wallets
    }
    return found["COIN"], found["USD"]


def position(core: TradingCore) -> str:
    book = core.order_manager.states["COIN"]
    return book.instrument.quantity_text(book.inventory.position)


def guards(records: Sequence[Record]) -> list[tuple[Code, str]]:
    return [(each.code, each.detail) for each in records if isinstance(each, GuardRecord)]


def audited(records: Sequence[Record], core: TradingCore, folder: Path) -> AuditReport:
    units = {symbol: book.unit_value for symbol, book in core.order_manager.states.items()}
    writer = ArtifactWriter(folder, units)
    writer.write(records)
    writer.close()
    terms = {
        "COIN": Terms("COIN", "USD", Fraction(1), "spot"),
        "COIN-FINE": Terms("COIN", "EUR", Fraction(1), "spot"),
    }
    return audit(folder / "trades.csv", terms, {"USD": "1000000"})
