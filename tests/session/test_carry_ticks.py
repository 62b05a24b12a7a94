"""A session that is carried on over data with a finer tick keeps what its position cost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from carry_helpers import BEGIN, folder_of, rows, trade

from logos.audit.verify import verify
from logos.core.instrument import instrument
from logos.core.messages import Event
from logos.core.strategy import market
from logos.core.types import Side
from logos.session.carrying.books import CarryError
from logos.testing.builders import quote

FINE = {"quote": "USD", "tick": "0.01", "lot": "1", "data_tick": "0.0001"}
COARSE = {"quote": "USD", "tick": "0.01", "lot": "1"}


def prices(data_tick: str, first: int, *bids: str) -> list[Event]:
    """Quotes of ACME whose prices are counted in steps of `data_tick`."""
    traded = instrument("ACME", tick=data_tick, lot="1", quote="USD")
    if data_tick != "0.01":
        traded.order_in("0.01")
    asks = [str(Decimal(bid) + Decimal(data_tick)) for bid in bids]
    return [
        quote(traded, BEGIN + at * 10**9, bid, ask)
        for at, (bid, ask) in enumerate(zip(bids, asks, strict=True), first)
    ]


def accounts(home: Path, name: str) -> tuple[Decimal, Decimal]:
    """(equity, realised) at the end."""
    last = rows(folder_of(home, name), "account.csv")[-1]
    return Decimal(last["equity"]), Decimal(last["realised"])


def test_a_position_keeps_its_cost_where_the_data_gets_finer(tmp_path: Path) -> None:
    first = trade(
        tmp_path,
        "old",
        prices("0.01", 1, "100.00", "100.50", "101.00"),
        {1: market(Side.BUY, 5)},
        instruments={"ACME": COARSE},
    )
    assert first.exit_code == 0
    bought = Decimal(rows(folder_of(tmp_path, "old"), "trades.csv")[0]["price"])
    second = trade(
        tmp_path,
        "new",
        prices("0.0001", 60, "102.00", "103.0001", "103.0001", "103.0001"),
        {2: market(Side.SELL, 5)},
        carry="old",
        instruments={"ACME": FINE},
    )
    assert second.exit_code == 0
    sold = Decimal(rows(folder_of(tmp_path, "new"), "trades.csv")[-1]["price"])
    assert sold == Decimal("103.0001")
    equity, realised = accounts(tmp_path, "new")
    assert realised == 5 * (sold - bought)
    assert equity == 10_000 + realised
    assert verify(folder_of(tmp_path, "new")).exit_code == 0


@pytest.mark.parametrize("bids", [("100.0000", "100.5000"), ("100.0001", "100.5000")])
def test_prices_that_the_new_session_has_no_decimals_for_are_refused(
    tmp_path: Path, bids: tuple[str, str]
) -> None:
    """Of the position (100.5001), or of the mark alone."""
    moments = prices("0.0001", 1, *bids, "101.0001")
    trade(tmp_path, "old", moments, {1: market(Side.BUY, 5)}, instruments={"ACME": FINE})
    with pytest.raises(CarryError, match=r"ACME is carried on at a price of 10.*steps of 0\.01"):
        trade(
            tmp_path,
            "new",
            prices("0.01", 60, "102.00", "103.00"),
            carry="old",
            instruments={"ACME": COARSE},
        )
