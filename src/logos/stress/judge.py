"""Was a stress run sound? Judged from what it left behind, by rules that know no engine.

Each rule is a function that takes the evidence and returns what is wrong, a line each; no lines,
passed. Every rule is able to fail: the tests tamper with each piece of evidence and see it do so.
Evidence that is missing or unreadable fails the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from logos.adapters.mt5.tickets.legs import order_comment
from logos.core.records import (
    GuardRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    RefusalRecord,
)
from logos.core.types import Code, OrderStatus, SwitchState
from logos.errors import LogosError
from logos.journal.entries import Sealed
from logos.stress.evidence import Evidence
from logos.stress.exposure import OVER, check_exposure
from logos.stress.gateway_rules import (
    check_lock_pairs,
    check_requests,
    check_silence,
    check_times,
)
from logos.stress.latency import check_latency
from logos.stress.money import check_fills, check_pnl, check_positions
from logos.stress.numbers import Numbers, numbers_of
from logos.stress.ticket_rules import check_tickets

_EFSM_WORDS: Final = ("EFSM", "cannot be accomplished in current state")
_LINES_MAX: Final = 5


class Check(msgspec.Struct, frozen=True):
    """One rule's verdict."""

    name: str
    what: str
    """What was looked at, with figures."""
    problems: tuple[str, ...]

    @property
    def is_passed(self) -> bool:
        return not self.problems


class Verdict(msgspec.Struct, frozen=True):
    """All of them, and the figures."""

    checks: tuple[Check, ...]
    numbers: Numbers | None

    @property
    def is_passed(self) -> bool:
        """Whether every rule holds."""
        return all(check.is_passed for check in self.checks)


Rule = Callable[[Evidence], tuple[str, list[str]]]


def judge(folder: Path) -> Verdict:
    """Judge the run in `folder`; never raises for what it finds there."""
    try:
        evidence = Evidence(folder)
    except (OSError, ValueError, KeyError, IndexError, ArithmeticError, LogosError) as error:
        words = f"{type(error).__name__}: {error}"
        return Verdict(
            (Check("evidence", "logs and artifacts are there and whole", (words,)),), None
        )
    checks = []
    for name, rule in RULES.items():
        try:
            what, problems = rule(evidence)
        except (ValueError, KeyError, IndexError, ArithmeticError) as error:
            what, problems = "cannot be judged", [f"{type(error).__name__}: {error}"]
        if len(problems) > _LINES_MAX:
            problems = [*problems[:_LINES_MAX], f"and {len(problems) - _LINES_MAX} more"]
        checks.append(Check(name, what, tuple(problems)))
    try:
        numbers = numbers_of(evidence)
    except (ValueError, KeyError, IndexError, ArithmeticError) as error:
        words = f"{type(error).__name__}: {error}"
        checks.append(Check("figures", "they can be made", (words,)))
        numbers = None
    return Verdict(tuple(checks), numbers)


# ---- every file ----


def check_files(evidence: Evidence) -> tuple[str, list[str]]:
    """Each file is the one that was there when the run ended; none is missing, none was added."""
    listed, found = evidence.listed, evidence.hashes
    problems = [f"{name} is not there any more" for name in sorted(listed.keys() - found.keys())]
    problems += [f"{name} is not on the list" for name in sorted(found.keys() - listed.keys())]
    both = sorted(listed.keys() & found.keys())
    problems += [f"{name} is another one now" for name in both if listed[name] != found[name]]
    return f"{len(listed)} files by their SHA-256", problems


def check_efsm(evidence: Evidence) -> tuple[str, list[str]]:
    """ZeroMQ's error for a socket used out of turn stands in no file at all."""
    found = []
    for name, text in evidence.texts.items():
        for word in _EFSM_WORDS:
            place = text.find(word)
            if place >= 0:
                found.append(f"{name}: {text[max(0, place - 40) : place + 60]!r}")
    return f"{len(evidence.texts)} files", found


# ---- orders ----


def check_orphans(evidence: Evidence) -> tuple[str, list[str]]:
    """No order of theirs without ours, none of ours that must be there without theirs."""
    problems = []
    taken = {order_comment(order["comment"]) for order in evidence.taken}
    for comment in sorted(taken - evidence.orders.keys()):
        problems.append(f"the simulator has {comment!r}, which is not ours")
    for comment, order in evidence.orders.items():
        must_be_there = order.filled > 0 or order.status in ("ACCEPTED", "PARTIALLY_FILLED")
        if must_be_there and comment not in taken:
            problems.append(f"{comment} is {order.status} here, and the simulator never had it")
        if order.status == "REJECTED" and comment in taken:
            problems.append(f"{comment} counts as rejected here, and the simulator took it")
    over = {deal["order"] for deal in evidence.deals}
    over |= {each["ticket"] for each in evidence.audit if each["kind"] == "removed"}
    for each in evidence.taken:
        ours = evidence.orders.get(order_comment(each["comment"]))
        if each["ticket"] not in over and ours is not None and ours.status in OVER:
            problems.append(f"{each['comment']} is over here and waits there")
    made = Counter(each.client_order_id for each in evidence.of(OrderRecord))
    if made != Counter(order.client_id for order in evidence.orders.values()):
        problems.append("orders.csv and the journal tell of other orders")
    return f"{len(evidence.orders)} orders of ours, {len(taken)} of theirs", problems


def check_cross_symbol(evidence: Evidence) -> tuple[str, list[str]]:
    """Every order, request and deal there is of the symbol that it is of here."""
    problems = []
    seen = [(each["client_id"], each["symbol"]) for each in evidence.requests]
    seen += [(each["comment"], each["symbol"]) for each in (*evidence.taken, *evidence.deals)]
    for comment, symbol in seen:
        ours = evidence.orders.get(order_comment(comment))
        if ours is not None and ours.symbol != symbol:
            problems.append(f"{comment} is of {ours.symbol} here and of {symbol} there")
    return f"{len(seen)} requests, orders and deals", problems


