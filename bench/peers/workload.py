"""The work that every engine is given, and what must come out of it; standard library only.

Bars: one symbol, a walk in whole cents within a band; buy one when the mean of the last 10 closes
passes that of the last 30, sell it when it falls back. Quotes: three symbols in random order; each
symbol is bought and sold in turn on every hundredth of its quotes. One unit, no fees.

What must come out is computed here without an engine. Engines differ in when an order fills, so
there is a figure for each rule: at the close that decided (`signal_close`), at the next bar's open
(`next_open`), at the quote's own bid and ask (`bid_ask`), at the middle of the symbol's next quote
(`next_mid`). What is still held at the end is marked at the last close or the last middle; an order
that meets nothing any more is none.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from pathlib import Path
from random import Random

SYMBOLS = ("BTCUSD", "ETHUSD", "XAUUSD")
START_NS = 1_577_836_800_000_000_000
MINUTE_NS = 60_000_000_000

Bar = tuple[int, int, int, int, int, int]
"""When it closed, in nanoseconds; open, high, low and close in cents; volume."""

Quote = tuple[int, int, int, int]
"""When, in nanoseconds; which symbol; bid and ask in cents."""


class Crossing:
    """Whether to hold: sums of whole cents, so that every engine decides alike to the last bar."""

    def __init__(self) -> None:
        self.closes: deque[int] = deque(maxlen=30)
        self.long = False

    def sign(self, close: int) -> int:
        """1 to buy at this close, -1 to sell, 0 for neither."""
        self.closes.append(close)
        if len(self.closes) < 30:
            return 0
        fast = sum(list(self.closes)[-10:])
        above = 3 * fast > sum(self.closes)
        if above == self.long:
            return 0
        self.long = above
        return 1 if above else -1


def cents(price: float) -> int:
    """A price of two decimals as whole cents."""
    return round(price * 100)


def bars(count: int) -> list[Bar]:
    """`count` minute bars."""
    random, made, close = Random(1), [], 100_000
    for number in range(count):
        first = close + (random.randrange(-5, 6) if number else 0)
        step = round(random.gauss(0, 25))
        close = close + step if 50_000 <= close + step <= 150_000 else close - step
        high = max(first, close) + random.randrange(30)
        low = min(first, close) - random.randrange(30)
        when = START_NS + (number + 1) * MINUTE_NS
        made.append((when, first, high, low, close, random.randrange(1_000, 50_000)))
    return made


def quotes(count: int) -> list[Quote]:
    """`count` quotes, about 2 ms apart."""
    random, when, made = Random(2), START_NS, []
    bids, steps, spreads = [4_200_000, 220_000, 230_000], (150, 12, 8), (400, 20, 40)
    for _ in range(count):
        when += random.randrange(200_000, 3_800_000)
        which = random.randrange(3)
        bids[which] += round(random.gauss(0, steps[which]))
        spread = random.randrange(spreads[which] // 4, spreads[which])
        made.append((when, which, bids[which], bids[which] + spread))
    return made


def expected_of_bars(made: list[Bar]) -> dict[str, float]:
    """Orders, and profit in dollars by each rule of filling."""
    crossing, held, orders, now, later = Crossing(), 0, 0, 0, 0
    for number, bar in enumerate(made):
        sign = crossing.sign(bar[4])
        orders += sign != 0
        held += sign
        now -= sign * bar[4]
        later -= sign * (made[number + 1][1] if number + 1 < len(made) else bar[4])
    worth = held * made[-1][4]
    return {
        "orders": orders,
        "signal_close": (now + worth) / 100,
        "next_open": (later + worth) / 100,
    }


def expected_of_quotes(made: list[Quote]) -> dict[str, float]:
    """Orders, and profit in dollars by each rule of filling."""
    seen, held, orders, touching = [0, 0, 0], [0, 0, 0], 0, 0
    last, waiting, owned, later = [0.0] * 3, [0, 0, 0], [0, 0, 0], 0.0
    for _, which, bid, ask in made:
        seen[which] += 1
        last[which] = (bid + ask) / 2
        later -= waiting[which] * last[which]
        owned[which] += waiting[which]
        waiting[which] = 0
        if seen[which] % 100 == 0:
            waiting[which] = sign = 1 if seen[which] % 200 else -1
            orders += 1
            held[which] += sign
            touching -= sign * (ask if sign > 0 else bid)
    worth = [sum(map(float.__mul__, map(float, units), last)) for units in (held, owned)]
    return {
        "orders": orders,
        "bid_ask": (touching + worth[0]) / 100,
        "next_mid": (later + worth[1]) / 100,
    }


def write(folder: Path, bar_count: int, quote_count: int) -> None:
    """Write bars.csv, quotes.csv and expected.json; prices there are whole cents."""
    folder.mkdir(parents=True, exist_ok=True)
    made_bars, made_quotes = bars(bar_count), quotes(quote_count)
    for name, rows in (("bars.csv", made_bars), ("quotes.csv", made_quotes)):
        with (folder / name).open("w", newline="", encoding="ascii") as file:
            csv.writer(file).writerows(rows)
    expected = {"bars": expected_of_bars(made_bars), "quotes": expected_of_quotes(made_quotes)}
    (folder / "expected.json").write_text(json.dumps(expected, indent=2), encoding="ascii")


def read(folder: Path, name: str) -> list[tuple[int, ...]]:
    """The rows of bars.csv or quotes.csv."""
    with (folder / f"{name}.csv").open(newline="", encoding="ascii") as file:
        return [tuple(map(int, row)) for row in csv.reader(file)]


def report(events: int, seconds: float, orders: int, rule: str, profit: float) -> None:
    """Print what one run came to, as JSON: what the runner reads."""
    print(
        json.dumps(
            {
                "events": events,
                "seconds": seconds,
                "orders": orders,
                "rule": rule,
                "profit": round(profit, 2),
            }
        )
    )
