"""Budgets of shards: what all of them may hold together, whatever is moved, said late, or lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.killswitch.fleet.ownership import Goal, Ownership
from logos.killswitch.fleet.records import EngineEntry, ValueDamagedError
from logos.killswitch.fleet.shards import (
    BudgetRefusedError,
    Budgets,
    ask_back,
    begin_budgets,
    decode_budgets,
    decode_claim,
    encode_budgets,
    enlist,
    give,
    retotal,
    settle,
)
from logos.killswitch.fleet.store import Coordinator

TOTAL = Decimal(100)
NAMES = ("a", "b", "c")


def ledger() -> Budgets:
    return begin_budgets(TOTAL, {"a": Decimal(40), "b": Decimal(30), "c": Decimal(30)})


def says(shard: str, claim: int, budget: int, exposure: int, version: int) -> EngineEntry:
    return EngineEntry(
        token=shard, host="h", workspace="", session="", pid=1, ttl_ns=1, shard=shard, claim=claim,
        budget=Decimal(budget), ledger=version, exposure=Decimal(exposure),
    )  # fmt: skip


def test_what_is_asked_back_is_counted_until_its_owner_says_that_it_holds_no_more() -> None:
    asked = ask_back(ledger(), "a", Decimal(15))
    assert [asked.limit_of("a"), asked.granted["a"], asked.free] == [25, 40, 0]
    version = asked.version
    still = [
        says("a", 1, 40, 40, version),  # the old limit is in force
        says("a", 1, 40, 10, version),  # the same, while less is held
        says("a", 1, 25, 26, version),  # more is held than that
        says("a", 1, 25, 20, version - 1),  # said before it had seen the request
        says("a", 2, 25, 20, version),  # of another claim than the newest
    ]
    for entry in still:
        assert settle(asked, [entry], {"a": 1}) is asked, entry
    done = settle(asked, [says("a", 1, 25, 25, version)], {"a": 1})
    assert [done.granted["a"], done.free] == [25, 15]
    assert not done.wanted
    assert give(done, "b", Decimal(15)).granted["b"] == 45


def test_a_shard_that_says_nothing_keeps_its_budget() -> None:
    asked = ask_back(ledger(), "a", Decimal(15))
    assert settle(asked, [], {"a": 1}) is asked
    with pytest.raises(BudgetRefusedError, match="15 is not free: 0 of 100"):
        give(asked, "b", Decimal(15))
    with pytest.raises(BudgetRefusedError, match="asked already to go down to 25"):
        ask_back(asked, "a", Decimal(1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: begin_budgets(Decimal(10), {"a": Decimal(11)}), "add up to 11, and the total"),
        (lambda: ask_back(ledger(), "a", Decimal(41)), "41 cannot be taken"),
        (lambda: ask_back(ledger(), "x", Decimal(1)), "no shard 'x' in the ledger; there are a, b"),
        (lambda: give(ledger(), "a", Decimal(1)), "1 is not free"),
        (lambda: enlist(ledger(), "d", Decimal(1)), "0 of 100 is free"),
        (lambda: retotal(ledger(), Decimal(99)), "100 is granted"),
    ],
)
def test_what_would_pass_the_total_is_refused_in_words(change: object, words: str) -> None:
    assert callable(change)
    with pytest.raises(BudgetRefusedError, match=words):
        change()


def test_a_ledger_that_grants_more_than_its_total_is_neither_read_nor_written() -> None:
    wrong = msgspec.structs.replace(ledger(), total=Decimal(99))
    with pytest.raises(ValueDamagedError, match="grants more than its total of 99"):
        encode_budgets(wrong)
    with pytest.raises(ValueDamagedError, match="grants more"):
        decode_budgets(msgspec.json.encode(wrong))


@pytest.mark.parametrize(
    "value", [b"", b"{}", b"[1]", b"\xff", encode_budgets(ledger()).replace(b"/1", b"/9")]
)
def test_a_damaged_ledger_or_claim_is_said_in_words(value: bytes) -> None:
    with pytest.raises(ValueDamagedError):
        decode_budgets(value)
    with pytest.raises(ValueDamagedError):
        decode_claim(value)


def test_a_claim_that_is_larger_than_any_is_not_decoded() -> None:
    with pytest.raises(ValueDamagedError, match="is larger than 8192 bytes"):
        decode_claim(b" " * 8193)


@dataclass
class World:
    """Owners with books of their own, of which some are lost and taken over, and what they said."""

    ledger: Budgets = field(default_factory=ledger)
    limits: dict[str, Decimal] = field(default_factory=lambda: dict(ledger().granted))
    goals: dict[str, tuple[Decimal, int]] = field(default_factory=dict)
    held: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(NAMES, Decimal(0)))
    epochs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 1))
    said: dict[str, EngineEntry] = field(default_factory=dict)

    def read(self, name: str) -> None:
        """The owner reads the ledger."""
        self.goals[name] = (self.ledger.limit_of(name), self.ledger.version)

    def obey(self, name: str) -> None:
        """It puts into force what it has read last."""
        if name in self.goals:
            self.limits[name] = self.goals[name][0]

    def speak(self, name: str) -> None:
        """It says so, if that is in force."""
        goal = self.goals.get(name)
        if goal is not None and goal[0] == self.limits[name]:
            told = says(name, self.epochs[name], 0, 0, goal[1])
            self.said[name] = msgspec.structs.replace(
                told, budget=self.limits[name], exposure=self.held[name]
            )

    def order(self, name: str) -> None:
        """It goes to its limit, or below it when that was lowered."""
        self.held[name] = self.limits[name]

    def shrink(self, name: str) -> None:
        self.held[name] = self.held[name] // 2

    def lose(self, name: str) -> None:
        """Another takes over: it has the books, and has read nothing yet."""
        self.epochs[name] += 1
        self.goals.pop(name, None)

    def move(self, name: str) -> None:
        """The operator settles, gives what is free, or asks for something back."""
        self.ledger = settle(self.ledger, list(self.said.values()), self.epochs)
        if self.ledger.free:
            self.ledger = give(self.ledger, name, self.ledger.free)
        elif self.ledger.granted[name] >= 4 and name not in self.ledger.wanted:
            self.ledger = ask_back(self.ledger, name, self.ledger.granted[name] // 4)

    def attend(self, name: str) -> None:
        """What an owner does at a heartbeat, all of it."""
        self.read(name)
        self.obey(name)
        self.speak(name)


STEPS = ("read", "obey", "speak", "attend", "order", "shrink", "lose", "move", "move")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(NAMES)), min_size=10, max_size=60)
)
def test_whatever_is_moved_said_late_or_lost_the_total_holds(steps: list[tuple[str, str]]) -> None:
    world = World()
    for step, name in steps:
        getattr(world, step)(name)
        assert sum(world.held.values()) <= TOTAL
        assert sum(world.ledger.granted.values()) <= TOTAL
        assert all(world.limits[each] <= world.ledger.granted[each] for each in NAMES)


@pytest.fixture
def own() -> Iterator[Ownership]:
    terms = Coordinator("desk", "etcd", ("http://127.0.0.1:1",), 10**9, 10**8, shard="a")
    made = Ownership(terms, "token", Path("/srv"))
    yield made
    made.close()


def test_an_owner_hears_which_limit_it_should_have_and_doubts_what_makes_no_sense(
    own: Ownership,
) -> None:
    assert "is not there" in own.heed(None)
    assert "is not a ledger" in own.heed(b"{}")
    others = begin_budgets(TOTAL, {"b": Decimal(1)})
    assert "grants shard a nothing" in own.heed(encode_budgets(others))
    assert own.heed(encode_budgets(ledger())) == ""
    assert own.goal == Goal(Decimal(40), 1)
    own.report(own.goal, Decimal(12))
    lowered = begin_budgets(TOTAL, {"a": Decimal(39)})
    assert "its limit in force is 40: the ledger was changed by other means" in own.heed(
        encode_budgets(lowered)
    )
    assert own.goal == Goal(Decimal(40), 1)
