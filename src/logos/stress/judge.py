"""Was a stress run sound? Judged from what it left behind, by rules that know no engine.

Each rule is a function that takes the evidence and returns what is wrong, a line each; no lines,
passed. Every rule is able to fail: the tests tamper with each piece of evidence and see it do so.
Evidence that is missing or unreadable fails the run.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from logos.adapters.mt5.terminal import GATEWAY_CLOSED, GATEWAY_OPENED
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
from logos.stress.evidence import Evidence, Fill
from logos.stress.exposure import OVER, check_exposure
from logos.stress.numbers import Numbers, numbers_of

_EFSM_WORDS: Final = ("EFSM", "cannot be accomplished in current state")
_LINES_MAX: Final = 5
_ZERO: Final = Decimal(0)


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
    return Verdict(tuple(checks), numbers_of(evidence))


# ---- the gateway ----


def check_lock_pairs(evidence: Evidence) -> tuple[str, list[str]]:
    """Acquire and release alternate, of the same symbol and id, ids counting up by one."""
    problems = []
    held: tuple[str, int] | None = None
    last_id, pairs, cut_off, lives = 0, 0, 0, 0
    for record in evidence.gateway:
        action = record["action"]
        if action == GATEWAY_OPENED:
            # A process that was killed may leave the last one open; one that ended may not.
            cut_off += held is not None
            held, last_id, lives = None, 0, lives + 1
        elif action == GATEWAY_CLOSED and held is not None:
            problems.append(f"lock {held[1]} of {held[0]!r} was not released before the end")
            held = None
        elif action == "ZMQ_LOCK_ACQUIRE":
            if held is not None:
                problems.append(f"lock {record['lock_id']} was acquired while {held[1]} was held")
            held = record["symbol"], record["lock_id"]
            if record["lock_id"] != last_id + 1:
                problems.append(f"lock {record['lock_id']} follows on {last_id}")
            last_id = record["lock_id"]
        elif action == "ZMQ_LOCK_RELEASE":
            if held != (record["symbol"], record["lock_id"]):
                problems.append(f"lock {record['lock_id']} of {record['symbol']!r} was not held")
            pairs += held is not None
            held = None
    if held is not None:
        problems.append(f"lock {held[1]} of {held[0]!r} was never released")
    if not pairs:
        problems.append("the log has no lock at all")
    return f"{pairs} pairs in {lives} lives, {cut_off} cut off by a kill", problems


def check_efsm(evidence: Evidence) -> tuple[str, list[str]]:
    """ZeroMQ's error for a socket used out of turn is never reported."""
    texts = [evidence.errors, *(str(record) for record in evidence.gateway)]
    texts += [str(record) for record in evidence.journal]
    found = [text[:200] for text in texts if any(word in text for word in _EFSM_WORDS)]
    return f"{len(texts)} records and texts", found


# ---- orders ----


def check_orphans(evidence: Evidence) -> tuple[str, list[str]]:
    """No order of theirs without ours, none of ours that must be there without theirs."""
    problems = []
    taken = {order["comment"] for order in evidence.taken}
    for comment in taken - evidence.orders.keys():
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
        ours = evidence.orders.get(each["comment"])
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
        ours = evidence.orders.get(comment)
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


# ---- money ----


def check_fills(evidence: Evidence) -> tuple[str, list[str]]:
    """Every deal of theirs is one fill of ours, to the last digit, and the other way round."""
    ours, theirs = Counter(evidence.fills), Counter(evidence.their_fills)
    problems = [f"only here: {_words(fill)}" for fill in (ours - theirs)]
    problems += [f"only there: {_words(fill)}" for fill in (theirs - ours)]
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.fills:
        filled[fill.comment] += fill.quantity
    for comment, order in evidence.orders.items():
        if filled[comment] != order.filled or order.filled > order.quantity:
            problems.append(
                f"{comment}: {order.filled} of {order.quantity}, fills {filled[comment]}"
            )
    return f"{len(evidence.fills)} fills", problems


