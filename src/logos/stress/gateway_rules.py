"""Rules on the gateway's log: locks in pairs, each with its request, times, and silence.

The gateway says when it took and let go of its lock, for whom, and what came of the request. The
simulator says by itself which requests it read. Neither is believed without the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from logos.adapters.mt5.gateway.accesses import WHOLE_ACCOUNT
from logos.adapters.mt5.gateway.wire import TRADE, Outcome
from logos.adapters.mt5.terminal import GATEWAY_CLOSED, GATEWAY_OPENED
from logos.core.types import SwitchState
from logos.stress.evidence import Evidence, Record

_NS: Final = 1_000_000_000
_CLOCKS_APART_NS: Final = _NS
"""What a lock's hold and its times may differ by: they are read one after the other, on a machine
that may be busy."""

_SILENCE_SLACK_S: Final = 0.5
"""What an engagement may come late by, for the same reason."""

ACQUIRE: Final = "ZMQ_LOCK_ACQUIRE"
RELEASE: Final = "ZMQ_LOCK_RELEASE"
FENCE: Final = "ZMQ_FENCE"
ANSWER: Final = "ZMQ_ANSWER"


class Asked(NamedTuple):
    """One request as the gateway's log has it."""

    name: str
    """Of its access, for people."""
    token: str
    symbol: str
    """Of the request: empty for one about the whole account."""
    began_ns: int
    ended_ns: int
    """0: the process was killed before."""
    outcome: str


class Life(NamedTuple):
    """What one process wrote into the gateway's log."""

    tokens: str
    records: Sequence[Record]

    @property
    def is_closed(self) -> bool:
        """Whether it ended in order."""
        return bool(self.records) and self.records[-1]["action"] == GATEWAY_CLOSED

    @property
    def ended_ns(self) -> int:
        """The time of its last record."""
        return int(self.records[-1]["ts_ns"])


def lives_of(evidence: Evidence) -> list[Life]:
    """The log, process by process. Raises ValueError where it does not begin with one."""
    lives: list[Life] = []
    for record in evidence.gateway:
        if record["action"] == GATEWAY_OPENED:
            lives.append(Life(str(record["tokens"]), []))
        if not lives:
            raise ValueError("the gateway's log does not begin with GATEWAY_OPENED")
        lives[-1].records.append(record)  # type: ignore[attr-defined]
    return lives


def asked_in(life: Life) -> Iterator[Asked]:
    """The requests of one life, fences included, in the order that their accesses ended."""
    held: Record | None = None
    later: dict[str, Asked] = {}
    for record in life.records:
        action = record["action"]
        if action == ACQUIRE:
            held = record
        elif action == FENCE and held is not None:
            name = f"the fence of {held['access']}"
            began_ns = held["ts_ns"]
            yield Asked(name, record["token"], "", began_ns, record["ts_ns"], record["outcome"])
        elif action == RELEASE and held is not None:
            asked = _asked(held, record["ts_ns"], record["outcome"])
            held = None
            if asked.outcome == Outcome.CONFIRMED.value:
                later[record["rid"]] = asked
            else:
                yield asked
        elif action == ANSWER and record["rid"] in later:
            asked = later.pop(record["rid"])
            yield asked._replace(ended_ns=record["ts_ns"], outcome=record["outcome"])
    for asked in later.values():
        yield asked._replace(ended_ns=0)
    if held is not None:
        yield _asked(held, 0, Outcome.LOST.value)


def _asked(held: Record, ended_ns: int, outcome: str) -> Asked:
    symbol = "" if held["symbol"] == WHOLE_ACCOUNT else held["symbol"]
    name = f"{held['access']} of {held['symbol']}"
    return Asked(name, held["token"], symbol, held["ts_ns"], ended_ns, outcome)


# ---- pairs ----


def check_lock_pairs(evidence: Evidence) -> tuple[str, list[str]]:
    """Acquire and release alternate, of the same symbol and id, ids and accesses counting up.

    Only a process that the plan kills may leave its last one open.
    """
    problems = []
    pairs = cut_off = 0
    lives = lives_of(evidence)
    for number, life in enumerate(lives, start=1):
        count, held, found = _pairs_in(life)
        pairs += count
        problems += found
        was_killed = evidence.plan.kill == "engine" and number == 1 and not life.is_closed
        if held is not None and was_killed:
            cut_off += 1
        elif held is not None:
            problems.append(f"lock {held['lock_id']} of {held['symbol']!r} was never released")
        if not life.is_closed and not was_killed:
            problems.append(f"process {number} of {len(lives)} did not close its gateway")
    expected = 2 if evidence.plan.kill == "engine" else 1
    if len(lives) != expected:
        problems.append(f"{len(lives)} processes wrote the gateway's log; there were {expected}")
    if not pairs:
        problems.append("the log has no lock at all")
    return f"{pairs} pairs in {len(lives)} processes, {cut_off} cut off by a kill", problems


