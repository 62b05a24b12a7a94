"""`logos data fetch`: files that a session can replay, whole or not at all."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fetch_helpers import fetched, replayed_bars
from live_helpers import OPENS_NS, listed, listing, minute_bars, run, world, yahoo_minutes

from logos.adapters.fetch_request import FetchRequest
from logos.cli.data import command
from logos.cli.data import fetch as fetch_command
from logos.config import make_config, read_toml
from logos.core.messages import Bar, Trade
from logos.core.types import NS_PER_SECOND
from logos.data.readers.numbers import format_timestamp
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.errors import DataError
from logos.feeds.contract import FeedFailedError
from logos.session.build import make_instruments
from logos.session.opening.instruments import find_instruments
from logos.simulators.exchange.faults import Fault
from logos.testing.clock import START_NS

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:yfinance"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]


def replayed(folder: Path) -> list[Any]:
    """What a session would see of the folder, with the instruments beside the data."""
    sources = discover(folder)
    instruments = make_instruments(find_instruments(make_config({}), sources))
    feed = ReplayFeed(sources, instruments)
    return [event for chunk in feed.chunks() for event in chunk]


@pytest.mark.long
def test_history_of_trades_is_whole_and_can_be_replayed(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listing(trades=2_500, every_s=0.01)) as there:
            await there.exchange.advance(60)
            there.clock.set_ns(there.exchange.market.now_ns)
            there.exchange.fail("aggTrades", Fault.GAP, after=1, times=1)
            paths, said = await fetched(there, tmp_path, kind="trades")
            assert [path.name for path in paths] == [
                "BTCUSDT_binance_trades_2026-01-01T000000Z.csv",
                "instruments.toml",
            ]
            events = replayed(tmp_path)
            assert [event.price_units for event in events] == list(range(6_000_001, 6_002_501))
            assert isinstance(events[0], Trade)
            assert said == []

    run(work())


@pytest.mark.long
def test_history_of_bars_holds_closed_ones_and_tells_what_is_missing(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(minute_bars(1_500, without=range(700, 703))) as there:
            await there.exchange.advance(1_300 * 60 + 30)
            there.clock.set_ns(there.exchange.market.now_ns)
            paths, said = await fetched(there, tmp_path)
            assert paths[0].name == "BTCUSDT_binance_1m_2026-01-01T000000Z.csv"
            lines = paths[0].read_text().splitlines()
            assert len(lines) == 1 + 1_297
            assert lines[1].startswith("2026-01-01T00:00:00Z,60000.00,60000.05,59999.95,60000.01")
            assert said == [
                "ccxt:binance BTCUSDT GAP: bars: 3 bars are missing from 2026-01-01T11:40:00Z on"
            ]

    run(work())


@pytest.mark.long
def test_the_instrument_is_what_the_exchange_says(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listing(trades=10)) as there:
            await there.exchange.advance(60)
            there.clock.set_ns(there.exchange.market.now_ns)
            await fetched(there, tmp_path, kind="trades")
            config = make_config(read_toml(tmp_path / "instruments.toml"))
            found = config.instruments["BTCUSDT"]
            assert (str(found.tick), str(found.lot)) == ("0.01", "0.00001")
            assert (str(found.min_notional), str(found.max_quantity)) == ("5", "9000")
            assert (found.base, found.quote, found.settlement) == ("BTC", "USDT", "spot")
            assert str(found.fees.taker) == "0.001"

    run(work())


@pytest.mark.long
def test_instruments_written_by_hand_stay_as_they_are(tmp_path: Path) -> None:
    async def work() -> None:
        own = '[instruments.BTCUSDT]\ntick = "0.05"\nlot = "1"\nquote = "USDT"\n'
        (tmp_path / "instruments.toml").write_text(own)
        async with world(listing(trades=10)) as there:
            await there.exchange.advance(60)
            there.clock.set_ns(there.exchange.market.now_ns)
            await fetched(there, tmp_path, kind="trades")
        assert (tmp_path / "instruments.toml").read_text() == own

    run(work())


@pytest.mark.long
def test_a_recording_is_what_the_feed_handed_over(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            recording = asyncio.create_task(
                fetched(there, tmp_path, kind="both", since_ns=0, minutes=0.2)
            )
            for _ in range(13):
                await there.clock.wait_for_sleepers(3)
                await there.exchange.advance(1)
                await there.clock.advance(1)
                if recording.done() or there.clock.now_ns() >= START_NS + 12 * NS_PER_SECOND:
                    break
            paths, _ = await recording
            assert [path.name.split("_")[2] for path in paths[:2]] == ["quotes", "trades"]
            trades = [event for event in replayed(tmp_path) if isinstance(event, Trade)]
            assert [each.price_units for each in trades] == list(range(6_000_001, 6_000_101))

    run(work())


@pytest.mark.long
def test_an_interrupted_recording_keeps_what_it_has(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            recording = asyncio.create_task(
                fetched(there, tmp_path, kind="trades", since_ns=0, minutes=60)
            )
            for _ in range(3):
                await there.pass_time(1, sleepers=2)
            recording.cancel()
            await recording
            assert len(replayed(tmp_path)) == 30

    run(work())


def test_history_from_yahoo_is_exact_and_tells_only_what_is_missing_in_session(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        bars = yahoo_minutes(OPENS_NS, 30, without=range(4, 6))
        async with world(listed("SPY", bars)) as there:
            await there.exchange.advance_to(OPENS_NS + (20 * 60 + 2) * NS_PER_SECOND)
            there.clock.set_ns(there.exchange.market.now_ns)
            out = tmp_path / "out"
            paths, said = await fetched(
                there,
                out,
                source="yahoo",
                exchange="",
                markets={"SPY": "SPY"},
                cache_dir=tmp_path / "cache",
            )
            events = replayed_bars(paths[0])
            assert len(events) == 18
            assert events[0] == "2026-01-01T13:30:00Z,187.43,187.50,187.40,187.44,1200"
            [told] = said
            assert "2 bars are missing from 2026-01-01T13:34:00Z on" in told

    run(work())


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "quotes"}, "no history of quotes"),
        ({"markets": {"X": "NO/SUCH"}}, "has no market 'NO/SUCH'"),
        ({"source": "yahoo", "kind": "trades"}, "yahoo has bars only: --kind bars"),
        ({"since_ns": START_NS + 1, "kind": "trades"}, "no row came"),
    ],
)
def test_what_cannot_be_fetched_is_refused_and_leaves_nothing(
    settings: dict[str, Any], words: str, tmp_path: Path
) -> None:
    async def work() -> None:
        async with world(listing(trades=0)) as there:
            await there.exchange.advance(60)
            there.clock.set_ns(there.exchange.market.now_ns)
            with pytest.raises((DataError, FeedFailedError), match=words):
                await fetched(there, tmp_path, **settings)
            assert list(tmp_path.iterdir()) == []

    run(work())


@pytest.mark.long
def test_a_failure_half_way_leaves_no_file(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listing(trades=2_500, every_s=0.01)) as there:
            await there.exchange.advance(60)
            there.clock.set_ns(there.exchange.market.now_ns)
            there.exchange.fail("aggTrades", Fault.UNAVAILABLE, after=1, times=1_000)
            task = asyncio.create_task(fetched(there, tmp_path, kind="trades"))
            await there.clock.wait_for_sleepers()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert list(tmp_path.iterdir()) == []

    run(work())


@pytest.mark.long
def test_the_command_fetches_and_names_the_files(
    logos_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        async with world(minute_bars(30)) as there:
            await there.exchange.advance(600)
            parser = argparse.ArgumentParser()
            command.add_arguments(parser)
            words = ["fetch", "ccxt", "--exchange", "binance", "--url", there.exchange.url]
            words += ["--markets", "BTCUSDT=BTC/USDT", "--since", "2026-01-01"]
            code = await asyncio.to_thread(command.run, parser.parse_args(words))
            assert code == 0

    run(work())
    folder = logos_home / "data" / "cache" / "binance"
    names = sorted(path.name for path in folder.iterdir())
    name = "BTCUSDT_binance_1m_2026-01-01T000000Z.csv"
    assert names == [name, f"{name}.fetched.json", "instruments.toml"]
    assert "BTCUSDT_binance_1m_2026-01-01T000000Z.csv" in capsys.readouterr().out
    assert all(isinstance(event, Bar) for event in replayed(folder))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["ccxt", "--markets", "A=A/B", "--since", "2026-01-01"], "ccxt needs an exchange"),
        (["yahoo", "--markets", "A;B", "--since", "2026-01-01"], "'A;B' is not a symbol"),
        (["ccxt", "--exchange", "no", "--markets", "A", "--minutes", "1"], "no exchange called"),
    ],
)
def test_the_command_refuses_with_what_to_write(
    words: list[str], complaint: str, logos_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(["fetch", *words])) == 3
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "markets"),
    [
        ("BTCUSDT=BTC/USDT,SPY", {"BTCUSDT": "BTC/USDT", "SPY": "SPY"}),
        ("EURUSD=X,ES=F,^GSPC", {"EURUSD=X": "EURUSD=X", "ES=F": "ES=F", "^GSPC": "^GSPC"}),
        ("EURUSD=EURUSD=X", {"EURUSD": "EURUSD=X"}),
        ("EURUSD=X=EURUSD=X", {"EURUSD=X": "EURUSD=X"}),
        ("BTC/USDT:USDT,BTC_USDT", {"BTC/USDT:USDT": "BTC/USDT:USDT", "BTC_USDT": "BTC_USDT"}),
    ],
)
def test_a_market_may_have_any_name_of_its_source(text: str, markets: dict[str, str]) -> None:
    assert fetch_command._markets(text) == markets


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-01-01T00:00:00"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    fetch_command.add_arguments(parser)
    with pytest.raises(argparse.ArgumentError):
        parser.parse_args(["yahoo", "--markets", "A", "--since", text])
    assert format_timestamp(START_NS) == "2026-01-01T00:00:00Z"


def test_a_recording_from_yahoo_is_what_the_feed_handed_over(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await there.exchange.advance_to(OPENS_NS + 5 * NS_PER_SECOND)
            there.clock.set_ns(there.exchange.market.now_ns)
            recording = asyncio.create_task(
                fetched(
                    there,
                    tmp_path / "out",
                    source="yahoo",
                    exchange="",
                    markets={"SPY": "SPY"},
                    cache_dir=tmp_path / "cache",
                    since_ns=0,
                    minutes=3,
                )
            )
            for _ in range(17):
                await there.pass_time(10, sleepers=2)
            await there.exchange.advance(10)
            await there.clock.advance(10)
            paths, said = await recording
            rows = replayed_bars(paths[0])
            # The third bar had closed five seconds ago, and was not asked for yet.
            assert [row.split(",")[0] for row in rows] == [
                "2026-01-01T13:30:00Z", "2026-01-01T13:31:00Z",
            ]  # fmt: skip
            assert rows[0] == "2026-01-01T13:30:00Z,187.43,187.50,187.40,187.44,1200"
            assert said == []

    run(work())


@pytest.mark.long
def test_a_price_between_two_ticks_of_an_exchange_is_no_noise(tmp_path: Path) -> None:
    """Only Yahoo's prices, which are rounded doubles, are brought to the nearest tick."""

    async def work() -> None:
        made = minute_bars(3)
        made.bars[2] = dataclasses.replace(made.bars[2], close="60000.1149")
        async with world(made) as there:
            await there.exchange.advance(300)
            there.clock.set_ns(there.exchange.market.now_ns)
            _, said = await fetched(there, tmp_path, kind="bars")
            assert len(replayed(tmp_path)) == 2
            assert any("60000.1149" in line for line in said)

    run(work())


