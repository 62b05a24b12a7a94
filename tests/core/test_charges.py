"""What a venue charges behind its fills, in the core and for the auditor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from logos.audit.money.payments import PaymentAudit
from logos.audit.samples import make_auditor
from logos.config import make_config
from logos.core.engine import TradingCore
from logos.core.instrument import instrument
from logos.core.messages import Report
from logos.core.records import GuardRecord, PaymentRecord, Record
from logos.core.types import ReportKind
from logos.session.build import build_account, make_instruments
from logos.testing.builders import Scripted, quote
from logos.testing.venue_core import venue_core

SHARE = instrument("AAPL", tick="0.01", lot="1", quote="USD")
ALPACA = {"name": "alpaca", "live": True}


def trading(is_charged: bool = True) -> TradingCore:
    core = venue_core(Scripted({}), SHARE, cash={"USD": "1000"})
    [ledger] = core.order_manager.account.ledgers
    ledger.is_charged = is_charged
    core.start(1)
    core.run([quote(SHARE, 2, "10.00", "10.01")])
    core.take_effects()
    return core


def charged(core: TradingCore, units: int, currency: str = "USD") -> list[Record]:
    """The records of a charge of so many units."""
    core.run([Report(3, ReportKind.CHARGED, currency, "of a day", fee_units=units, fill_id="f-1")])
    return core.take_effects()


def test_a_charge_is_a_payment_of_its_currency_and_lowers_equity() -> None:
    core = trading()
    [ledger] = core.order_manager.account.ledgers
    before = ledger.equity
    [record] = charged(core, 58)
    assert isinstance(record, PaymentRecord)
    assert (record.type, record.symbol, record.currency) == ("charge", "", "USD")
    assert (record.amount_units, record.payments_units) == (-58, -58)
    assert record.wallet_units == ledger.wallet.balance == before - 58
    assert ledger.equity == before - 58
    assert ledger.fees == 0
    ledger.check()


@pytest.mark.parametrize(
    ("units", "currency", "is_charged"),
    [(0, "USD", True), (-5, "USD", True), (58, "EUR", True), (58, "USD", False)],
)
def test_a_charge_that_cannot_be_books_nothing_and_stops_trading(
    units: int, currency: str, is_charged: bool
) -> None:
    core = trading(is_charged)
    records = charged(core, units, currency)
    assert not [each for each in records if isinstance(each, PaymentRecord)]
    [guard] = [each for each in records if isinstance(each, GuardRecord)]
    assert f"charge f-1 of {units} units, which cannot be" in guard.detail


@pytest.mark.parametrize(
    ("venue", "change", "words"),
    [
        (ALPACA, {}, ""),
        ({}, {}, "no venue charges a session of these settings"),
        (ALPACA, {"amount_units": 58}, "it is no cost of a currency alone"),
        (ALPACA, {"symbol": "AAPL"}, "it is no cost of a currency alone"),
        (ALPACA, {"payments_units": -59}, "payments is"),
        (ALPACA, {"wallet_units": 0}, "wallet is"),
    ],
)
def test_the_auditor_adds_a_charge_up_and_finds_one_that_cannot_be(
    venue: Mapping[str, Any], change: Mapping[str, Any], words: str
) -> None:
    config = make_config(
        {
            "instruments": {"AAPL": {"quote": "USD", "tick": "0.01", "lot": "1"}},
            "account": {"balances": {"USD": "1000"}},
            "venue": venue,
            "risk": {"max_order_notional": "1", "max_position": "1", "total": {"max_drawdown": 1}},
        }
    )
    [ledger] = build_account(config, make_instruments(config.instruments)).ledgers
    assert ledger.is_charged is bool(venue)
    record = PaymentRecord(
        3, 1, "charge", "", "USD", 0, 0, 0, -58, -58, ledger.wallet.balance - 58,
        0, 0, ledger.decimals,
    )  # fmt: skip
    found = PaymentAudit(config, make_auditor(config)).judge(
        msgspec.structs.replace(record, **change)
    )
    assert any(words in each for each in found) if words else found == []
    assert bool(found) is bool(words)
