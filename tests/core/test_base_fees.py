"""Fees that a venue takes in the traded asset: the wallets to the last digit, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.audit.auditor import AuditReport, Terms, audit
from logos.config import make_config
from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.fixed import format_units, parse_units
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Flatten, Report
from logos.core.records import GuardRecord, PaperFillRecord, Record, WarningRecord
from logos.core.saved.state import restore_core, save_core
from logos.core.strategy import Answer, Target, limit, market
from logos.core.types import Code, ReportKind, Side
from logos.execution.order_match import base_fee_units, fee_units, unbookable_fee
from logos.session.artifacts.tables import ArtifactWriter
from logos.session.build import build_account, build_states, make_instruments
from logos.testing.builders import Scripted, fills_in, orders_in, quote, refusals_in
from logos.testing.venue_core import outbox_of, venue_core
from logos.venues.contract import VenueFill

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


# ---- a fill ----


def test_the_fee_leaves_the_asset_and_its_value_is_booked_as_fee() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "2", "10.01", base_fee="0.002"))
    assert balances(core) == (Decimal("1.998"), Decimal("-20.02"))
    assert (fill.fee, fill.base_fee_units, fill.base_decimals) == (Decimal("0.02002"), 200_000, 8)
    assert (fill.quantity, fill.position) == (Decimal(2), Decimal("1.998"))
    assert fill.opened_units == 1998
    ledger = core.order_manager.account.ledgers[0]
    # Cash went down by 20.02, and 1.998 COIN are held at a mark of 10.00.
    gain = Decimal(format_units(ledger.equity - ledger.initial, ledger.decimals))
    assert gain == Decimal("-20.02") + Decimal("1.998") * 10


def test_the_value_of_the_fee_is_rounded_up_to_the_last_digit_of_the_money() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "1", "10.01", base_fee="0.00000001"))
    ledger = core.order_manager.account.ledgers[0]
    assert ledger.decimals == 8
    assert fill.fee_units == 11, "10.01 of the last digit's worth are 11"
    assert ledger.fees == 11


def test_a_fee_finer_than_a_quantity_takes_a_whole_unit_and_the_rest_serves_the_next() -> None:
    core = trading({1: BUY, 2: BUY, 3: BUY})
    steps = []
    for number, base_fee in enumerate(["0.0004", "0.0004", "0.0004"], start=1):
        told(core, 2 * number)
        filled(core, number, "2", "10", base_fee=base_fee)
        steps.append((position(core), balances(core)[0]))
    assert steps == [
        ("1.999", Decimal("1.9996")),
        ("3.999", Decimal("3.9992")),
        ("5.998", Decimal("5.9988")),
    ]


def test_the_smallest_of_purchases_may_leave_no_position_at_all() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "0.001", "10", base_fee="0.000001"))
    assert (fill.position_units, fill.opened_units, fill.lots) == (0, 0, ())
    assert balances(core)[0] == Decimal("0.000999")
    [rest] = fills_in(filled(core, 1, "1.999", "10", base_fee="0.000999"))
    assert rest.position == Decimal("1.999")
    assert balances(core)[0] == Decimal("1.999") - Decimal("0.000999") + Decimal("0.000999")


def test_a_sale_that_is_charged_in_the_asset_gives_more_of_it_away() -> None:
    core = trading({1: BUY, 2: market(Side.SELL, 1)})
    told(core, 2)
    filled(core, 1, "2", "10")
    told(core, 3)
    [fill] = fills_in(filled(core, 2, "1", "12", base_fee="0.002"))
    assert balances(core) == (Decimal("0.998"), Decimal("-8"))
    assert position(core) == "0.998"
    # 1.002 were given away that had cost 10: 12 were paid for the one, nothing for the rest.
    assert (fill.realised, fill.fee) == (Decimal("2.004"), Decimal("0.024"))


def test_a_fee_in_the_quote_comes_out_of_the_quote_as_ever() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "2", "10", base_fee="0.001", fee="0.5"))
    assert balances(core) == (Decimal("1.999"), Decimal("-20.5"))
    assert fill.fee == Decimal("0.51")


@pytest.mark.parametrize("base_fee", ["-0.001", "2", "3"])
def test_a_fee_of_the_whole_fill_or_less_than_nothing_is_not_booked(base_fee: str) -> None:
    core = trading({1: BUY})
    told(core, 2)
    records = filled(core, 1, "2", "10", base_fee=base_fee)
    assert fills_in(records) == []
    assert [code for code, _ in guards(records)] == [Code.RECONCILIATION]
    assert balances(core) == (Decimal(0), Decimal(0))


def test_a_margin_market_has_no_asset_to_take_a_fee_from() -> None:
    core = trading({1: BUY}, PERP)
    told(core, 2, PERP)
    records = filled(core, 1, "2", "10", base_fee="0.001")
    assert [code for code, _ in guards(records)] == [Code.RECONCILIATION]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_wallets_are_a_naive_sum_and_the_position_is_what_of_it_is_whole(seed: int) -> None:
    random = Random(seed)
    core = trading(
        {number: limit(random.choice(list(Side)), "2", 10) for number in range(1, 12)},
        borrow={"COIN": "1000"},
    )
    coins = money = Decimal(0)
    for number in range(1, 12):
        told(core, 2 * number)
    for client_id, order in list(outbox_of(core).open.items()):
        while order.remaining and random.random() < 0.9:
            quantity = random.randint(1, order.remaining)
            price = random.randint(900, 1100)
            base_fee = random.choice([0, 1, random.randint(1, quantity * 10**5 - 1)])
            fee = random.choice([0, random.randint(0, 10**6)])
            core.run(
                [
                    Report(
                        core.order_manager.now_ns, ReportKind.FILLED, client_id, "", quantity,
                        price, fee, False, "F", base_fee,
                    )
                ]
            )  # fmt: skip
            sold = -1 if order.side is Side.SELL else 1
            coins += sold * Decimal(quantity).scaleb(-3) - Decimal(base_fee).scaleb(-8)
            ledger = core.order_manager.account.ledgers[0]
            paid = Decimal(fee).scaleb(-ledger.decimals)
            money -= sold * Decimal(quantity * price).scaleb(-5) + paid
    assert balances(core) == (coins, money)
    book = core.order_manager.states["COIN"]
    assert 0 <= book.base_spare < book.base_factor
    assert book.inventory.position == coins.scaleb(3).to_integral_value("ROUND_FLOOR")
    core.sample(core.order_manager.now_ns)  # raises where a ledger does not add up


# ---- selling what is there ----


def test_a_flat_target_sells_what_is_there_and_the_dust_stays_and_is_said() -> None:
    core = trading({1: Target(2), 2: Target(0), 3: Target(0)})
    told(core, 2)
    filled(core, 1, "2", "10", base_fee="0.00200001")
    [order] = orders_in(told(core, 3))
    assert (order.side, order.quantity_units) == (Side.SELL, 1997)
    filled(core, 2, "1.997", "10")
    assert told(core, 4) == []
    assert position(core) == "0.000"
    assert core.order_manager.states["COIN"].is_flat
    said = [each for each in core.finish() if isinstance(each, WarningRecord)]
    assert [(each.code, each.symbol, each.detail) for each in said] == [
        ("DUST", "COIN", "0.00099999 COIN stays: less than a lot cannot be sold")
    ]


def test_where_a_lot_is_many_units_a_target_within_a_lot_is_reached() -> None:
    coarse = instrument("COIN", tick="0.01", lot="0.005", quote="USD")
    core = trading({1: Target(2), 2: Target(2), 3: Target(0), 4: Target(0)}, coarse)
    told(core, 2, coarse)
    filled(core, 1, "2", "10", base_fee="0.002")
    assert position(core) == "1.998"
    assert told(core, 3, coarse) == [], "2 and 1.998 are less than a lot apart"
    [order] = orders_in(told(core, 4, coarse))
    assert order.quantity_units == 1995
    filled(core, 2, "1.995", "10")
    assert told(core, 5, coarse) == []
    assert (position(core), core.order_manager.states["COIN"].is_flat) == ("0.003", True)


def test_a_target_that_the_fee_alone_missed_is_not_bought_after() -> None:
    core = trading({1: Target(2), 2: Target(2), 3: Target("2.001")})
    told(core, 2)
    filled(core, 1, "2", "10", base_fee="0.00002")
    assert position(core) == "1.999"
    assert told(core, 3) == []
    assert orders_in(told(core, 4))[0].quantity_units == 1


def test_flatten_closes_what_is_there_and_asks_for_no_more() -> None:
    core = trading({1: BUY})
    told(core, 2)
    filled(core, 1, "2", "10", base_fee="0.0025")
    core.run([Flatten(3, "test", "test")])
    [order] = orders_in(core.take_effects())
    assert order.quantity_units == 1997
    filled(core, 2, "1.997", "10")
    assert refusals_in(told(core, 4)) == []
    assert balances(core)[0] == Decimal("0.0005")


def test_more_than_the_wallet_holds_is_not_sold() -> None:
    core = trading({1: BUY, 2: market(Side.SELL, 2)})
    told(core, 2)
    filled(core, 1, "2", "10", base_fee="0.002")
    assert refusals_in(told(core, 3)) == [Code.INSUFFICIENT_BORROW]


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
        ("-1", "COIN", "an account without rebates"),
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