def test_neither_history_nor_a_recording_is_asked_for_unless_it_is_said() -> None:
    request = FetchRequest(source="ccxt", markets={}, out=Path("out"))
    assert (request.since_ns, request.until_ns, request.minutes) == (0, 0, 0.0)


@pytest.mark.long
@pytest.mark.parametrize(
    ("source", "market", "cause"),
    [
        (["ccxt", "--exchange", "binance"], "BTCUSDT=BTC/USDT", "Connect call failed"),
        (["yahoo"], "SPY", "Failed to connect"),
        (["alpaca"], "SPY", "Connection refused"),
    ],
    ids=["ccxt", "yahoo", "alpaca"],
)
def test_without_a_network_it_names_the_cause_and_ctrl_c_leaves_nothing(
    source: list[str], market: str, cause: str, tmp_path: Path
) -> None:
    with socket.socket() as closed:  # bound and never listened at: a connection is refused
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        words = ["data", "fetch", *source, "--url", address]
        words += ["--markets", market, "--since", "2026-01-05", "--out", "cache"]
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "logos.live", *words],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"APCA_API_KEY_ID": "PKTEST", "APCA_API_SECRET_KEY": "not-a-secret"},
        )  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "RETRYING" in first
        assert cause in first
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "logos data: interrupted before it was done\n"
    assert not list(tmp_path.iterdir())
