"""Fees in the traded asset: what a session leaves behind of them, and how a venue's are read."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random

import msgspec
import pytest
from base_fee_helpers import (
    BUY,
    PERP,
    audited,
    filled,
    told,
    trading,
)

from logos.audit.auditor import Terms, audit
from logos.config import make_config
from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.messages import Report
from logos.core.records import PaperFillRecord
from logos.core.saved.state import restore_core, save_core
from logos.core.strategy import limit
from logos.core.types import ReportKind, Side
from logos.execution.order_match import base_fee_units, fee_units, unbookable_fee
from logos.session.build import build_account, build_states, make_instruments
from logos.testing.builders import fills_in
from logos.testing.venue_core import outbox_of
from logos.venues.contract import VenueFill

# ---- what it leaves behind ----


def test_the_auditor_recomputes_wallets_positions_and_fees(tmp_path: Path) -> None:
    random = Random(3)
    core = trading(
        {number: limit(random.choice(list(Side)), "2", 10) for number in range(1, 40)},
        borrow={"COIN": "1000"},
    )
    records = core.start(1)
    for number in range(1, 40):
        records += told(core, number)
        for order in list(outbox_of(core).open.values()):
            if random.random() < 0.6:
                quantity, price = random.randint(1, order.remaining), random.randint(990, 1010)
                base_fee = random.randint(0, quantity * 10**3)
                core.run(
                    [
                        Report(
                            number, ReportKind.FILLED, order.client_order_id, "", quantity,
                            price, random.choice([0, 77]), False, "F", base_fee,
                        )
                    ]
                )  # fmt: skip
                records += core.take_effects()
    found = audited(records, core, tmp_path)
    assert found.is_clean, found
    assert found.rows > 30


@pytest.mark.parametrize(
    ("was", "becomes", "column"),
    [
        (",0.00200000\n", ",0.00500000\n", "position"),
        (",0.00200000\n", ",0.00100000\n", "wallet"),
        (",0.00200000\n", ",\n", "wallet"),
        (",0.02000000,USD", ",0.01000000,USD", "fee"),
    ],
)
def test_the_auditor_sees_a_fee_that_was_changed(
    tmp_path: Path, was: str, becomes: str, column: str
) -> None:
    core = trading({1: BUY})
    records = told(core, 2) + filled(core, 1, "2", "10", base_fee="0.002")
    assert audited(records, core, tmp_path).is_clean
    path = tmp_path / "trades.csv"
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes))
    terms = {"COIN": Terms("COIN", "USD", Fraction(1), "spot")}
    found = audit(path, terms, {"USD": "1000000"})
    assert column in {each.column for each in found.differences}


def test_a_fill_without_such_a_fee_has_an_empty_cell(tmp_path: Path) -> None:
    core = trading({1: BUY})
    audited(told(core, 2) + filled(core, 1, "2", "10", fee="1"), core, tmp_path)
    head, row = (tmp_path / "trades.csv").read_text().splitlines()
    assert head.endswith(",wallet,base_fee")
    assert row.endswith(",")


def test_a_session_that_was_saved_goes_on_with_the_rest_of_the_fee() -> None:
    def begun() -> TradingCore:
        return trading({1: BUY, 2: BUY})

    core, other = begun(), begun()
    told(core, 2)
    filled(core, 1, "2", "10", base_fee="0.0004")
    outbox_of(core).take()
    restore_core(other, msgspec.json.decode(msgspec.json.encode(save_core(core))))
    assert (
        other.order_manager.states["COIN"].base_spare
        == core.order_manager.states["COIN"].base_spare
        == 60_000
    )


def test_a_record_of_before_reads_as_without_such_a_fee() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "2", "10"))
    body = msgspec.to_builtins(fill)
    del body["base_fee_units"], body["base_decimals"]
    assert msgspec.convert(body, PaperFillRecord).base_fee_units == 0


# ---- what the venue says ----


def venue_fill(fee: str, currency: str) -> VenueFill:
    return VenueFill("F1", "", "V1", "COIN", Side.BUY, 5, 1000, Decimal(fee), currency, False, 0)


@pytest.mark.parametrize(
    ("fee", "currency", "quote_units", "base_units"),
    [
        ("0.00200000", "COIN", None, 200_000),
        ("2E-3", "COIN", None, 200_000),
        ("0.00000001", "COIN", None, 1),
        ("0.000000001", "COIN", None, None),
        ("-0.002", "COIN", None, None),
        ("0.002", "BNB", None, None),
        ("0", "COIN", 0, 0),
    ],
)
def test_a_fee_in_the_asset_is_read_exactly_or_not_at_all(
    fee: str, currency: str, quote_units: int | None, base_units: int | None
) -> None:
    scales, fill = CoreView(trading({}).order_manager).symbols["COIN"], venue_fill(fee, currency)
    assert (fee_units(scales, fill), base_fee_units(scales, fill)) == (quote_units, base_units)


def test_a_margin_market_reads_no_fee_in_the_asset() -> None:
    scales = CoreView(trading({}, PERP).order_manager).symbols["PERP"]
    assert base_fee_units(scales, venue_fill("0.002", "PERP")) is None
    words = unbookable_fee(scales, venue_fill("0.002", "PERP"))
    assert "only fees in USD can be booked; let the venue" in words


@pytest.mark.parametrize(
    ("fee", "currency", "words"),
    [
        ("0.002", "BNB", "switch off there that fees are paid in BNB"),
        ("0.002", "BNB", "only fees in USD can be booked, or in COIN"),
        ("0.000000001", "COIN", "instruments.COIN.fees.decimals = 9"),
        ("1E-15", "USD", "fill F1 cost 0.000000000000001 USD: finer"),
        ("-1", "COIN", "a rebate can be booked in USD only; use an account without rebates"),
    ],
)
def test_what_cannot_be_booked_says_what_to_do(fee: str, currency: str, words: str) -> None:
    scales = CoreView(trading({}).order_manager).symbols["COIN"]
    assert words in unbookable_fee(scales, venue_fill(fee, currency))


@pytest.mark.parametrize(
    ("is_live", "fee_decimals", "decimals"), [(False, 8, 5), (True, 2, 8), (True, 12, 12)]
)
def test_a_live_session_counts_the_asset_as_finely_as_a_venue_charges_it(
    is_live: bool, fee_decimals: int, decimals: int
) -> None:
    traded = {"quote": "USDT", "base": "BTC", "tick": "0.01", "lot": "0.00001"}
    config = make_config(
        {
            "instruments": {"BTC/USDT": {**traded, "fees": {"decimals": fee_decimals}}},
            "venue": {"name": "ccxt", "exchange": "binance", "live": is_live},
            "account": {"balances": {"USDT": "1000"}},
            "risk": {
                "max_position": "1",
                "max_order_notional": "1000",
                "total": {"max_drawdown": "100", "max_daily_loss": "100"},
            },
        }
    )
    instruments = make_instruments(config.instruments)
    account = build_account(config, instruments)
    book = build_states(config, instruments, account)["BTC/USDT"]
    assert book.base_wallet.decimals == decimals
    assert book.base_factor == 10 ** (decimals - 5)
