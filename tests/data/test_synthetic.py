"""The made-up markets: sound prices for any seed, the same events for the same seed."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, Quote, QuoteBar
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE
from logos.data import synthetic

MONDAY_NS = 20_458 * NS_PER_DAY  # 2026-01-05T00:00Z

STOCK = instrument("ACME", tick="0.05", lot="100", quote="USD")
COIN = instrument("BTCUSDT", tick="0.01", lot="0.00001", quote="USDT")
PAIR = instrument("EURUSD", tick="0.00001", lot="1000", quote="USD")

seeds = st.integers(0, 2**70)
starts = st.integers(1, 10**8)
instruments = st.sampled_from([STOCK, COIN, PAIR])


def assert_sound_bar(bar: Bar) -> None:
    prices = (bar.open_units, bar.high_units, bar.low_units, bar.close_units)
    assert all(price > 0 and price % bar.instrument.tick == 0 for price in prices)
    assert bar.high_units == max(prices)
    assert bar.low_units == min(prices)
    assert bar.volume_units >= 0
    assert bar.volume_units % bar.instrument.lot == 0
    assert bar.opened_ns % NS_PER_MINUTE == 0


@settings(max_examples=40, deadline=None)
@given(instruments, seeds, starts)
def test_bars_are_sound_and_in_order(traded: Instrument, seed: int, start_ticks: int) -> None:
    for make in (synthetic.equity_bars, synthetic.crypto_bars):
        bars = list(make(traded, MONDAY_NS + 1, 60, seed, start_ticks=start_ticks))
        assert len(bars) == 60
        for bar in bars:
            assert_sound_bar(bar)
        assert all(first.ts_ns < second.ts_ns for first, second in itertools.pairwise(bars))
        assert bars[0].opened_ns > MONDAY_NS


@settings(max_examples=40, deadline=None)
@given(instruments, seeds, starts)
def test_quote_bars_are_sound_on_both_sides(
    traded: Instrument, seed: int, start_ticks: int
) -> None:
    for bar in synthetic.forex_bars(traded, MONDAY_NS, 60, seed, start_ticks=start_ticks):
        bids = (bar.bid_open_units, bar.bid_high_units, bar.bid_low_units, bar.bid_close_units)
        asks = (bar.ask_open_units, bar.ask_high_units, bar.ask_low_units, bar.ask_close_units)
        assert all(price > 0 and price % traded.tick == 0 for price in bids + asks)
        assert all(bid < ask for bid, ask in zip(bids, asks, strict=True))
        assert (bids[1], bids[2]) == (max(bids), min(bids))
        assert (asks[1], asks[2]) == (max(asks), min(asks))
        assert bar.volume_units % traded.lot == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(instruments, min_size=1, max_size=3, unique_by=id),
    seeds,
    starts,
    st.integers(0, 200),
    st.integers(1, 64),
)
def test_tick_events_are_sound_whatever_the_chunks(
    traded: list[Instrument], seed: int, start_ticks: int, count: int, chunk_size: int
) -> None:
    chunks = list(
        synthetic.tick_events(
            traded, count, seed, start_ticks=start_ticks, chunk_size=chunk_size, size_lots=50
        )
    )
    assert all(0 < len(chunk) <= chunk_size for chunk in chunks)
    quotes = [quote for chunk in chunks for quote in chunk]
    assert len(quotes) == count
    for quote in quotes:
        tick, lot = quote.instrument.tick, quote.instrument.lot
        assert 0 < quote.bid_units < quote.ask_units
        assert quote.bid_units % tick == quote.ask_units % tick == 0
        for size in (quote.bid_size_units, quote.ask_size_units):
            assert size % lot == 0
            assert lot <= size <= 50 * lot
    assert all(first.ts_ns <= second.ts_ns for first, second in itertools.pairwise(quotes))
    whole = synthetic.tick_events(traded, count, seed, start_ticks=start_ticks, size_lots=50)
    assert [quote for chunk in whole for quote in chunk] == quotes


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 5))
def test_trades_take_what_the_quotes_show(seed: int, one_in: int) -> None:
    quotes = some_quotes(seed)
    by_time: dict[int, list[Quote]] = {}
    for quote in quotes:
        by_time.setdefault(quote.ts_ns, []).append(quote)
    trades = list(synthetic.trades_at(quotes, seed, one_in=one_in))
    assert one_in > 1 or len(trades) == len(quotes)
    for trade in trades:
        shown = [
            (quote.ask_units, quote.ask_size_units)
            if trade.aggressor == "BUY"
            else (quote.bid_units, quote.bid_size_units)
            for quote in by_time[trade.ts_ns]
        ]
        assert any(trade.price_units == price and trade.size_units <= size for price, size in shown)
        assert trade.size_units >= trade.instrument.lot


def some_quotes(seed: int, count: int = 100) -> list[Quote]:
    return [quote for chunk in synthetic.tick_events([COIN], count, seed) for quote in chunk]


def test_equities_trade_only_in_the_regular_session_of_weekdays() -> None:
    friday_ns = MONDAY_NS + 4 * NS_PER_DAY
    bars = list(synthetic.equity_bars(STOCK, friday_ns, 780, 1, start_ticks=2_000))
    assert bars[0].opened_ns == friday_ns + synthetic.SESSION_OPEN_MINUTE * NS_PER_MINUTE
    assert bars[389].ts_ns == friday_ns + 20 * 60 * NS_PER_MINUTE
    assert bars[390].opened_ns == bars[0].opened_ns + 3 * NS_PER_DAY
    assert bars[-1].ts_ns == bars[389].ts_ns + 3 * NS_PER_DAY


def test_equity_volume_is_high_at_both_ends_and_the_night_leaves_a_gap() -> None:
    bars = list(synthetic.equity_bars(COIN, MONDAY_NS, 3_900, 1, start_ticks=20_000))
    days = [bars[first : first + 390] for first in range(0, 3_900, 390)]
    for day in days:
        volumes = [bar.volume_units for bar in day]
        midday = sum(volumes[180:210])
        assert sum(volumes[:30]) > 2 * midday
        assert sum(volumes[-30:]) > 2 * midday
    gaps = [
        abs(after[0].open_units - before[-1].close_units)
        for before, after in itertools.pairwise(days)
    ]
    minutes = [
        abs(second.open_units - first.close_units) for first, second in itertools.pairwise(days[0])
    ]
    assert sum(gaps) / len(gaps) > 5 * sum(minutes) / len(minutes)


def test_crypto_trades_every_minute_of_the_week() -> None:
    bars = list(synthetic.crypto_bars(COIN, MONDAY_NS, 7 * 1440, 1, start_ticks=6_000_000))
    steps = {second.ts_ns - first.ts_ns for first, second in itertools.pairwise(bars)}
    assert steps == {NS_PER_MINUTE}
    assert bars[0].opened_ns == MONDAY_NS


def test_crypto_volatility_comes_in_spells() -> None:
    bars = list(synthetic.crypto_bars(COIN, MONDAY_NS, 10_000, 1, start_ticks=6_000_000))
    moves = [
        abs(second.close_units - first.close_units) * 10**6 // first.close_units
        for first, second in itertools.pairwise(bars)
    ]
    mean = sum(moves) / len(moves)
    variance = sum((move - mean) ** 2 for move in moves) / len(moves)
    together = sum((a - mean) * (b - mean) for a, b in itertools.pairwise(moves)) / len(moves)
    assert together / variance > 0.1


def test_forex_keeps_its_week_and_widens_at_the_roll() -> None:
    bars = list(synthetic.forex_bars(PAIR, MONDAY_NS, 6 * 1440, 1, start_ticks=110_000))
    opened = [bar.opened_ns for bar in bars]
    friday_close = MONDAY_NS + 4 * NS_PER_DAY + synthetic.ROLL_MINUTE * NS_PER_MINUTE
    assert friday_close - NS_PER_MINUTE in opened
    assert opened[opened.index(friday_close - NS_PER_MINUTE) + 1] == friday_close + 2 * NS_PER_DAY
    assert all(synthetic.forex_is_open(ts_ns) for ts_ns in opened)

    def mean_spread(chosen: list[QuoteBar]) -> float:
        return sum(bar.ask_open_units - bar.bid_open_units for bar in chosen) / len(chosen)

    at_roll = [b for b in bars if synthetic.minute_of_day(b.opened_ns) == synthetic.ROLL_MINUTE]
    at_noon = [b for b in bars if synthetic.minute_of_day(b.opened_ns) == 12 * 60]
    assert mean_spread(at_roll) > 5 * mean_spread(at_noon)


def test_quotes_share_timestamps_and_pause_irregularly() -> None:
    quotes = some_quotes(3, 5_000)
    steps = [second.ts_ns - first.ts_ns for first, second in itertools.pairwise(quotes)]
    assert 200 < steps.count(0) < 500
    assert len(set(steps)) > 1_000
    assert 800_000 < sorted(steps)[len(steps) // 2] < 1_100_000
    assert all(step % 1_000 == 0 for step in steps)


def test_another_seed_gives_another_market() -> None:
    assert some_quotes(1) == some_quotes(1)
    assert some_quotes(1) != some_quotes(2)


def test_only_one_chunk_is_made_at_a_time() -> None:
    chunks = synthetic.tick_events([COIN, STOCK], 10**15, 1, chunk_size=10)
    assert [len(next(chunks)) for _ in range(3)] == [10, 10, 10]


@pytest.mark.parametrize("name", ["half_life_us", "start_ticks", "size_lots", "chunk_size"])
def test_a_figure_out_of_range_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, not 0"):
        synthetic.tick_events([COIN], 1, 1, **{name: 0})


def test_bad_beginnings_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one instrument"):
        synthetic.tick_events([], 1, 1)
    with pytest.raises(ValueError, match="whole number of 0 or more, not -1"):
        synthetic.tick_events([COIN], 1, -1)
    with pytest.raises(ValueError, match="one tick or more, not 0"):
        next(synthetic.crypto_bars(COIN, 0, 1, 1, start_ticks=0))


def digest() -> str:
    """One number for a sample of everything, as text, free of object identities."""
    total = hashlib.sha256()
    for bar in synthetic.crypto_bars(COIN, MONDAY_NS, 200, 7, start_ticks=6_000_000):
        total.update(f"{bar.ts_ns} {bar.high_units} {bar.low_units} {bar.volume_units}\n".encode())
    for quote in some_quotes(7, 500):
        total.update(f"{quote.ts_ns} {quote.bid_units} {quote.ask_size_units}\n".encode())
    return total.hexdigest()


@pytest.mark.long
@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_hash_order_changes_nothing(hash_seed: str) -> None:
    program = "from test_synthetic import digest; print(digest())"
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    )
    assert answer.stdout.strip() == digest()
