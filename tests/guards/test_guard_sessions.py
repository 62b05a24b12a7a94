"""Guards in whole sessions: what session.md, the log, the journal and the exit code say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from guard_helpers import BUY, SELL, A, B

from logos.config import ConfigError
from logos.core.gates import InProcessSwitch
from logos.core.guards.table import GUARDS
from logos.core.messages import Event
from logos.core.strategy import Answer, limit, market
from logos.core.types import Code
from logos.session import ExitCode, SessionResult, run
from logos.testing.builders import Scripted, quote

SECOND = 10**9
TERMS = {"quote": "USD", "tick": "1", "lot": "1", "settlement": "margin"}


class At(NamedTuple):
    """A price of a symbol at a second, and the strategy's answer to it."""

    second: int
    price: int
    answer: Answer = None
    symbol: str = "AAA"


class Feed:
    """Events from a list, one in a chunk."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events

    def chunks(self) -> Iterator[Sequence[Event]]:
        for event in self.events:
            yield [event]


def session(story: Sequence[At], risk: dict[str, Any], **tables: Any) -> SessionResult:
    """A session named `guards` whose market orders fill at once."""
    both = {"AAA": A, "BBB": B}
    events = [
        quote(both[each.symbol], each.second * SECOND, str(each.price), str(each.price))
        for each in story
    ]
    strategy = Scripted({number: each.answer for number, each in enumerate(story, start=1)})
    config = {
        "session": {"id": "guards"},
        "instruments": {"AAA": TERMS, "BBB": TERMS},
        "account": {"balances": {"USD": "1000000"}},
        "paper": {"fill": "decision_close"},
        "risk": risk,
        **tables,
    }
    return run(config, strategy=strategy, feed=Feed(events), switch=InProcessSwitch())


def bodies(result: SessionResult, kind: str) -> list[dict[str, Any]]:
    """The journal's records of a kind."""
    lines = (result.folder / "state.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line)["body"] for line in lines]
    return [body for body in found if body["kind"] == kind]


def logged(home: Path, action: str) -> list[str]:
    """The reasons of the log's lines of an action."""
    text = (home / "logos" / "logs" / "guards.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return [line["reason"] for line in lines if line["action"] == action]


def test_everything_against_one_order_is_recorded_everywhere_in_order(logos_home: Path) -> None:
    again = limit(SELL, 5, 100, symbol="AAA")
    story = [
        At(1, 100, [again, limit(BUY, 1, 96)]),
        At(2, 107, [market(BUY, 1), limit(BUY, 1, 102)]),  # a loss; two orders rest
        At(70, 100, again, "BBB"),  # past the one minute of trading
    ]
    guards = "max_drawdown", "max_daily_loss", "consecutive_losses", "stale_data"
    refuse = dict.fromkeys(guards, "refuse")
    total = {
        "max_gross_exposure": "800",
        "max_net_exposure": "800",
        "max_open_orders": 2,
        "max_orders": 4,
        "max_orders_window_s": "100",
        "max_drawdown": "1",
        "max_daily_loss": "1",
        "max_consecutive_losses": 1,
    }
    risk = {
        "price_collar": "0.05",
        "max_order_notional": "500",
        "max_position": "6",
        "max_position_share": "0.7",
        "max_open_orders": 2,
        "stale_after_s": "1",
        "duplicate_window_s": "100",
        "total": total,
        "actions": refuse,
    }
    result = session(
        story,
        risk,
        instruments={
            "AAA": {**TERMS, "hours": ["thu 00:00-00:01"]},
            "BBB": TERMS,
        },
        account={"balances": {"USD": "900"}},
    )
    assert result.exit_code == ExitCode.FINISHED
    # Three cannot trip with the others: without a price nothing more is judged, an order above
    # the quantity was never made before, and only a spot sale borrows. No guard of a user's own
    # is registered, and one refusal is no storm.
    apart = {Code.NO_REFERENCE_PRICE, Code.MAX_ORDER_QUANTITY, Code.INSUFFICIENT_BORROW}
    apart |= {Code.USER_GUARD, Code.REFUSAL_STORM}
    expected = [code.value for code in GUARDS if code not in apart]
    [refusal] = bodies(result, "refusal")
    assert [refusal["code"], *refusal["also"]] == expected
    [reason] = logged(logos_home, "REFUSED")
    assert reason.partition(": ")[0].split(",") == expected
    text = (result.folder / "session.md").read_text(encoding="utf-8")
    section = text.split("## Refusals by code")[1].split("##")[0]
    assert all(f"| {code} | 1 |" in section for code in expected)
    assert section.count("\n| ") == len(expected) + 1
    assert "1 refusals" in text
    assert result.summary["refused"] == 1


FALL = [At(1, 100, market(BUY, 1)), At(2, 60), At(3, 49), At(4, 48), At(5, 200)]


@pytest.mark.long
def test_a_session_halts_with_the_guard_in_its_reason_and_exit_code_4(logos_home: Path) -> None:
    result = session(FALL, {"total": {"max_drawdown": "50"}})
    assert int(result.exit_code) == 4
    assert result.reason == "kill switch: guard MAX_DRAWDOWN (by guard)"
    [guard] = bodies(result, "guard")
    assert (guard["code"], guard["action"], guard["subject"]) == ("MAX_DRAWDOWN", "engage", "USD")
    assert guard["tick_id"] == 3
    [blocked] = bodies(result, "blocked")
    assert blocked["tick_id"] == 4
    text = (result.folder / "session.md").read_text(encoding="utf-8")
    assert "**HALTED**: kill switch: guard MAX_DRAWDOWN" in text
    assert "| MAX_DRAWDOWN | 1 |" in text.split("## Guards that acted")[1]
    assert len(logged(logos_home, "GUARD_ENGAGE")) == 1
    assert result.summary["ticks"] == 4


def test_a_session_that_blocks_watches_on_and_records_the_guard_once(logos_home: Path) -> None:
    result = session(FALL, {"total": {"max_drawdown": "50"}}, switch={"on_engaged": "block"})
    assert result.exit_code == ExitCode.FINISHED
    assert [each["tick_id"] for each in bodies(result, "guard")] == [3]
    assert [each["tick_id"] for each in bodies(result, "blocked")] == [4, 5]
    assert result.summary["switch_state"] == "ENGAGED"
    assert logged(logos_home, "BLOCKED") == ["KILL_SWITCH_ACTIVE"] * 2


def test_a_guard_that_engages_at_the_last_event_halts_the_session_too(logos_home: Path) -> None:
    result = session(FALL[:3], {"total": {"max_drawdown": "50"}})
    assert result.summary["switch_state"] == "ENGAGED"
    assert (result.exit_code, result.reason) == (
        ExitCode.HALTED,
        "kill switch: guard MAX_DRAWDOWN (by guard)",
    )


def test_two_guards_on_one_event_stand_in_every_record(logos_home: Path) -> None:
    risk = {
        "total": {"max_drawdown": "50", "max_daily_loss": "50"},
        "actions": {"max_drawdown": "reduce_only"},
    }
    result = session(FALL, risk)
    found = [(each["code"], each["action"]) for each in bodies(result, "guard")]
    assert found == [("MAX_DRAWDOWN", "reduce_only"), ("MAX_DAILY_LOSS", "engage")]
    assert [each["state"] for each in bodies(result, "switch")] == ["REDUCE_ONLY", "ENGAGED"]
    assert len(logged(logos_home, "GUARD_REDUCE_ONLY")) == len(logged(logos_home, "GUARD_ENGAGE"))
    text = (result.folder / "session.md").read_text(encoding="utf-8")
    section = text.split("## Guards that acted")[1].split("##")[0]
    assert "| MAX_DAILY_LOSS | 1 |" in section
    assert "| MAX_DRAWDOWN | 1 |" in section


def test_limits_of_a_symbol_change_what_they_name_and_nothing_else(logos_home: Path) -> None:
    risk = {
        "max_position": "5",
        "max_order_quantity": "3",
        "symbols": {"BBB": {"max_order_quantity": "4"}},
    }
    story = [
        At(1, 100, [market(BUY, 4), market(BUY, 3)]),
        At(2, 100, [market(BUY, 4), market(BUY, 2), market(BUY, 5)], "BBB"),
    ]
    result = session(story, risk)
    found = [(each["symbol"], each["code"], each["also"]) for each in bodies(result, "refusal")]
    assert found == [
        ("AAA", "MAX_ORDER_QUANTITY", []),
        ("BBB", "MAX_POSITION", []),
        ("BBB", "MAX_ORDER_QUANTITY", ["MAX_POSITION"]),
    ]


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        ({"actions": {"max_positon": "refuse"}}, "no such guard; known: max_position"),
        ({"actions": {"reduce_only": "engage"}}, "risk.actions.reduce_only: no such guard"),
        ({"actions": {"max_position": "stop"}}, "use one of refuse, reduce_only, halt, engage"),
        ({"symbols": {"AAA": {"max_position": -1}}}, "risk.symbols.AAA.max_position must be 0"),
        ({"total": {"max_drawdown": -1}}, "risk.total.max_drawdown must be 0"),
        ({"total": {"max_orders": 1, "max_orders_window_s": 0}}, "max_orders_window_s above 0"),
        ({"max_drawdown": 1}, "unknown key 'risk.max_drawdown'"),
        ({"symbols": {"CCC": {"max_position": 1}}}, "the session does not trade it"),
    ],
)
def test_settings_of_guards_that_make_no_sense_stop_the_session_before_it_starts(
    logos_home: Path, risk: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        session(FALL, risk)
    assert words in str(caught.value)
    assert not (logos_home / "runs").exists()


def test_limits_finer_than_the_instrument_are_rounded_down_but_never_to_none(
    logos_home: Path,
) -> None:
    risk = {"max_position": "2.9", "symbols": {"BBB": {"max_position": "0.1"}}}
    story = [
        At(1, 100, [market(BUY, 2), market(BUY, 1)]),
        At(2, 100, [market(BUY, 2)], "BBB"),
    ]
    assert [each["code"] for each in bodies(session(story, risk), "refusal")] == [
        "MAX_POSITION",
        "MAX_POSITION",
    ]
