"""A live paper session on a local exchange, through the real client library.

The exchange plays back the recorded quotes and trades of BTCUSDT and ETHUSDT at 1, 10 and 100 times
their pace; the session ends by itself; then it is run again from what it recorded.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from live_session_helpers import Alternating

from logos.audit.verify import verify
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.types import SessionStatus
from logos.session.entry import replay, run_live
from logos.simulators.exchange.playback import exchange_of, play


@contextmanager
def playing(data: Path, speed: float) -> Iterator[str]:
    """The exchange in a thread and a loop of its own; its address."""
    ready = threading.Event()
    address: list[str] = []
    ended: list[asyncio.Event] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        exchange = exchange_of(data, speed, ["BTCUSDT", "ETHUSDT"])
        async with exchange:
            over = asyncio.Event()
            address.append(exchange.url)
            ended.append(over)
            ready.set()
            player = asyncio.create_task(play(exchange))
            await over.wait()
            player.cancel()
            await asyncio.gather(player, return_exceptions=True)

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(60)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(ended[0].set)
        thread.join()


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("speed", "transport"),
    [(1, "websocket"), (10, "poll"), (10, "websocket"), (100, "websocket")],
)
def test_a_live_session_through_ccxt_replays_to_the_same_bytes(
    tmp_path: Path, market_data: Path, speed: int, transport: str
) -> None:
    with playing(market_data, speed) as url:
        config = make_config(
            {
                "session": {"id": "live"},
                "paper": {"fill": "bid_ask"},
                "orders": {"quantity": "0.01"},
                # The strategy orders at every price: more than the order rate lets pass.
                "risk": {"unlimited": True},
                "live": {
                    "feed": "ccxt",
                    "exchange": "binance",
                    "url": url,
                    "kind": "both",
                    "transport": transport,
                    "poll_interval_ms": 100,
                    "stop_after_s": 4,
                },
                "instruments": {
                    f"{base}USDT": {"base": base, "quote": "USDT", "tick": "0.01", "lot": "0.0001"}
                    for base in ("BTC", "ETH")
                },
            }
        )
        result = run_live(
            config,
            strategy=Alternating(),
            switch=InProcessSwitch(),
            home=tmp_path,
            tell=lambda _: None,
        )
    assert result.status is SessionStatus.ENDED
    assert result.summary["live"]["market_events"] > 5
    assert result.summary["fills"] > 0
    replayed = replay("live", strategy=Alternating(), home=tmp_path)
    assert replayed.summary == result.summary
    assert verify(result.folder).exit_code == 0
