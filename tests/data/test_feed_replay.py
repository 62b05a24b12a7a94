"""Merging: the order of events, continuing in the middle, and memory that does not grow."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from feed_helpers import (
    BAR_HEADER,
    QUOTE_HEADER,
    READERS,
    TRADE_HEADER,
    bar_row,
    events_of,
    source_of,
    traded,
    write,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logos.core.instrument import Instrument
from logos.core.messages import Bar, MarketEvent, Quote, Trade
from logos.core.types import NS_PER_SECOND
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource
from logos.errors import DataError

EPOCH = 1_704_153_600  # 2024-01-02T00:00:00Z
INSTRUMENT = traded()


def quotes(folder: Path, name: str, seconds: list[int]) -> DataSource:
    rows = [f"{EPOCH + second},{10 + row},{11 + row},," for row, second in enumerate(seconds)]
    return source_of(write(folder / f"{name}.csv", QUOTE_HEADER, rows), "quotes")


def chunks_of(
    sources: list[DataSource],
    *,
    skip: int = 0,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> list[list[MarketEvent]]:
    feed = ReplayFeed(sources, {"BTCUSD": INSTRUMENT}, start_ns=start_ns, end_ns=end_ns)
    return list(feed.chunks(skip))


def merged(sources: list[DataSource], **limits: int) -> list[MarketEvent]:
    return [event for chunk in chunks_of(sources, **limits) for event in chunk]


def naively_merged(sources: list[DataSource]) -> list[MarketEvent]:
    """Everything at once, in the order of the sources, stably sorted by time."""
    everything = [e for source in sources for e in events_of(source, instrument=INSTRUMENT)]
    return sorted(everything, key=lambda event: event.ts_ns)


def test_each_kind_becomes_its_event_exactly(tmp_path: Path) -> None:
    bars = write(tmp_path / "a_1m.csv", BAR_HEADER, [bar_row(0, "10,12,9.5,11", "0.12345")])
    ticks = write(tmp_path / "b.csv", QUOTE_HEADER, ["2024-01-02T00:00:30.5Z,10,10.01,,8.88009999"])
    prints = write(
        tmp_path / "c.csv", TRADE_HEADER, ["1704153631,10.01,0.5,Sell", "1704153631,9,,"]
    )
    sources = [source_of(bars), source_of(ticks, "quotes"), source_of(prints, "trades")]
    start = EPOCH * NS_PER_SECOND
    assert merged(sources) == [
        Quote(start + 30_500_000_000, "BTCUSD", 1000, 1001, -1, 88800, INSTRUMENT),
        Trade(start + 31_000_000_000, "BTCUSD", 1001, 5000, "SELL", INSTRUMENT),
        Trade(start + 31_000_000_000, "BTCUSD", 900, -1, "", INSTRUMENT),
        Bar(
            start + 60_000_000_000,
            "BTCUSD",
            60 * NS_PER_SECOND,
            1000,
            1200,
            950,
            1100,
            1234,
            INSTRUMENT,
        ),
    ]


def test_ties_go_by_source_then_row(tmp_path: Path) -> None:
    first, second = quotes(tmp_path, "a", [5, 5, 6]), quotes(tmp_path, "b", [4, 5, 5])
    prices = [event.bid_units for event in merged([first, second]) if isinstance(event, Quote)]
    assert prices == [1000, 1000, 1100, 1100, 1200, 1200]
    swapped = [event.bid_units for event in merged([second, first]) if isinstance(event, Quote)]
    assert swapped == [1000, 1100, 1200, 1000, 1100, 1200]


@pytest.mark.long
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    times=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=40), min_size=1, max_size=4),
    chunk_bytes=st.integers(20, 400),
    skip=st.integers(0, 30),
)
def test_any_merge_equals_the_naive_one_wherever_blocks_end_and_replay_resumes(
    tmp_path: Path, times: list[list[int]], chunk_bytes: int, skip: int
) -> None:
    sources = [quotes(tmp_path, f"s{n}", sorted(seconds)) for n, seconds in enumerate(times)]
    expected = naively_merged(sources)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logos.data.readers.chunks.csv_chunks.__defaults__", (chunk_bytes,))
        chunks = chunks_of(sources)
        assert [event for chunk in chunks for event in chunk] == expected
        assert all(chunks)
        if skip <= len(expected):
            assert merged(sources, skip=skip) == expected[skip:]
        else:
            with pytest.raises(DataError, match=f"has only {len(expected)}"):
                merged(sources, skip=skip)
        start, end = (EPOCH + 10) * NS_PER_SECOND, (EPOCH + 20) * NS_PER_SECOND
        within = merged(sources, start_ns=start, end_ns=end)
        assert within == [event for event in expected if start <= event.ts_ns < end]


@pytest.mark.long
@pytest.mark.parametrize("fast", READERS)
def test_pairs_that_miss_rows_join_the_same_wherever_blocks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    minutes = set(range(300))
    bid = write(
        tmp_path / "A_1m_bid.csv", BAR_HEADER, map(bar_row, sorted(minutes - {7, 150, 299}))
    )
    ask = write(tmp_path / "A_1m_ask.csv", BAR_HEADER, map(bar_row, sorted(minutes - {0, 8, 150})))
    source = source_of(bid, "quote_bars", ask)
    whole = events_of(source, fast=fast, instrument=INSTRUMENT)
    assert len(whole) == 295
    for chunk_bytes in (50, 333, 4000):
        monkeypatch.setattr("logos.data.readers.chunks.csv_chunks.__defaults__", (chunk_bytes,))
        assert events_of(source, fast=fast, instrument=INSTRUMENT) == whole


def test_a_symbol_without_an_instrument_is_answered_with_a_draft(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'no instrument for BTCUSD[\s\S]*\ntick = "1"\n'):
        ReplayFeed([quotes(tmp_path, "a", [1])], {})
    with pytest.raises(DataError, match="nothing to replay"):
        ReplayFeed([], {"BTCUSD": INSTRUMENT})


def test_tallies_say_what_was_dropped(tmp_path: Path) -> None:
    path = write(tmp_path / "a_1m.csv", BAR_HEADER, [bar_row(0), bar_row(0), bar_row(5)])
    accept = frozenset({"gap", "duplicate_bar"})
    feed = ReplayFeed([source_of(path)], {"BTCUSD": INSTRUMENT}, accept=accept)
    for _ in range(2):
        assert sum(map(len, feed.chunks())) == 2
        assert [tally.counts for tally in feed.defects] == [{"duplicate_bar": 1, "gap": 1}]


def peak_bytes(sources: list[DataSource], instruments: dict[str, Instrument], fast: bool) -> int:
    tracemalloc.start()
    try:
        for _ in ReplayFeed(sources, instruments, fast=fast).chunks():
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.campaign
@pytest.mark.parametrize("fast", READERS)
def test_memory_does_not_grow_with_the_number_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr("logos.data.readers.chunks.csv_chunks.__defaults__", (1 << 14,))
    instruments = {"BTCUSD": INSTRUMENT}
    peaks = []
    for rows in (4_000, 4_000, 40_000):
        sources = [quotes(tmp_path, name, [n // 3 for n in range(rows)]) for name in ("a", "b")]
        # Prices repeat, as they do in life: what is measured is the data, not the caches.
        for source in sources:
            lines = source.path.read_text().splitlines()[1:]
            rewritten = [f"{line.split(',')[0]},10,11,1,2" for line in lines]
            write(source.path, QUOTE_HEADER, rewritten)
        peaks.append(peak_bytes(sources, instruments, fast))
    # The first run also pays for what is imported and remembered once.
    assert peaks[2] < 1.3 * peaks[1]
