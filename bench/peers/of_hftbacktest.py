"""hftbacktest: `of_hftbacktest.py FOLDER quotes`, its strategy compiled by numba.

It knows changes of book levels, not quotes: each quote becomes up to four of them (the old best bid
and ask go, the new ones come). The strategy asks which symbol was fed. The time is of a second run
in the process: the first compiles.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.types import event_dtype
from numba import njit
from workload import read, report

BIDS = DEPTH_EVENT | EXCH_EVENT | LOCAL_EVENT | BUY_EVENT
ASKS = DEPTH_EVENT | EXCH_EVENT | LOCAL_EVENT | SELL_EVENT


def levels(quotes: Any) -> Any:
    """The changes of levels of one symbol's quotes (int64 columns: when, which, bid, ask)."""
    when, bid, ask = quotes[:, 0], quotes[:, 2] / 100, quotes[:, 3] / 100
    made = np.zeros((len(quotes), 4), event_dtype)
    made["exch_ts"] = made["local_ts"] = when[:, None]
    made["ev"] = [BIDS, ASKS, BIDS, ASKS]
    made["px"] = np.stack([np.roll(bid, 1), np.roll(ask, 1), bid, ask], axis=1)
    made["qty"][:, 2:] = 100
    kept = np.ones((len(quotes), 4), bool)
    kept[1:, 0] = bid[1:] != bid[:-1]
    kept[1:, 1] = ask[1:] != ask[:-1]
    kept[0, :2] = False
    return np.ascontiguousarray(made[kept])


def engine(events: list[Any]) -> Any:
    """A new one over the events of each symbol: no latency, no fees, whole fills."""
    assets = [
        BacktestAsset()
        .data(each)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(0.01)
        .lot_size(1.0)
        .last_trades_capacity(0)
        for each in events
    ]
    return HashMapMarketDepthBacktest(assets)


@njit
def trade(market: Any, counts: Any) -> None:
    """Every hundredth quote of a symbol: bought and sold in turn. counts: three seen, orders."""
    while market.wait_next_feed(False, 10_000_000_000) == 2:
        now = market.current_timestamp
        for which in range(3):
            fed = market.feed_latency(which)
            if fed is None:
                continue
            _, when = fed  # numba cannot index what may be None
            if when == now:
                counts[which] += 1
                if counts[which] % 100 == 0:
                    counts[3] += 1
                    depth = market.depth(which)
                    if counts[which] % 200 != 0:
                        market.submit_buy_order(
                            which, counts[3], depth.best_ask, 1.0, GTC, MARKET, False
                        )
                    else:
                        market.submit_sell_order(
                            which, counts[3], depth.best_bid, 1.0, GTC, MARKET, False
                        )
                    market.clear_inactive_orders(which)
                break


def main(folder: Path) -> None:
    """Run it twice and report the second."""
    rows = np.array(read(folder, "quotes"), dtype=np.int64)
    events = [levels(rows[rows[:, 1] == which]) for which in range(3)]
    first = engine(events)
    trade(first, np.zeros(4, np.int64))
    first.close()
    market, counts = engine(events), np.zeros(4, np.int64)
    began = time.perf_counter()
    trade(market, counts)
    seconds = time.perf_counter() - began
    profit = 0.0
    for which in range(3):
        state = market.state_values(which)
        last = rows[rows[:, 1] == which][-1]
        profit += float(state.balance) + float(state.position) * (last[2] + last[3]) / 200
    report(int(counts[:3].sum()), seconds, int(counts[3]), "bid_ask", profit)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
