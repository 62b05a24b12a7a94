"""One paper session in a process of its own that orders on every tick, and times its gates.

Started by the tests and the campaign: `ordering_session.py OPTIONS` with one JSON object, see
`Options`; LOGOS_HOME says where. Everything is the real thing (`logos.session.run` with the
machine's file-backed switch and its default watching) but for two additions: every answer of gate
2 in the session's own thread is timed with the system-wide monotonic clock, and an engagement in
this process notes when it returned. Both go into a file that the starter has made and may read
meanwhile, and that survives a SIGKILL: 64-bit integers, see the constants.

Prints "go" after `announce_at` ticks, and one JSON object with the result at the end.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from logos import session
from logos.core.instrument import instrument
from logos.core.messages import Event, Quote
from logos.core.strategy import Answer, Context, Strategy, limit, market
from logos.core.types import Side, SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.status import EngageResult

SAFE_GATES = 0
"""How many times gate 2 let an order pass."""
ENGAGED_NS = 1
"""When engage() last returned in this process; 0: it was never called here."""
FIRST_REFUSAL_NS = 2
"""When the session's own thread first learned that the switch is engaged."""
ENGAGING_NS = 3
"""When engage() was last called in this process."""
HEADER = 8
"""From here on, two integers for each passed gate: when it was asked, and when it answered."""
GATES_MAX = 400_000
FILE_BYTES = 8 * (HEADER + 2 * GATES_MAX)

RUN_NS_MAX = 60_000_000_000
"""A session that nobody stops ends by itself, so that a failure does not hang."""
CHUNK = 256
AFTER_ENGAGEMENT_TICKS = 500
"""How long the feed goes on after the switch was seen, for `block`."""

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
BUY, SELL = market(Side.BUY, 1), market(Side.SELL, 1)
REST = limit(Side.BUY, 1, "5.00", tag="rests")


class Options(msgspec.Struct):
    """What the starter wants."""

    log: str
    """Path of the file of integers."""
    id: str = "ordering"
    on_engaged: str = "halt"
    announce_at: int = 1
    breach_on_line: bool = False
    """Wait for a line on standard input, then break a limit whose guard engages the switch."""
    linger: bool = False
    """When the feed would end, wait for a line on standard input first."""
    restart: bool = False
    """Nothing but an attempt to start: a few ticks, no endless feed."""


class GateLog:
    """The file of integers, as the session writes it."""

    def __init__(self, path: str) -> None:
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), FILE_BYTES)
        self.cells = memoryview(self._map).cast("q")

    def restart(self) -> None:
        """What was asked before the first event was no order."""
        self.cells[SAFE_GATES] = 0

    def passed(self, asked_ns: int, answered_ns: int) -> None:
        count = self.cells[SAFE_GATES]
        place = HEADER + 2 * count
        self.cells[place] = asked_ns
        self.cells[place + 1] = answered_ns
        self.cells[SAFE_GATES] = count + 1


def watch_gates(log: GateLog) -> None:
    """Put a clock beside the switch's gate, in whatever class the session makes its switch of."""
    own_thread = threading.get_ident()
    clock = time.monotonic_ns
    authority, engage = CircuitBreaker.authority, CircuitBreaker.engage

    def timed_authority(breaker: CircuitBreaker) -> SwitchState:
        asked_ns = clock()
        state = authority(breaker)
        if threading.get_ident() == own_thread:
            if state is SwitchState.SAFE:
                log.passed(asked_ns, clock())
            elif not log.cells[FIRST_REFUSAL_NS]:
                log.cells[FIRST_REFUSAL_NS] = clock()
        return state

    def timed_engage(breaker: CircuitBreaker, reason: str, by: str) -> EngageResult:
        log.cells[ENGAGING_NS] = clock()
        result = engage(breaker, reason, by)
        log.cells[ENGAGED_NS] = clock()
        return result

    CircuitBreaker.authority = timed_authority  # type: ignore[method-assign, assignment]
    CircuitBreaker.engage = timed_engage  # type: ignore[method-assign, assignment]


class OrdersAlways(Strategy):
    """Buys and sells in turn on every tick; now and then an order that rests."""

    def __init__(self, options: Options) -> None:
        self._seen = 0
        self._options = options

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self._seen += 1
        if self._seen == self._options.announce_at:
            os.write(1, b"go\n")
        if self._options.breach_on_line:
            sys.stdin.readline()
            return market(Side.BUY, 1_000)
        if self._seen % 100 == 0:
            return [BUY, REST]
        return BUY if self._seen % 2 else SELL


class EndlessFeed:
    """Quotes a second apart, until the switch was seen and a little longer."""

    def __init__(self, log: GateLog, options: Options) -> None:
        self._log = log
        self._chunk = 1 if options.breach_on_line else CHUNK
        self._events_max = 10 if options.restart else 10_000_000
        self._linger = options.linger

    def chunks(self) -> Iterator[Sequence[Event]]:
        cells = self._log.cells
        self._log.restart()
        end_ns = time.monotonic_ns() + RUN_NS_MAX
        number, after = 0, 0
        while (
            after < AFTER_ENGAGEMENT_TICKS
            and number < self._events_max
            and cells[SAFE_GATES] < GATES_MAX - 2 * self._chunk
            and time.monotonic_ns() < end_ns
        ):
            if cells[FIRST_REFUSAL_NS]:
                after += self._chunk
            quotes = [
                Quote(second * 1_000_000_000, "ACME", 1000, 1002, 100, 100, ACME)
                for second in range(number + 1, number + 1 + self._chunk)
            ]
            number += self._chunk
            yield quotes
        if self._linger:
            sys.stdin.readline()


def settings(options: Options) -> dict[str, Any]:
    """The session's configuration: orders fill at once, and one guard engages the switch."""
    return {
        "session": {"id": options.id, "sample_interval_s": 0},
        "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
        "account": {"balances": {"USD": "1000000000"}},
        "paper": {"fill": "bid_ask"},
        "risk": {
            "unlimited": True,
            "max_order_quantity": "100",
            "actions": {"max_order_quantity": "engage"},
        },
        "switch": {"on_engaged": options.on_engaged},
    }


def main() -> int:
    """Run the session; its exit code, and its result on standard output."""
    options = msgspec.json.decode(sys.argv[1], type=Options)
    log = GateLog(options.log)
    watch_gates(log)
    feed = EndlessFeed(log, options)
    try:
        result = session.run(settings(options), strategy=OrdersAlways(options), feed=feed)
    except session.SwitchEngagedError as error:
        print(error, file=sys.stderr)
        return int(session.ExitCode.HALTED)
    print(
        json.dumps(
            {
                "status": result.status.value,
                "reason": result.reason,
                "orders": result.summary["orders"],
                "blocked": result.summary["blocked"],
                "switch": result.summary["switch_state"],
            }
        ),
        flush=True,
    )
    return int(result.exit_code)


if __name__ == "__main__":
    sys.exit(main())
