"""Judges a run of the shard campaign from outside: the books, and the coordinator's own history.

Shares no code with what it judges. One owner at a time: an order of a claim may leave only before
the next claim to its shard was made. Claims: in the coordinator's history each is one above
the last, and made only when the one before it was gone. The total: the exposures of all shards, as
their orders left, added up at every moment. The ledger: what it ever granted together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from fleet_audit import Change, allowed_until, judge, renewals_of


class Sent(NamedTuple):
    """One order that left."""

    sent_ns: int
    gate_ns: int
    shard: str
    epoch: int
    exposure: int


@dataclass
class Book:
    """What one claim's owner wrote."""

    shard: str
    epoch: int
    begun_ns: int
    orders: list[Sent]
    lines: list[str]


@dataclass
class Verdict:
    """What became of a run."""

    orders: int = 0
    peak: int = 0
    """The most that all shards held together."""
    total: int = 0
    ledger_peak: Decimal = Decimal(0)
    ledger_changes: int = 0
    claims: int = 0
    late: list[int] = field(default_factory=list)
    """Of orders that had passed their gate before, and left after a newer claim was asked for, how
    long after: their process stood still in between, which no gate of the sender can know."""
    held: list[int] = field(default_factory=list)
    """How long after the end of its permit an order left that had passed its gate within it."""
    problems: list[str] = field(default_factory=list)


def read_book(shard: str, text: str) -> Book | None:
    """A book; None for one that has no claim yet. A torn last line is left out."""
    lines = text[: text.rfind("\n") + 1].splitlines()
    if not lines:
        return None
    kind, begun, epoch, _ = lines[0].split()
    assert kind == "C"
    orders = []
    for line in lines:
        kind, *rest = line.split()
        if kind == "O":
            gate, sent, of, exposure = map(int, rest)
            orders.append(Sent(sent, gate, shard, of, exposure))
    return Book(shard, int(epoch), int(begun), orders, lines)


def judge_run(
    books: Sequence[Book], history: Sequence[Change], fleet: str, total: int, ttl_ns: int
) -> Verdict:
    """Judge a run. `history` is of the whole run; tokens in it name the owners."""
    verdict = Verdict(total=total)
    _judge_owners(books, verdict)
    _judge_permits(books, history, fleet, ttl_ns, verdict)
    _judge_claims(history, fleet, verdict)
    _judge_total(books, verdict)
    _judge_ledger(history, fleet, total, verdict)
    return verdict


def _judge_owners(books: Sequence[Book], verdict: Verdict) -> None:
    by_shard: dict[str, list[Book]] = {}
    for book in sorted(books, key=lambda each: each.epoch):
        by_shard.setdefault(book.shard, []).append(book)
    for shard, line in by_shard.items():
        for number, book in enumerate(line):
            if any(order.epoch != book.epoch for order in book.orders):
                verdict.problems.append(f"{shard}: an order of claim {book.epoch} names another")
            later = [each.begun_ns for each in line[number + 1 :]]
            if not later:
                continue
            over = [each for each in book.orders if each.sent_ns >= min(later)]
            verdict.late += [
                each.sent_ns - min(later) for each in over if each.gate_ns < min(later)
            ]
            over = [each for each in over if each.gate_ns >= min(later)]
            if over:
                verdict.problems.append(
                    f"{shard}: TWO OWNERS: {len(over)} orders of claim {book.epoch} after a newer "
                    "one was made"
                )


def _judge_permits(
    books: Sequence[Book], history: Sequence[Change], fleet: str, ttl_ns: int, verdict: Verdict
) -> None:
    tokens = {
        (str(change.value["shard"]), int(change.value["claim"])): str(change.value["token"])
        for change in history
        if change.value is not None and change.key.startswith(f"logos/{fleet}/engines/")
    }
    for book in books:
        verdict.orders += len(book.orders)
        token = tokens.get((book.shard, book.epoch))
        if token is None:
            if book.orders:
                verdict.problems.append(f"{book.shard}: claim {book.epoch} ordered, unheard of")
            continue
        spans = allowed_until(renewals_of(history, fleet, token, "SAFE"), ttl_ns)
        lines = [f"O {each.gate_ns} {each.sent_ns}" for each in book.orders]
        found = judge(token, lines, spans)
        verdict.held += found.held
        if found.unpermitted:
            verdict.problems.append(
                f"{book.shard}: {len(found.unpermitted)} orders of claim {book.epoch} without a "
                "permit"
            )


def _judge_claims(history: Sequence[Change], fleet: str, verdict: Verdict) -> None:
    newest: dict[str, int] = {}
    held: dict[str, bool] = {}
    for change in history:
        if not change.key.startswith(f"logos/{fleet}/claims/"):
            continue
        shard = change.key.rpartition("/")[2]
        if change.value is None:
            held[shard] = False
            continue
        epoch = int(change.value["epoch"])
        verdict.claims += 1
        if held.get(shard):
            verdict.problems.append(f"{shard}: claim {epoch} made over one that was held")
        if shard in newest and epoch != newest[shard] + 1:
            verdict.problems.append(f"{shard}: claim {epoch} follows {newest[shard]}")
        newest[shard], held[shard] = epoch, True


def _judge_total(books: Sequence[Book], verdict: Verdict) -> None:
    now: dict[str, int] = {}
    for order in sorted(each for book in books for each in book.orders):
        now[order.shard] = order.exposure
        verdict.peak = max(verdict.peak, sum(now.values()))
    if verdict.peak > verdict.total:
        verdict.problems.append(f"TOTAL: {verdict.peak} held, the limit is {verdict.total}")


def _judge_ledger(history: Sequence[Change], fleet: str, total: int, verdict: Verdict) -> None:
    for change in history:
        if change.key != f"logos/{fleet}/budgets" or change.value is None:
            continue
        value: Mapping[str, Mapping[str, str]] = change.value
        granted = sum((Decimal(each) for each in value["granted"].values()), Decimal(0))
        verdict.ledger_changes += 1
        verdict.ledger_peak = max(verdict.ledger_peak, granted)
        if granted > total:
            verdict.problems.append(f"the ledger granted {granted} of {total}")
