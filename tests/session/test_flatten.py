"""`logos flatten`: positions of a stopped session are closed on the record, by the one road."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from session_helpers import ListFeed, session_config, table

from logos import session
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.messages import NOW, Flatten, Quote
from logos.core.strategy import Answer, Context, Strategy, limit, market
from logos.core.types import NS_PER_SECOND, SessionStatus, Side, SwitchState
from logos.session.entry import replay, resume

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
TICKS = 6_000
STOP_AT = 100


def quotes() -> list[Quote]:
    return [
        Quote(
            number * NS_PER_SECOND,
            "ACME",
            10_000 + number % 7,
            10_002 + number % 7,
            100,
            100,
            ACME,
        )
        for number in range(1, TICKS + 1)
    ]


class BuysAndIsStopped(Strategy):
    """Buys, leaves a bid behind, and has its process stopped once, at tick STOP_AT."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark
        self._seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self._seen += 1
        if self._seen == STOP_AT and not self._mark.exists():
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGTERM)
        if self._seen == 10:
            return [market(Side.BUY, 30), limit(Side.BUY, 5, "50")]
        return None


@pytest.fixture
def parts(tmp_path: Path, logos_home: Path) -> dict[str, Any]:
    """A stopped session, and what it takes to go on with it."""
    mark = tmp_path / "stopped-once"
    config = session_config(session={"id": "flat"})
    made: dict[str, Any] = {"feed": ListFeed(quotes(), 50), "switch": InProcessSwitch()}
    result = session.run(config, strategy=BuysAndIsStopped(mark), **made)
    assert result.status is SessionStatus.STOPPED
    assert result.summary["symbols"]["ACME"]["position"] == "30"
    return {**made, "strategy": BuysAndIsStopped(mark)}


def records(folder: Path, kind: str) -> list[dict[str, Any]]:
    lines = (folder / "state.jsonl").read_bytes().splitlines()
    bodies = [msgspec.json.decode(line)["body"] for line in lines]
    return [body for body in bodies if body["kind"] == kind]


def test_everything_is_closed_cancelled_and_recorded(parts: dict[str, Any]) -> None:
    result = resume("flat", flatten=Flatten(NOW, "enough", "ann"), **parts)
    assert result.status is SessionStatus.ENDED
    assert result.summary["symbols"]["ACME"]["position"] == "0"
    [command] = records(result.folder, "command")
    assert (command["action"], command["by"], command["reason"]) == ("flatten", "ann", "enough")
    reasons = {order["order_id"]: order["reason"] for order in table(result.folder, "orders")}
    assert reasons == {"1": "", "2": "CANCELLED_BY_OPERATOR", "3": ""}
    closing = table(result.folder, "trades")[-1]
    assert (closing["side"], closing["quantity"], closing["position"]) == ("SELL", "30", "0")


@pytest.mark.long
def test_a_flattened_session_replays_to_the_same_bytes(parts: dict[str, Any]) -> None:
    resume("flat", flatten=Flatten(NOW, "enough", "ann"), **parts)
    feed, strategy = parts["feed"], parts["strategy"]
    again = type(strategy)(strategy._mark)
    assert replay("flat", feed=feed, strategy=again).status is SessionStatus.ENDED


def test_an_engaged_switch_lets_no_closing_order_out(parts: dict[str, Any]) -> None:
    parts["switch"].engage("rehearsal", "test")
    result = resume("flat", flatten=Flatten(NOW, "enough", "ann"), **parts)
    assert result.status is SessionStatus.HALTED
    assert result.summary["symbols"]["ACME"]["position"] == "30"
    assert len(records(result.folder, "order")) == 2
    assert records(result.folder, "switch")[-1]["state"] == SwitchState.ENGAGED.name


@pytest.mark.long
def test_a_guard_that_refuses_the_closing_order_is_not_overridden(
    tmp_path: Path, logos_home: Path
) -> None:
    mark = tmp_path / "stopped-once"
    config = session_config(
        session={"id": "held"}, risk={"max_order_quantity": "30"}, orders={"quantity": "1"}
    )
    parts: dict[str, Any] = {"feed": ListFeed(quotes(), 50), "switch": InProcessSwitch()}
    session.run(config, strategy=TwiceAndIsStopped(mark), **parts)
    result = resume(
        "held", flatten=Flatten(NOW, "x", "ann"), strategy=TwiceAndIsStopped(mark), **parts
    )
    # 60 are held and 30 is the limit of an order: it is tried at later prices, not without end.
    assert result.summary["symbols"]["ACME"]["position"] == "60"
    assert result.summary["refusals"] == {"MAX_ORDER_QUANTITY": 100}


class TwiceAndIsStopped(BuysAndIsStopped):
    """Holds twice what one order may close."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        answer = super().on_quote(context, quote)
        return market(Side.BUY, 30) if self._seen in (10, 20) else None if answer else answer
