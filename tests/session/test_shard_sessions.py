"""Sessions that own a shard: the claim in each order, the limit that the fleet's ledger gives."""

from __future__ import annotations

import json
import os
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from fleet_helpers import MemoryStore, record
from guard_helpers import A
from session_helpers import ListFeed

from logos.config import ConfigError, make_config
from logos.core.messages import NOW, Event, Quote, SetLimit
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import SessionStatus, Side
from logos.killswitch.fleet.ownership import Goal, Ownership
from logos.session.entry import drive, replay, resume, run
from logos.session.fleet.budget import BudgetKeeper
from logos.session.open import open_session
from logos.session.opening.spec import SessionSpec
from logos.testing.builders import quote

EVENTS = 40
PRICE = 100


def config(name: str, *, shard: bool = True) -> dict[str, Any]:
    coordinator = {"fleet": "desk", "endpoints": ["http://127.0.0.1:1"], "shard": "s0"}
    tables: dict[str, Any] = {
        "session": {"id": name},
        "risk": {"unlimited": True, "total": {"max_gross_exposure": 30 * PRICE}},
        "instruments": {"AAA": {"quote": "USD", "tick": "1", "lot": "1", "settlement": "margin"}},
    }
    return tables | ({"killswitch": {"coordinator": coordinator}} if shard else {})


def feed() -> ListFeed:
    events: list[Event] = [
        quote(A, number, str(PRICE), str(PRICE)) for number in range(1, EVENTS + 1)
    ]
    return ListFeed(events, size=5)


class Buying(Strategy):
    """Buys at each event; stops the session at one of them."""

    def __init__(self, stop_at: int = 0) -> None:
        self.seen = 0
        self.stop_at = stop_at

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if self.seen == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return market(Side.BUY, 1)

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.seen = state["seen"]


class Owner:
    """An owner whose coordinator is in memory."""

    def __init__(self, epoch: int) -> None:
        self.store = MemoryStore()
        self.store.put(record(1))
        self.epoch = epoch
        self.terms = type("Terms", (), {"shard": "s0", "fleet": "desk"})
        self.goal: Goal | None = None
        self.said: tuple[Goal, Decimal] | None = None

    def hand_over(self) -> MemoryStore:
        return self.store

    def heed(self, budgets: bytes | None) -> str:
        return ""

    def report(self, goal: Goal, exposure: Decimal, written: int) -> None:
        self.said = (goal, exposure)

    @property
    def ownership(self) -> Ownership:
        return cast(Ownership, self)


def bodies(folder: Path, kind: str) -> list[dict[str, Any]]:
    lines = (folder / "state.jsonl").read_text().splitlines()
    return [body for line in lines if (body := json.loads(line)["body"]).get("kind") == kind]


@pytest.mark.long
def test_each_order_has_the_claim_under_which_it_was_made_also_after_a_takeover(
    logos_home: Path,
) -> None:
    first = run(config("a"), strategy=Buying(9), feed=feed(), ownership=Owner(7).ownership)
    assert first.status is SessionStatus.STOPPED
    result = resume("a", strategy=Buying(), feed=feed(), ownership=Owner(8).ownership)
    assert result.status is SessionStatus.ENDED
    claims = [order["claim_epoch"] for order in bodies(result.folder, "order")]
    assert claims == [7] * 9 + [8] * (len(claims) - 9)
    assert len(claims) > 20
    assert replay("a", strategy=Buying(), feed=feed()).status is SessionStatus.ENDED


def test_a_session_of_a_shard_starts_only_with_the_claim_to_it(logos_home: Path) -> None:
    with pytest.raises(ConfigError, match="logos fleet start --config FILE --shard s0"):
        run(config("a"), strategy=Buying(), feed=feed())


def limited(name: str, stop_at: int) -> None:
    """Run a session in which the limit is 5 from the first event on."""
    spec = SessionSpec(
        config=make_config(config(name, shard=False)),
        strategy=Buying(stop_at),
        feed=feed(),
        snapshot_due=lambda: True,
    )
    with open_session(spec) as session:
        session.command(SetLimit(NOW, "budget", "coordinator", str(5 * PRICE)))
        assert drive(session).status is SessionStatus.STOPPED


@pytest.mark.long
@pytest.mark.parametrize("use_snapshot", [True, False])
def test_a_limit_is_on_record_and_holds_in_a_resumed_session_and_in_a_replay(
    logos_home: Path, use_snapshot: bool
) -> None:
    limited("a", stop_at=20)
    again = resume("a", strategy=Buying(), feed=feed(), use_snapshot=use_snapshot)
    assert again.status is SessionStatus.ENDED
    [command] = bodies(again.folder, "command")
    assert (command["action"], command["amount"], command["by"]) == ("limit", "500", "coordinator")
    assert len(bodies(again.folder, "order")) == 5
    assert all(each["code"] == "GROSS_EXPOSURE" for each in bodies(again.folder, "refusal"))
    assert replay("a", strategy=Buying(), feed=feed()).status is SessionStatus.ENDED


@pytest.mark.parametrize(("amount", "orders"), [("0", 0), ("250.5", 2), ("99999", 30)])
def test_a_limit_of_nothing_allows_nothing_and_none_is_above_the_ceiling(
    logos_home: Path, amount: str, orders: int
) -> None:
    spec = SessionSpec(config=make_config(config("a", shard=False)), strategy=Buying(), feed=feed())
    with open_session(spec) as session:
        session.command(SetLimit(NOW, "budget", "coordinator", amount))
        result = drive(session)
    assert len(bodies(result.folder, "order")) == orders


def test_the_ledger_hears_of_a_limit_once_it_was_carried_out(logos_home: Path) -> None:
    owner = Owner(1)
    keeper = BudgetKeeper(owner.ownership)
    spec = SessionSpec(config=make_config(config("a", shard=False)), strategy=Buying(), feed=feed())
    with open_session(spec) as session:
        keeper.look(session)
        assert not session.has_commands, "the ledger was not read yet"
        owner.goal = Goal(Decimal(3 * PRICE), 4)
        keeper.look(session)
        assert session.has_commands
        keeper.look(session)
        assert owner.said is None, "it is ordered, and not in force"
        session.apply([quote(A, number, str(PRICE), str(PRICE)) for number in range(1, 6)])
        keeper.look(session)
        assert owner.said == (owner.goal, Decimal(3 * PRICE))
        session.apply(None)