def check_duplicates(evidence: Evidence) -> tuple[str, list[str]]:
    """No client id came to the simulator twice, but where it refused the time before."""
    taken = Counter(order["comment"] for order in evidence.taken)
    refused = Counter(each["client_id"] for each in evidence.audit if each["kind"] == "refused")
    asked = Counter(each["client_id"] for each in evidence.requests)
    problems = [f"{name} was taken {count} times" for name, count in taken.items() if count > 1]
    problems += [
        f"{name} was sent {count} times, and refused {refused[name]} times"
        for name, count in asked.items()
        if count > 1 + refused[name]
    ]
    problems += [
        f"the simulator's own count says that {name} was repeated"
        for name in evidence.books["repeated_client_ids"]
    ]
    return f"{len(asked)} client ids", problems


def check_unknown(evidence: Evidence) -> tuple[str, list[str]]:
    """Whatever was unknown for a while is known at the end."""
    unknown = sum(each.status is OrderStatus.UNKNOWN for each in evidence.of(OrderUpdate))
    problems = [
        f"{order.client_id} ended as {order.status}"
        for order in evidence.orders.values()
        if order.status not in OVER
    ]
    return f"{unknown} times an outcome was unknown", problems


def check_signals(evidence: Evidence) -> tuple[str, list[str]]:
    """As many signals were made of each symbol as were asked for: each is an order or refused."""
    made: Counter[str] = Counter()
    made.update(record.symbol for record in evidence.of(OrderRecord))
    made.update(record.symbol for record in evidence.of(RefusalRecord))
    plan = evidence.plan
    problems = []
    for each in plan.symbols:
        count = made[each.name]
        if plan.signals and not plan.seconds and plan.kill in ("", "engine"):
            is_right, wanted = count == plan.signals, f"{plan.signals}"
        elif plan.signals:
            is_right, wanted = count <= plan.signals, f"at most {plan.signals}"
        else:
            is_right, wanted = count > 0, "some"
        if not is_right:
            problems.append(f"{each.name}: {count} signals, {wanted} were asked for")
    strangers = made.keys() - {each.name for each in plan.symbols}
    problems += [f"{name!r}: signals that nobody asked for" for name in sorted(strangers)]
    return f"{sum(made.values())} signals of {len(plan.symbols)} symbols", problems


# ---- the switch, the session ----


def check_switch(evidence: Evidence) -> tuple[str, list[str]]:
    """After the switch was engaged, no order passed the gate behind the gateway's lock."""
    engaged = [
        each["time_ns"] for each in evidence.switch if each["state"] == SwitchState.ENGAGED.name
    ]
    if not engaged:
        return "it was not thrown", []
    thrown_ns = engaged[0]
    late = [each for each in evidence.requests if each["ts_ns"] > thrown_ns]
    acquired: dict[str, list[int]] = {}
    for each in evidence.gateway:
        if each["action"] == "ZMQ_LOCK_ACQUIRE":
            acquired.setdefault(each["token"], []).append(each["ts_ns"])
    problems = []
    for request in late:
        before = [at for at in acquired.get(request["client_id"], ()) if at <= request["ts_ns"]]
        if not before or before[-1] > thrown_ns:
            problems.append(f"{request['client_id']} left after the switch was thrown")
    if len(late) > len(engaged):
        problems.append(f"{len(late)} orders arrived after it was thrown; one may be on its way")
    kept_back = sum(each["action"] == "ORDER_KEPT_BACK" for each in evidence.gateway)
    return f"thrown; {len(late)} on its way, {kept_back} kept back behind the lock", problems


def check_session(evidence: Evidence) -> tuple[str, list[str]]:
    """The session came to its end in order, and trades.csv says what its journal says."""
    problems = []
    last = evidence.journal[-1]
    if not isinstance(last, Sealed):
        kind = last.__struct_config__.tag
        problems.append(f"the journal ends with {kind!r}, not with its seal")
    fills = evidence.of(PaperFillRecord)
    if len(fills) != len(evidence.trades):
        problems.append(f"{len(evidence.trades)} rows in trades.csv, {len(fills)} in the journal")
    for row, record in zip(evidence.trades, fills, strict=False):
        ours = (row["client_order_id"], Decimal(row["quantity"]), Decimal(row["price"]))
        if ours != (record.client_order_id, record.quantity, record.price):
            problems.append(f"fill {row['fill_id']} is another one in the journal")
    guards: list[GuardRecord | RefusalRecord] = [
        *evidence.of(GuardRecord),
        *evidence.of(RefusalRecord),
    ]
    differences = [each for each in guards if each.code is Code.RECONCILIATION]
    problems += [f"not explained: {each.detail}" for each in differences]
    if "Traceback" in evidence.errors:
        problems.append("a process told of an exception: see the .err files")
    return f"{len(evidence.journal)} records", problems


RULES: Final[Mapping[str, Rule]] = {
    "files": check_files,
    "EFSM": check_efsm,
    "lock pairs": check_lock_pairs,
    "requests": check_requests,
    "times": check_times,
    "silence": check_silence,
    "latency": check_latency,
    "signals": check_signals,
    "orphans": check_orphans,
    "cross-symbol": check_cross_symbol,
    "duplicates": check_duplicates,
    "tickets": check_tickets,
    "unknown outcomes": check_unknown,
    "fills": check_fills,
    "profit": check_pnl,
    "positions": check_positions,
    "exposure": check_exposure,
    "kill switch": check_switch,
    "session": check_session,
}
