"""How fast a stress run was, and what bounded it: from the journal, the gateway's log, the audit.

Latency runs from an order's making to its venue's yes, and to its fill in the books, by the times
of the journal. Throughput is what reached the simulator, by its audit. The gateway serves one
request at a time, so the share of time that its lock was held says how near its bound it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from logos.adapters.mt5.tickets.legs import order_comment
from logos.core.records import OrderRecord, OrderUpdate, RefusalRecord
from logos.core.types import OrderStatus, OrderType
from logos.stress.evidence import Evidence
from logos.stress.results import ALL, Result, results_of
from logos.stress.stages import BUSY, Load, answers_of, bound_words, load_of, stages_of

_NS: Final = 1_000_000_000


class Spread(msgspec.Struct, frozen=True):
    """Of a set of durations, nanoseconds."""

    count: int = 0
    p50_ns: int = 0
    p99_ns: int = 0
    max_ns: int = 0


class Numbers(msgspec.Struct, frozen=True):
    """The figures of one run; rates are a second."""

    orders: int
    seconds: float
    """From the first to the last order at the simulator."""
    orders_per_s: float
    best_orders_per_s: int
    """In the best whole second."""
    requests_per_s: float
    requests_per_order: float
    lock_held_share: float
    """Of the time between first and last order."""
    hold: Spread
    wait: dict[str, Spread]
    """For the gateway's lock, by symbol; "*" is questions about the whole account."""
    accepted: dict[str, Spread]
    """By symbol, and "all"."""
    filled: dict[str, Spread]
    lost_replies: int
    refusals: dict[str, int]
    results: dict[str, Result]
    """By symbol, and "all"."""
    switch: str
    """The kill switch's state at the end."""
    answer: Spread = Spread()
    """From a request's being read to its answer."""
    waits: Spread = Spread()
    """For the lock, of all requests."""
    stages: dict[str, Spread] = {}
    """Of market orders that were filled, by `stages.STAGES`."""
    load: Load = Load()

    @property
    def bound(self) -> str:
        """What the throughput was bounded by, in words."""
        share = f"{self.lock_held_share:.0%}"
        reads = self.load.reads_per_s
        if reads and self.requests_per_s >= BUSY * reads:
            return (
                f"the terminal's timer: it reads one request at each event, {reads:.0f} a second "
                f"at most, {self.requests_per_order:.1f} requests an order; the gateway's lock was "
                f"held {share} of the time"
            )
        if self.lock_held_share >= BUSY:
            return (
                f"the gateway: its lock was held {share} of the time, "
                f"{self.requests_per_order:.1f} requests an order, "
                f"{self.hold.p50_ns / 1e6:.1f} ms each (median); a terminal answers one at a time"
            )
        slowest = max(self.stages, key=lambda name: self.stages[name].p50_ns, default="")
        words = bound_words(self.load, slowest)
        return f"{words}; the gateway's lock was held {share} of the time"


def spread(durations: Iterable[int]) -> Spread:
    """Count, median, 99th percentile (of the values themselves) and maximum."""
    values = sorted(durations)
    if not values:
        return Spread()
    return Spread(len(values), _at(values, 50), _at(values, 99), values[-1])


def _at(values: Sequence[int], percent: int) -> int:
    return values[max(0, -(-len(values) * percent // 100) - 1)]


def numbers_of(evidence: Evidence) -> Numbers:
    """All figures of a run."""
    # One order may come to several requests, which count up behind its comment.
    firsts = [e for e in evidence.requests if order_comment(e["client_id"]) == e["client_id"]]
    orders = len({order_comment(each["comment"]) for each in evidence.taken})
    moments = [each["ts_ns"] for each in firsts]
    first_ns, last_ns = (min(moments), max(moments)) if moments else (0, 0)
    seconds = max(last_ns - first_ns, 1) / _NS
    by_second: dict[int, int] = defaultdict(int)
    for moment_ns in moments:
        by_second[(moment_ns - first_ns) // _NS] += 1
    during = [each for each in evidence.gateway if first_ns <= each["ts_ns"] <= last_ns]
    holds = [each["hold_ns"] for each in during if "hold_ns" in each]
    waits: dict[str, list[int]] = defaultdict(list)
    for each in evidence.gateway:
        if "wait_ns" in each:
            waits[each["symbol"]].append(each["wait_ns"])
    refusals: dict[str, int] = defaultdict(int)
    for record in evidence.journal:
        if isinstance(record, RefusalRecord):
            refusals[record.code.value] += 1
    accepted, filled = order_lives(evidence)
    return Numbers(
        orders=orders,
        seconds=seconds,
        orders_per_s=orders / seconds,
        best_orders_per_s=max(by_second.values(), default=0),
        requests_per_s=len(holds) / seconds,
        requests_per_order=len(holds) / max(orders, 1),
        lock_held_share=sum(holds) / _NS / seconds,
        hold=spread(holds),
        wait={symbol: spread(values) for symbol, values in sorted(waits.items())},
        accepted={symbol: spread(values) for symbol, values in accepted.items()},
        filled={symbol: spread(values) for symbol, values in filled.items()},
        lost_replies=sum(each["action"] == "ZMQ_REPLY_LOST" for each in evidence.gateway),
        refusals=dict(refusals),
        results=results_of(evidence),
        switch=str(evidence.switch[-1]["state"]),
        answer=spread(answers_of(evidence)),
        waits=spread(each for values in waits.values() for each in values),
        stages={name: spread(values) for name, values in stages_of(evidence).items()},
        load=load_of(evidence, filled[ALL], seconds) if moments else Load(),
    )


def order_lives(evidence: Evidence) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """How long market orders took to be accepted and to be filled (ns), by symbol, and `ALL`."""
    made: dict[int, int] = {}
    accepted: dict[str, list[int]] = {ALL: []}
    filled: dict[str, list[int]] = {ALL: []}
    for record in evidence.journal:
        if isinstance(record, OrderRecord) and record.type is OrderType.MARKET:
            made[record.order_id] = record.ts_ns
        elif isinstance(record, OrderUpdate) and record.order_id in made:
            into = {OrderStatus.ACCEPTED: accepted, OrderStatus.FILLED: filled}.get(record.status)
            if into is not None:
                took_ns = record.ts_ns - made[record.order_id]
                into[ALL].append(took_ns)
                into.setdefault(record.symbol, []).append(took_ns)
    return accepted, filled
