"""Where the time of an order goes, and which part of it bounds the rate.

A market order is made, waits for the gateway's lock, is sent and read, is answered, and is booked.
Each part is the difference of two times in the journal and the gateway's log, which one machine's
clock gave. What bounds the rate is what had no time left: the gateway's lock, the processor of the
engine or of the simulator, or the number of orders that may be in flight. An engine that saw only
some of the prices, because newer ones took their place, had no time either, whoever else used the
machine. Otherwise it was the signals: nothing was offered that was not served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from logos.adapters.mt5.terminal import GATEWAY_CLOSED, GATEWAY_OPENED
from logos.core.records import OrderRecord, OrderUpdate
from logos.core.types import OrderStatus, OrderType
from logos.simulators.mt5.simulator import TIMER_S
from logos.stress.evidence import Evidence, Record
from logos.stress.gateway_rules import ACQUIRE, ANSWER, RELEASE
from logos.stress.plan import StressPlan

STAGES: Final = ("to the gateway", "for the lock", "until read", "until answered", "until booked")
"""Each begins where the one before ends; the first when the order is made."""

BUSY: Final = 0.7
"""From this share of the time on, something counts as having none left."""

_NS: Final = 1_000_000_000


class Load(msgspec.Struct, frozen=True):
    """What was used of what there is; shares are of the time between first and last order."""

    in_flight: float = 0.0
    """Market orders made and not filled yet, on average."""
    offered_per_s: float = 0.0
    """Signals that there would be if the strategy saw every price and waited for nothing."""
    reads_per_s: float = 0.0
    """Requests that the terminal's timer lets it read a second; 0: it waits for no timer."""
    in_flight_max: int = 0
    engine_cpu_ns: int = 0
    """Of the whole live session; 0: not told."""
    simulator_cpu_ns: int = 0
    seen_share: float = 1.0
    """Of the prices that the simulator made, those that the strategy saw."""
    engine_share: float = 0.0
    simulator_share: float = 0.0


def stages_of(evidence: Evidence) -> dict[str, list[int]]:
    """The durations (ns) of each stage, over the market orders that were filled."""
    acquired, read, answered = _gateway_times(evidence.gateway)
    found: dict[str, list[int]] = {name: [] for name in STAGES}
    made: dict[int, tuple[int, str]] = {}
    for record in evidence.journal:
        if isinstance(record, OrderRecord) and record.type is OrderType.MARKET:
            made[record.order_id] = (record.ts_ns, record.client_order_id)
        elif isinstance(record, OrderUpdate) and record.status is OrderStatus.FILLED:
            made_ns, token = made.pop(record.order_id, (0, ""))
            if token not in acquired or token not in answered:
                continue
            at_ns, wait_ns = acquired[token]
            moments = (
                made_ns, at_ns - wait_ns, at_ns, read[token], answered[token], record.ts_ns
            )  # fmt: skip
            for name, begin_ns, end_ns in zip(STAGES, moments, moments[1:], strict=False):
                found[name].append(max(0, end_ns - begin_ns))
    return found


def _gateway_times(
    records: Sequence[Record],
) -> tuple[dict[str, tuple[int, int]], dict[str, int], dict[str, int]]:
    """By a request's token: when it had the lock and after what wait, when it was read, and when it
    was answered (where answers have no ids that is one)."""
    acquired: dict[str, tuple[int, int]] = {}
    read: dict[str, int] = {}
    answered: dict[str, int] = {}
    tokens: dict[str, str] = {}
    token = ""
    for record in records:
        if record["action"] == ACQUIRE:
            token = record["token"]
            acquired[token] = (record["ts_ns"], record["wait_ns"])
        elif record["action"] == RELEASE:
            read[token] = record["ts_ns"]
            if "rid" in record:
                tokens[record["rid"]] = token
            else:
                answered[token] = record["ts_ns"]
        elif record["action"] == ANSWER and record["rid"] in tokens:
            answered[tokens[record["rid"]]] = record["ts_ns"]
    return acquired, read, answered


def answers_of(evidence: Evidence) -> list[int]:
    """How long each answer took after its request was read, or was taken up where it has no id."""
    ids = [each["took_ns"] for each in evidence.gateway if each["action"] == ANSWER]
    return ids or [each["hold_ns"] for each in evidence.gateway if "hold_ns" in each]


def load_of(evidence: Evidence, filled: Sequence[int], seconds: float) -> Load:
    """What was used, with the durations of the filled orders (ns)."""
    opened = _last(evidence.gateway, GATEWAY_OPENED)
    closed = _last(evidence.gateway, GATEWAY_CLOSED)
    engine_ns = closed.get("cpu_ns", 0) - opened.get("cpu_ns", 0)
    simulator_ns = evidence.books.get("cpu_ns", 0)
    return Load(
        in_flight=sum(filled) / _NS / seconds,
        offered_per_s=offered_per_s(evidence.plan),
        reads_per_s=1 / TIMER_S if evidence.plan.ea == "published" else 0.0,
        in_flight_max=evidence.plan.in_flight,
        engine_cpu_ns=engine_ns,
        simulator_cpu_ns=simulator_ns,
        seen_share=_seen_share(evidence),
        engine_share=engine_ns / _NS / seconds,
        simulator_share=simulator_ns / _NS / seconds,
    )


def offered_per_s(plan: StressPlan) -> float:
    """Signals a second: each symbol gives one at each so many prices, whatever can be carried."""
    return sum(1000 / each.interval_ms for each in plan.symbols) / plan.every


def _seen_share(evidence: Evidence) -> float:
    """Events that the strategy saw between its first and last order, of the prices made then."""
    orders = evidence.of(OrderRecord)
    if len(orders) < 2 or evidence.plan.kill:
        return 1.0
    seen = orders[-1].tick_id - orders[0].tick_id
    seconds = (orders[-1].ts_ns - orders[0].ts_ns) / _NS
    made = seconds * sum(1000 / each.interval_ms for each in evidence.plan.symbols)
    return min(1.0, seen / made) if made else 1.0


def _last(records: Sequence[Record], action: str) -> Mapping[str, int]:
    return next((each for each in reversed(records) if each["action"] == action), {})


def bound_words(load: Load, slowest: str) -> str:
    """What bounded the rate where it was not the lock; `slowest` is the longest stage."""
    for share, name in ((load.engine_share, "engine"), (load.simulator_share, "simulator")):
        if share >= BUSY:
            return f"the {name}: it used {share:.0%} of a processor"
    if load.in_flight_max and load.in_flight >= BUSY * load.in_flight_max:
        return (
            f"the orders in flight: {load.in_flight:.1f} of {load.in_flight_max} on average, so "
            f"that more was offered than was served; most of an order's time was {slowest}"
        )
    if load.seen_share < BUSY:
        return (
            f"the engine: its strategy saw {load.seen_share:.0%} of the prices, newer ones took "
            f"the place of the others; most of an order's time was {slowest}"
        )
    return "the signals: whatever was offered was served"
