"""Prices that a replay keeps are those that reading the recording once more would give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, Event, Quote, QuoteBar, TimePassed, Trade
from logos.journal.inputs import InputsWriter, RecordedInputs
from logos.session.artifacts.derived.prices import KeptPrices, PriceBlock, price_streams

TRADED: dict[str, Instrument] = {
    name: instrument(name, tick="0.01", lot="1", settlement="margin", quote="USD")
    for name in ("A", "B", "C", "D")
}
PRICES = st.integers(1, 10**6)


def event(ts_ns: int, symbol: str, eight: Sequence[int]) -> Event:
    """Of the kind that its symbol has: quotes, trades, bars and bars of two sides."""
    traded = TRADED[symbol]
    if symbol == "A":
        return Quote(ts_ns, symbol, eight[0], eight[1], 5, 5, traded)
    if symbol == "B":
        return Trade(ts_ns, symbol, eight[0], 5, "BUY", traded)
    if symbol == "C":
        return Bar(ts_ns, symbol, 60, eight[0], eight[1], eight[2], eight[3], 5, traded)
    a, b, c, d, e, f, g, h = eight
    return QuoteBar(ts_ns, symbol, 60, a, b, c, d, e, f, g, h, 5, traded)


def joined(blocks: Iterable[PriceBlock]) -> dict[str, list[object]]:
    """Times and columns of each symbol, one after the other."""
    found: dict[str, list[object]] = {}
    for block in blocks:
        rows = found.setdefault(block.symbol, [block.are_bars])
        rows += list(zip(block.ts_ns, *block.bid, *block.ask, strict=True))
    return found


def recorded(path: Path, batches: Sequence[Sequence[Event]]) -> RecordedInputs:
    path.unlink(missing_ok=True)
    writer = InputsWriter(path, list(TRADED))
    for batch in batches:
        writer.write(batch)
    writer.close()
    return RecordedInputs(path, TRADED)


def prices_of(inputs: RecordedInputs) -> dict[str, list[object]]:
    ((_, blocks),) = price_streams(inputs)
    return joined(blocks)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("ABCD"), st.lists(PRICES, min_size=8, max_size=8))),
    size=st.integers(1, 4),
    taken=st.integers(0, 6),
)
def test_they_are_the_same_however_far_the_session_came(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, list[int]]],
    size: int,
    taken: int,
) -> None:
    events: list[Event] = [event(number, *row) for number, row in enumerate(rows, 1)]
    events.insert(len(events) // 2, TimePassed(len(events) // 2))
    batches = [events[place : place + size] for place in range(0, len(events), size)]
    path = tmp_path_factory.getbasetemp() / "inputs.jsonl"
    inputs = recorded(path, batches)
    again = prices_of(inputs)
    kept = inputs.watcher = KeptPrices(1000)
    for _, _ in zip(range(taken), inputs.chunks(), strict=False):
        pass
    assert kept.is_whole
    assert prices_of(inputs) == again


@pytest.mark.parametrize(
    "events",
    [
        [event(number, "A", [number] * 8) for number in range(1, 6)],
        [Trade(1, "B", 1 << 63, 5, "BUY", TRADED["B"])],
        [event(1, "C", [1] * 8), Trade(2, "C", 1, 5, "BUY", TRADED["C"])],
    ],
    ids=["too many", "too large", "of two kinds"],
)
def test_what_is_not_kept_is_read_once_more(tmp_path: Path, events: list[Event]) -> None:
    inputs = recorded(tmp_path / "inputs.jsonl", [events])
    again = prices_of(inputs)
    kept = inputs.watcher = KeptPrices(4)
    assert [list(batch) for batch in inputs.chunks()] == [events]
    assert not kept.is_whole
    assert prices_of(inputs) == again


def test_what_was_kept_is_not_read_again(tmp_path: Path) -> None:
    events = [event(number, "A", [number] * 8) for number in range(1, 6)]
    inputs = recorded(tmp_path / "inputs.jsonl", [events, events[:1]])
    inputs.watcher = KeptPrices(10)
    chunks = inputs.chunks()
    next(chunks)
    lines = (tmp_path / "inputs.jsonl").read_bytes().splitlines(keepends=True)
    # A line that was changed after it was read is not looked at; what comes after it is.
    lines[1] = lines[1].replace(b'"q"', b'"t"')
    (tmp_path / "inputs.jsonl").write_bytes(b"".join(lines))
    assert len(prices_of(inputs)["A"]) == 1 + 6
