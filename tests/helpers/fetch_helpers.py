"""`logos data fetch` against a local exchange: what its tests share."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from live_helpers import World

from logos.adapters.fetch import fetch_async
from logos.adapters.fetch_request import FetchRequest
from logos.testing.clock import START_NS


def request_of(there: World, out: Path, **settings: Any) -> FetchRequest:
    defaults: dict[str, Any] = {
        "source": "ccxt",
        "exchange": "binance",
        "markets": {"BTCUSDT": "BTC/USDT"},
        "out": out,
        "url": there.exchange.url,
        "since_ns": START_NS,
        "until_ns": there.exchange.market.now_ns,
    }
    return FetchRequest(**(defaults | settings))


async def fetched(there: World, out: Path, **settings: Any) -> tuple[list[Path], list[str]]:
    said: list[str] = []
    request = request_of(there, out, **settings)
    return await fetch_async(request, there.clock, Random(1), said.append), said


def replayed_bars(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]
