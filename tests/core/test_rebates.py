"""Maker rebates: a rate below zero is paid to the trader, exactly, and judged by the auditor."""

from __future__ import annotations

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from session_helpers import ListFeed, session_config

from logos import session
from logos.audit.verify import verify
from logos.core.instrument import instrument
from logos.core.strategy import limit, market
from logos.core.types import Code, Side
from logos.testing.builders import (
    Scripted,
    bar,
    fee_schedule,
    fills_in,
    refusals_in,
    run,
    trading_core,
)

REBATED = instrument(
    "X",
    tick="0.01",
    lot="0.001",
    quote="USD",
    fees=fee_schedule(maker="-0.00025", taker="0.001", decimals=4),
)


def test_a_resting_order_is_paid_and_a_taking_one_pays() -> None:
    strategy = Scripted({1: limit(Side.BUY, 5, "9.5"), 4: market(Side.SELL, 5)})
    core = trading_core(strategy, REBATED)
    fills = fills_in(run(core, [bar(REBATED, n, "10 11 9 10", "9") for n in range(1, 7)]))
    assert [fill.fee for fill in fills] == [Decimal("-0.0118"), Decimal("0.05")]
    ledger = core.order_manager.account.ledgers[0]
    ledger.check()
    assert ledger.equity - ledger.initial == ledger.realised - ledger.fees
    assert Fraction(ledger.fees, 10**ledger.decimals) == Fraction("0.0382")
    assert ledger.wallet.balance - ledger.initial == ledger.realised - ledger.fees


def test_an_order_locks_what_the_dearer_rate_takes_and_never_less_than_its_value() -> None:
    both = instrument(
        "X",
        tick="0.01",
        lot="1",
        quote="USD",
        fees=fee_schedule(maker="0.01", taker="-0.01", decimals=4),
    )
    first = [bar(both, 1, "10 10 10 10")]
    core = trading_core(Scripted({1: limit(Side.BUY, 10, "9.99")}), both, cash={"USD": "100.9"})
    assert refusals_in(run(core, first)) == []
    poorer = trading_core(Scripted({1: limit(Side.BUY, 10, "9.99")}), both, cash={"USD": "100.89"})
    assert refusals_in(run(poorer, first)) == [Code.INSUFFICIENT_FUNDS]


def rebated_session(home: Path, monkeypatch: pytest.MonkeyPatch) -> session.SessionResult:
    monkeypatch.setenv("LOGOS_HOME", str(home))
    config = session_config(session={"id": "rebate"})
    config["instruments"]["ACME"]["fees"] = {"maker": "-0.0002", "taker": "0.0005", "decimals": 2}
    acme = instrument("ACME", tick="0.01", lot="1", quote="USD")
    events = [bar(acme, n, f"{100 + n % 3} 104 97 101", "40") for n in range(1, 60)]
    script = {
        n: limit(Side.BUY if n % 4 else Side.SELL, 3, "98" if n % 4 else "103")
        for n in range(2, 50, 2)
    }
    return session.run(config, strategy=Scripted(script), feed=ListFeed(events))


@pytest.mark.long
def test_verify_recomputes_rebates_and_finds_one_that_was_altered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = rebated_session(tmp_path, monkeypatch)
    folder = Path(result.folder)
    verdict = verify(folder)
    assert verdict.findings == []
    with open(folder / "trades.csv", newline="", encoding="utf-8") as file:
        fees = [Fraction(row["fee"]) for row in csv.DictReader(file)]
    assert min(fees) < 0
    text = (folder / "trades.csv").read_text(encoding="utf-8")
    (folder / "trades.csv").write_text(text.replace(",-0.05", ",-0.06", 1), encoding="utf-8")
    found = [str(each) for each in verify(folder).findings]
    assert any("by the fees of the settings" in each for each in found), found
