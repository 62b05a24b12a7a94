"""What is written beside a fetched file: when it was fetched, from where, how complete it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from fetch_helpers import fetched
from live_helpers import listing, minute_bars, run, world

from logos.cli.main import main
from logos.core.instrument import instrument
from logos.data.beside.freshness import freshness_path, read_freshness
from logos.data.check import check, inspect_source
from logos.data.source import discover
from logos.errors import DataError
from logos.feeds.contract import FeedNews, FeedState
from logos.feeds.record import FileSink

BTC = instrument("BTCUSDT", tick="0.01", lot="0.00001", quote="USDT")


def bars_with_a_hole(folder: Path) -> Path:
    """1,300 minutes of which three are missing."""
    found: list[Path] = []

    async def work() -> None:
        async with world(minute_bars(1_500, without=range(700, 703))) as there:
            await there.exchange.advance(1_300 * 60 + 30)
            there.clock.set_ns(there.exchange.market.now_ns)
            paths, _ = await fetched(there, folder)
            found.append(paths[0])

    run(work())
    return found[0]


@pytest.mark.long
def test_a_history_says_when_from_where_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bars_with_a_hole(tmp_path)
    found = read_freshness(path)
    assert found is not None
    assert (found.source, found.market) == ("ccxt binance", "BTC/USDT")
    assert (found.kind, found.interval, found.rows) == ("bars", "1m", 1_297)
    assert (found.first, found.last) == ("2026-01-01T00:00:00Z", "2026-01-01T21:39:00Z")
    assert found.asked_from == "2026-01-01T00:00:00Z"
    assert found.fetched_at == found.asked_to == "2026-01-01T21:40:30Z"
    assert (found.gaps, found.told) == (
        1,
        ["bars: 3 bars are missing from 2026-01-01T11:40:00Z on"],
    )
    assert found.bytes == path.stat().st_size
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert freshness_path(path).read_bytes().endswith(b"}\n")
    assert main(["data", "list", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "fetched 2026-01-01T21:40:30Z from ccxt binance: 2026-01-01T00:00:00Z to" in said
    assert "1 gaps told" in said


@pytest.mark.long
def test_a_file_that_was_cut_at_the_end_of_a_line_is_found_by_it(tmp_path: Path) -> None:
    path = bars_with_a_hole(tmp_path)
    (source,) = discover(tmp_path)
    accept = frozenset({"gap"})
    assert check(source, BTC, accept=accept).rows == 1_297
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"\n", 0, len(content) // 2) + 1])
    report = inspect_source(source, BTC)
    assert report.counts["truncated_row"] == 1
    with pytest.raises(DataError, match=r"bytes that were fetched .* are there; fetch it again"):
        check(source, BTC, accept=accept)
    freshness_path(path).unlink()  # the way out that the message names
    assert check(source, BTC, accept=accept).rows < 700


@pytest.mark.long
def test_one_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = bars_with_a_hole(tmp_path)
    freshness_path(path).write_text('{"rows": 1297')
    (source,) = discover(tmp_path)
    with pytest.raises(DataError, match=r"fetched\.json: cannot be read"):
        check(source, BTC, accept=frozenset({"gap"}))


@pytest.mark.long
def test_a_fetch_that_failed_leaves_none(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listing(trades=0)) as there:
            with pytest.raises(DataError, match="nothing to write"):
                await fetched(there, tmp_path, kind="trades")

    run(work())
    assert list(tmp_path.iterdir()) == []


def test_of_many_gaps_the_first_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, "x", "now", lambda _: None)
    for number in range(50):
        sink.news(FeedNews(0, "x", "A", FeedState.GAP, f"gap {number}"))
    sink.news(FeedNews(0, "x", "A", FeedState.LIVE, ""))
    assert sink.gaps == {"A": 50}
    assert sink.told == {"A": [f"gap {number}" for number in range(20)]}
