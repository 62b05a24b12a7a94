"""`logos.run_live`: awaited inside a running loop, as notebooks have one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from library_helpers import CASH, WORDS, Crossing, frame
from places import CACHE
from waiting import until

import logos
from logos.core.types import SessionStatus
from logos.feeds.contract import Sink

AT_ONCE: dict[str, Any] = {"config": {"live": {"speed": 0}}}


@pytest.mark.long
def test_recorded_files_are_played_through_the_live_loop(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def main() -> logos.Result:
        return await logos.run_live(
            Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH, home=tmp_path, **AT_ONCE
        )

    result = asyncio.run(main())
    assert result.status is SessionStatus.ENDED
    assert result.summary["live"]["market_events"] == 1170
    assert capfd.readouterr() == ("", "")
    again = logos.replay(result.session_id, strategy=Crossing(60), home=tmp_path)
    assert again.summary["currencies"] == result.summary["currencies"]


def test_a_table_is_played_too_and_needs_not_be_given_again(tmp_path: Path) -> None:
    async def main() -> logos.Result:
        data = logos.bars(frame().head(200), **WORDS)
        return await logos.run_live(Crossing(60), data=data, cash=CASH, home=tmp_path, **AT_ONCE)

    result = asyncio.run(main())
    assert result.summary["ticks"] >= 200
    logos.replay(result.session_id, strategy=Crossing(60), home=tmp_path)


class Endless:
    """A feed of one's own that never ends."""

    name = "endless"
    symbols = ("ACME",)

    def __init__(self) -> None:
        self.sent = 0

    async def run(self, sink: Sink) -> None:
        import time

        made = logos.instrument("ACME", tick="0.01", lot="1", quote="USD")
        while True:
            now_ns = time.time_ns()
            sink.market(logos.Quote(now_ns, "ACME", 1000, 1001, 1, 1, made), now_ns)
            self.sent += 1
            await asyncio.sleep(0)


def test_a_cancelled_call_stops_the_session_in_order(tmp_path: Path) -> None:
    feed = Endless()

    async def main() -> None:
        call = logos.run_live(
            Crossing(60),
            feeds=[feed],
            instruments={"ACME": {"tick": "0.01", "lot": "1", "quote": "USD"}},
            cash=CASH,
            home=tmp_path,
            session_id="mine",
        )
        task = asyncio.create_task(call)
        await until(lambda: feed.sent >= 20, "twenty quotes", task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert logos.result("mine", home=tmp_path).status is SessionStatus.STOPPED


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"feeds": "mars"}, "feeds: 'mars' is none; name one of ccxt"),
        ({}, "no live data: name a feed, such as feeds='ccxt'"),
        ({"config": {"venue": {"live": True, "name": "ccxt"}}}, "venue"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, words: dict[str, Any], message: str) -> None:
    with pytest.raises(logos.LogosError, match=message):
        asyncio.run(logos.run_live(Crossing(60), home=tmp_path, **words))


def test_settings_for_a_live_feed_are_not_for_run(tmp_path: Path) -> None:
    with pytest.raises(logos.ConfigError, match=r"await logos\.run_live"):
        logos.run(Crossing(60), config={"live": {"feed": "replay"}}, data=CACHE, home=tmp_path)


@pytest.mark.long
def test_a_stopped_live_session_is_resumed_inside_a_loop(tmp_path: Path) -> None:
    async def main() -> logos.Result:
        words: dict[str, Any] = {
            "config": {"live": {"speed": 1200, "heartbeat_ms": 50}},
            "data": CACHE,
            "symbols": ["ACME"],
            "end": "2026-01-05T14:00:00Z",
            "cash": CASH,
            "home": tmp_path,
        }
        task = asyncio.create_task(logos.run_live("sma_cross", **words))
        inputs = tmp_path / "runs" / "live" / "sessions" / "session-0001" / "inputs.jsonl"
        await until(lambda: inputs.is_file() and inputs.stat().st_size > 0, "inputs", task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert logos.result("session-0001", home=tmp_path).status is SessionStatus.STOPPED
        return logos.resume("session-0001", home=tmp_path)

    assert asyncio.run(main()).status is SessionStatus.ENDED