def _pairs_in(life: Life) -> tuple[int, Record | None, list[str]]:
    """How many pairs one process has, the acquire that stayed open, and what is wrong."""
    problems = []
    counts: Counter[str] = Counter()
    held: Record | None = None
    pairs = last_id = 0
    for record in life.records:
        action = record["action"]
        if action == ACQUIRE:
            if held is not None:
                words = f"while {held['lock_id']} was held"
                problems.append(f"lock {record['lock_id']} was acquired {words}")
            held = record
            problems += _numbering(record, last_id, counts)
            last_id = record["lock_id"]
        elif action == RELEASE:
            keys = ("symbol", "lock_id", "access")
            if held is None or any(held[key] != record[key] for key in keys):
                problems.append(f"lock {record['lock_id']} of {record['symbol']!r} was not held")
            pairs += held is not None
            held = None
        elif action == GATEWAY_CLOSED and held is not None:
            words = "was not released before the end"
            problems.append(f"lock {held['lock_id']} of {held['symbol']!r} {words}")
            held = None
    return pairs, held, problems


def _numbering(record: Record, last_id: int, counts: Counter[str]) -> list[str]:
    """Whether an acquire has a symbol, and the numbers that follow on."""
    symbol, lock_id, access = record["symbol"], record["lock_id"], record["access"]
    problems = []
    if not symbol:
        problems.append(f"lock {lock_id} is of no symbol")
    if lock_id != last_id + 1:
        problems.append(f"lock {lock_id} follows on {last_id}")
    counts[symbol] += 1
    if access != f"access#{counts[symbol]}":
        problems.append(f"{access} of {symbol!r} is its access number {counts[symbol]}")
        counts[symbol] = int(access.removeprefix("access#"))
    return problems


# ---- each pair and its request ----


def check_requests(evidence: Evidence) -> tuple[str, list[str]]:
    """Each answered access is one request at the simulator, of its symbol and within its time.

    And each request there has its access here, but for the questions of a process that checks the
    terminal before the session's own log begins.
    """
    problems = []
    lives = lives_of(evidence)
    asked = [each for life in lives for each in asked_in(life)]
    waiting: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        if each.outcome != Outcome.NOT_SENT.value:
            waiting[each.token].append(each)
    requests = [each for each in evidence.audit if each["kind"] == "request"]
    before = 0
    for request in requests:
        found = _take(waiting[request["client_id"]], request["ts_ns"])
        if found is not None:
            problems += _agreement(found, request)
        elif _is_check(request, lives):
            before += 1
        else:
            words = f"request {request['sequence']} ({request['action']}"
            problems.append(f"{words} {request['client_id']!r}) came under no lock of ours")
    for left in waiting.values():
        for each in left:
            if each.outcome == Outcome.ANSWERED.value:
                words = "was answered, and the simulator had no such request"
                problems.append(f"{each.name} ({each.token}) {words}")
    outcomes = Counter(each.outcome for each in asked)
    for life in lives:
        for each in asked_in(life) if life.is_closed else ():
            if each.outcome == Outcome.CONFIRMED.value:
                words = "was read by the terminal, and what came of it is not said"
                problems.append(f"{each.name} ({each.token}) {words}")
    problems += _own_counts(evidence, lives)
    return (
        f"{len(asked)} pairs: {outcomes[Outcome.ANSWERED.value]} answered, "
        f"{outcomes[Outcome.LOST.value]} lost, {outcomes[Outcome.NOT_SENT.value]} not sent; "
        f"{len(requests)} requests at the simulator, "
        f"{before} of them before the log began",
        problems,
    )


def _take(waiting: list[Asked], at_ns: int) -> Asked | None:
    """Take out the access that a request belongs to: the one whose time it is in, or the first."""
    for each in waiting:
        if each.began_ns <= at_ns and (at_ns <= each.ended_ns or not each.ended_ns):
            waiting.remove(each)
            return each
    return waiting.pop(0) if waiting else None


def _agreement(asked: Asked, request: Record) -> list[str]:
    """Symbol and time of a request and its access."""
    problems = []
    where = f"{asked.name} ({asked.token})"
    if asked.symbol != request["symbol"]:
        problems.append(f"{where}: the request is of {request['symbol']!r}")
    is_late = bool(asked.ended_ns) and request["ts_ns"] > asked.ended_ns
    # What was given up before the terminal read it may be read later.
    if request["ts_ns"] < asked.began_ns or (is_late and asked.outcome != Outcome.LOST.value):
        problems.append(f"{where}: the simulator read the request outside the lock's time")
    return problems


