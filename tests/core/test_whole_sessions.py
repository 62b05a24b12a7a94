"""Whole sessions of a strategy that throws dice: the same bytes every time, and an audit passed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.audit.auditor import Terms, audit, audit_rows
from logos.core.engine import TradingCore
from logos.core.instrument import instrument
from logos.core.messages import Bar, Event, Quote, QuoteBar, Trade
from logos.core.records import PaperFillRecord, Record
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    Replace,
    Strategy,
    Target,
    Weight,
    limit,
    market,
    stop,
)
from logos.core.types import NS_PER_MINUTE, Side
from logos.session.artifacts.tables import ArtifactWriter
from logos.testing.builders import bar, fee_schedule, paper_rules, quote, run, trade, trading_core

FEES = fee_schedule(maker="0.0002", taker="0.0007", minimum="0.05", decimals=4)
COIN = instrument("COIN", tick="0.01", lot="0.1", quote="USD", fees=FEES)
OTHER = instrument("OTHER", tick="0.05", lot="1", quote="USD", settlement="margin", leverage=5)


class Dice(Strategy):
    """Does a bit of everything, by the session's generator."""

    def decide(self, context: Context, symbol: str) -> Answer:
        dice = context.random
        price = dice.randrange(9_500, 10_500) / 100
        side = dice.choice([Side.BUY, Side.SELL])
        size = dice.randrange(1, 30) / 10 if symbol == "COIN" else dice.randrange(1, 4)
        choices: list[Answer] = [
            None,
            side,
            Target(dice.randrange(-3, 4)),
            Weight("0.01"),
            market(side, size),
            [limit(side, size, price, tag="a"), stop(side, size, price)],
            Cancel(tag="a"),
            Replace(tag="a", limit_price=price),
        ]
        return dice.choice(choices)

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self.decide(context, quote.symbol)

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self.decide(context, trade.symbol)

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self.decide(context, bar.symbol)

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        return Cancel(tag="a") if context.random.random() < 0.2 else None


def many_events(count: int) -> list[Event]:
    """Quotes, trades and bars of two symbols that wander without any randomness."""
    events: list[Event] = []
    for number in range(1, count + 1):
        mid = 10_000 + (number * 7_919) % 301 - 150
        bid, ask = f"{(mid - 1) / 100:.2f}", f"{(mid + 1) / 100:.2f}"
        time = number * NS_PER_MINUTE
        if number % 3 == 0:
            events.append(quote(COIN, time, bid, ask, "5", "4"))
        elif number % 3 == 1:
            events.append(trade(COIN, time, bid, "3"))
        else:
            flat = f"{mid // 5 * 5 / 100:.2f}"
            high = f"{(mid // 5 * 5 + 45) / 100:.2f}"
            events.append(bar(OTHER, number, f"{flat} {high} {flat} {flat}", "9"))
    return events


def dice_core(seed: int, **how: Any) -> TradingCore:
    rules = paper_rules(participation="0.5", latency_ns=90_000_000_000, slippage_ticks=1)
    how = {"rules": rules, "seed": seed, "sample_ns": 10 * NS_PER_MINUTE, **how}
    return trading_core(Dice(), COIN, OTHER, borrow={"COIN": "50"}, **how)


def encoded(records: Sequence[Record]) -> list[bytes]:
    return [msgspec.json.encode(record) for record in records]


def dice_session(seed: int = 7) -> list[bytes]:
    return encoded(run(dice_core(seed), many_events(300)))


def test_the_same_events_and_seed_give_the_same_bytes() -> None:
    first = dice_session()
    assert len(first) > 300
    assert first == dice_session()
    assert first != dice_session(8)


@pytest.mark.long
@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_nothing_depends_on_the_order_of_hashes(hash_seed: str) -> None:
    program = (
        "import hashlib, test_whole_sessions as t;"
        "print(hashlib.sha256(b'\\n'.join(t.dice_session())).hexdigest())"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
    there = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == hashlib.sha256(b"\n".join(dice_session())).hexdigest()


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_how_events_are_handed_over_changes_nothing(sizes: list[int]) -> None:
    events = many_events(200)
    core = dice_core(7)
    records = core.start(events[0].ts_ns)
    start = 0
    for size in [*sizes, len(events)]:
        core.run(events[start : start + size])
        start += size
    records += core.take_effects()
    assert encoded(records + core.stop()) == encoded(run(dice_core(7), events))


def test_every_record_reads_back_from_its_json() -> None:
    for record in run(dice_core(3), many_events(100)):
        assert msgspec.json.decode(msgspec.json.encode(record), type=Record) == record


@pytest.mark.long
def test_a_whole_session_written_out_passes_and_its_last_digit_counts(tmp_path: Path) -> None:
    """Two symbols, hundreds of fills in every direction, through the artifact writer."""
    core = dice_core(11)
    unit_values = {symbol: book.unit_value for symbol, book in core.order_manager.states.items()}
    writer = ArtifactWriter(tmp_path, unit_values)
    writer.write(run(core, many_events(600)))
    writer.close()
    terms = {
        "COIN": Terms("COIN", "USD", Fraction(1), "spot"),
        "OTHER": Terms("OTHER", "USD", Fraction(1), "margin"),
    }
    report = audit(tmp_path / "trades.csv", terms, {"USD": "1000000"})
    assert report.is_clean, str(report)
    assert report.rows > 200
    lines = (tmp_path / "trades.csv").read_text().splitlines()
    last = lines[-1].rstrip(",")  # of the wallet: there is no fee in the asset
    lines[-1] = last[:-1] + str((int(last[-1]) + 1) % 10) + ","
    tampered = audit_rows(lines, terms, {"USD": "1000000"})
    assert [(each.row, each.column) for each in tampered.differences] == [(report.rows, "wallet")]