def check_pnl(evidence: Evidence) -> tuple[str, list[str]]:
    """Profit and fees: recomputed first in, first out; ours and theirs; total and sum.

    What is realised depends on the order in which fills are booked, and that of a lost answer is
    booked late. Open and realised profit together, at one price, do not: they must be equal
    always, and what is realised wherever the order was the same.
    """
    problems = []
    books = evidence.books
    lots = _lots(evidence)
    reordered = _reordered(evidence)
    total = fees = _ZERO
    for symbol, row in evidence.positions.items():
        realised, paid = Decimal(row["realised"]), Decimal(row["fees"])
        total, fees = total + realised, fees + paid
        theirs = books["symbols"][symbol]
        deals = [deal for deal in evidence.deals if deal["symbol"] == symbol]
        made = sum((Decimal(d["profit_money"]) for d in deals), _ZERO)
        recomputed, open_lots = lots[symbol]
        if recomputed != realised:
            problems.append(f"{symbol}: realised {realised}, recomputed {recomputed}")
        if made != Decimal(theirs["realised"]):
            problems.append(f"{symbol}: their deals made {made}, their books {theirs['realised']}")
        if made != realised and symbol not in reordered:
            problems.append(f"{symbol}: realised {realised}, theirs {made}")
        long = sum(quantity for quantity, _ in open_lots) > 0
        price = Decimal(theirs["bid" if long else "ask"])
        left = sum(((price - paid_) * quantity for quantity, paid_ in open_lots), _ZERO)
        whole = realised + left * evidence.multiplier(symbol)
        their_whole = Decimal(theirs["realised"]) + Decimal(theirs["open_profit"])
        if whole != their_whole:
            problems.append(f"{symbol}: realised and open {whole}, theirs {their_whole}")
        if paid != -Decimal(theirs["commission"]):
            problems.append(f"{symbol}: fees {paid}, theirs {theirs['commission']}")
    account = evidence.account
    if total != Decimal(account["realised"]) or fees != Decimal(account["fees"]):
        problems.append(
            f"the account has realised {account['realised']} and fees {account['fees']}, "
            f"the symbols sum up to {total} and {fees}"
        )
    change = Decimal(books["balance"]) - Decimal(books["initial_balance"])
    parts = (Decimal(s["realised"]) + Decimal(s["commission"]) for s in books["symbols"].values())
    if change != sum(parts, _ZERO) or (change != total - fees and not reordered):
        problems.append(f"the simulator's balance changed by {change}, ours by {total - fees}")
    equity = Decimal(account["initial"]) + total - fees + Decimal(account["unrealised"])
    if equity != Decimal(account["equity"]):
        problems.append(f"equity is {account['equity']}, its parts make {equity}")
    late = f"; {len(reordered)} symbols booked in another order than dealt" if reordered else ""
    return f"realised {total}, fees {fees}{late}", problems


def _reordered(evidence: Evidence) -> set[str]:
    """Symbols whose fills were booked in another order than they were dealt in."""
    ours: dict[str, list[str]] = defaultdict(list)
    theirs: dict[str, list[str]] = defaultdict(list)
    for fill in evidence.fills:
        ours[fill.symbol].append(fill.comment)
    for fill in evidence.their_fills:
        theirs[fill.symbol].append(fill.comment)
    return {symbol for symbol in ours if ours[symbol] != theirs[symbol]}


_Lots = deque[tuple[Decimal, Decimal]]
"""Signed quantity and price of what is open, oldest first."""


def _lots(evidence: Evidence) -> dict[str, tuple[Decimal, _Lots]]:
    """What each symbol's fills made, first in, first out, and what they left open."""
    lots: dict[str, _Lots] = {symbol: deque() for symbol in evidence.positions}
    made = dict.fromkeys(lots, _ZERO)
    for fill in evidence.fills:
        left = fill.quantity if fill.side == "BUY" else -fill.quantity
        queue = lots[fill.symbol]
        while left and queue and (queue[0][0] > 0) != (left > 0):
            held, price = queue.popleft()
            closed = min(abs(held), abs(left)).copy_sign(held)
            made[fill.symbol] += (fill.price - price) * closed * evidence.multiplier(fill.symbol)
            left += closed
            if held != closed:
                queue.appendleft((held - closed, price))
        if left:
            queue.append((left, fill.price))
    return {symbol: (made[symbol], queue) for symbol, queue in lots.items()}


def check_positions(evidence: Evidence) -> tuple[str, list[str]]:
    """What is held at the end: the sum of our fills, our books and theirs."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.fills:
        sums[fill.symbol] += fill.quantity if fill.side == "BUY" else -fill.quantity
    problems = []
    for symbol, row in evidence.positions.items():
        figures = (
            Decimal(row["position"]),
            sums[symbol],
            Decimal(evidence.books["symbols"][symbol]["volume"]),
        )
        if len(set(figures)) > 1:
            problems.append(f"{symbol}: books, fills and simulator say {figures}")
    if evidence.books["open_orders"]:
        problems.append(f"{evidence.books['open_orders']} orders still wait at the simulator")
    return f"{len(evidence.positions)} symbols", problems


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
    acquired: list[tuple[int, str]] = [
        (each["ts_ns"], each["symbol"])
        for each in evidence.gateway
        if each["action"] == "ZMQ_LOCK_ACQUIRE"
    ]
    problems = []
    for request in late:
        before = [
            at for at, symbol in acquired if at <= request["ts_ns"] and symbol == request["symbol"]
        ]
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
    "lock pairs": check_lock_pairs,
    "EFSM": check_efsm,
    "orphans": check_orphans,
    "cross-symbol": check_cross_symbol,
    "duplicates": check_duplicates,
    "unknown outcomes": check_unknown,
    "fills": check_fills,
    "profit": check_pnl,
    "positions": check_positions,
    "exposure": check_exposure,
    "kill switch": check_switch,
    "session": check_session,
}


def _words(fill: Fill) -> str:
    side = f"{fill.side} {fill.quantity} {fill.symbol} at {fill.price}"
    return f"{fill.comment} {side}, fee {fill.fee}"