def _is_check(request: Record, lives: Sequence[Life]) -> bool:
    """Whether a request may be a question of a check, before the log of a process began."""
    token, at_ns = request["client_id"], request["ts_ns"]
    if request["action"] == TRADE or any(token.startswith(f"{life.tokens}.") for life in lives):
        return False
    ends = [0, *(life.ended_ns for life in lives)]
    begins = [life.records[0]["ts_ns"] for life in lives]
    return any(end <= at_ns <= begin for end, begin in zip(ends, begins, strict=False))


def _own_counts(evidence: Evidence, lives: Sequence[Life]) -> list[str]:
    """What the simulator and the gateway counted by themselves."""
    problems = []
    last = 0
    for record in evidence.audit:
        sequence = record.get("sequence", last)
        was_restarted = sequence == 1 and last > 1 and evidence.plan.kill == "simulator"
        if not 0 <= sequence - last <= 1 and not was_restarted:
            problems.append(f"the simulator's request {sequence} follows on {last}")
        last = sequence
    if evidence.books["requests"] != last:
        problems.append(f"the simulator counted {evidence.books['requests']} requests, not {last}")
    for life in lives:
        answered = sum(each.outcome == Outcome.ANSWERED.value for each in asked_in(life))
        if life.is_closed and life.records[-1]["answered"] != answered:
            told = life.records[-1]["answered"]
            problems.append(f"the gateway counted {told} answers, its log has {answered}")
    return problems


# ---- times and silence ----


def check_times(evidence: Evidence) -> tuple[str, list[str]]:
    """Times of every log never run backwards, and a lock's hold is what its times say."""
    problems = []
    logs = {
        "the gateway's log": [each["ts_ns"] for each in evidence.gateway],
        "the simulator's log": [each["ts_ns"] for each in evidence.audit if "ts_ns" in each],
        "the switch's history": [each["time_ns"] for each in evidence.switch],
        "the journal": [each.ts_ns for each in evidence.journal if hasattr(each, "ts_ns")],
    }
    for name, times in logs.items():
        for number, (before, after) in enumerate(pairwise(times), start=2):
            if after < before:
                problems.append(f"{name} goes back by {before - after} ns at its time {number}")
    acquired_ns = 0
    for record in evidence.gateway:
        if record["action"] == ACQUIRE:
            acquired_ns = record["ts_ns"]
        elif record["action"] == RELEASE:
            by_times_ns = record["ts_ns"] - acquired_ns
            if abs(by_times_ns - record["hold_ns"]) > _CLOCKS_APART_NS:
                words = f"was held {record['hold_ns']} ns, its times are {by_times_ns} ns apart"
                problems.append(f"lock {record['lock_id']} of {record['symbol']} {words}")
    return f"{sum(len(times) for times in logs.values())} times in {len(logs)} logs", problems


def check_silence(evidence: Evidence) -> tuple[str, list[str]]:
    """A terminal that answers nothing for `dead_after_s` has engaged the switch by then."""
    most_ns = round((evidence.plan.dead_after_s + _SILENCE_SLACK_S) * _NS)
    engaged = [
        each["time_ns"] for each in evidence.switch if each["state"] == SwitchState.ENGAGED.name
    ]
    problems = []
    longest_ns = 0
    for life in lives_of(evidence):
        for began_ns, ended_ns in _silences(life):
            longest_ns = max(longest_ns, ended_ns - began_ns)
            by_ns = began_ns + most_ns
            if ended_ns > by_ns and not any(at <= by_ns for at in engaged):
                words = f"answered nothing for {(ended_ns - began_ns) / _NS:.1f} s, and the switch"
                problems.append(f"the terminal {words} {_when(engaged, began_ns)}")
    if evidence.plan.kill == "simulator" and not engaged:
        problems.append("the simulator was killed, and the switch was never engaged")
    return f"at most {longest_ns / _NS:.1f} s, with requests that failed", problems


def _silences(life: Life) -> Iterator[tuple[int, int]]:
    """From each answer to the next, where a request failed in between (ns)."""
    answered_ns = life.records[0]["ts_ns"]
    has_failed = False
    for record in life.records:
        outcome = record.get("outcome")
        if outcome == Outcome.ANSWERED.value:
            if has_failed:
                yield answered_ns, record["ts_ns"]
            answered_ns, has_failed = record["ts_ns"], False
        elif outcome is not None and outcome != Outcome.CONFIRMED.value:
            has_failed = True
    if has_failed:
        yield answered_ns, life.ended_ns


def _when(engaged: Sequence[int], began_ns: int) -> str:
    late = [at for at in engaged if at >= began_ns]
    if not late:
        return "was not engaged"
    return f"was engaged after {(late[0] - began_ns) / _NS:.1f} s"
