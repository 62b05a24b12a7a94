"""`logos status`: the switch first, then what runs, then what ended in the last day."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from figures_pages import page, symbol, write_page
from heartbeat_helpers import Journals
from stored_helpers import aged, crashed, ended, failed, halted

from logos.cli.main import main
from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path
from logos.session.presence.registry import enter

Output = pytest.CaptureFixture[str]


@pytest.fixture
def desk(logos_home: Path) -> Path:
    """A workspace whose switch is armed."""
    with closing(CircuitBreaker()) as breaker:
        breaker.arm_if_new()
    return logos_home


def status(capsys: Output, *words: str) -> tuple[int, Any]:
    """The exit code and the JSON of the command."""
    capsys.readouterr()
    code = main(["status", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def lines(capsys: Output) -> list[str]:
    capsys.readouterr()
    main(["status"])
    return capsys.readouterr().out.splitlines()


def test_the_switch_stands_first(desk: Path, capsys: Output) -> None:
    assert lines(capsys)[:3] == [
        f"workspace {desk}",
        next(line for line in lines(capsys) if line.startswith("switch SAFE at epoch 1 since ")),
        "no session is running in this workspace",
    ]


def test_an_engaged_switch_is_exit_code_1_and_says_what_clears_it(
    desk: Path, capsys: Output
) -> None:
    assert main(["status"]) == 0
    with closing(CircuitBreaker()) as breaker:
        breaker.engage("prices look wrong", "ANN")
    assert main(["status"]) == 1
    _, switch, clear, *_ = lines(capsys)
    assert switch.startswith("switch ENGAGED at epoch 2 since ")
    assert switch.endswith("by ANN: prices look wrong")
    assert clear.startswith(f"  to clear: LOGOS_HOME={desk} logos kill reset ")
    code, whole = status(capsys)
    (place,) = whole["workspaces"]
    assert (code, place["switch"]["state"], place["switch"]["epoch"]) == (1, "ENGAGED", 2)


def test_reduce_only_is_exit_code_1_too(desk: Path) -> None:
    with closing(CircuitBreaker()) as breaker:
        breaker.set_reduce_only("news", "ANN")
    assert main(["status"]) == 1


def test_a_workspace_without_a_switch_gets_none(logos_home: Path, capsys: Output) -> None:
    ended("one")
    assert main(["status"]) == 0
    assert "switch never used" in capsys.readouterr().out
    assert not (logos_home / "state" / "kill-switch").exists()


def test_what_ended_in_the_last_day_is_shown_and_nothing_older(desk: Path, capsys: Output) -> None:
    aged(ended("long-ago"), 1.1), aged(ended("yesterday"), 0.9), ended("now")
    shown = lines(capsys)
    assert shown[3] == "ended in the last day:"
    assert [line.split(":")[0].strip() for line in shown[4:]] == ["yesterday", "now"]
    assert shown[4].startswith("  yesterday: ENDED 21:3")
    assert shown[5].endswith("exit code 0: all events processed; holds 10 ACME")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (halted, "HALTED 0:00:00 ago, exit code 4: guard MAX_DRAWDOWN"),
        (failed, "FAILED 0:00:00 ago, exit code 5: "),
        (crashed, "CRASHED 0:00:00 ago: `logos resume bad`"),
    ],
)
def test_a_session_that_ended_badly_is_exit_code_1_until_another_begins(
    make: Any, words: str, desk: Path, capsys: Output
) -> None:
    aged(ended("before"), 0.5)
    aged(make("bad"), 0)
    code, whole = status(capsys)
    assert (code, whole["workspaces"][0]["bad_end"]) == (1, "bad")
    assert any(words.partition(" ago")[0][:-7] in line for line in lines(capsys))
    assert any(words.partition(" ago")[2] in line for line in lines(capsys))
    ended("after")
    code, whole = status(capsys)
    assert (code, whole["workspaces"][0]["bad_end"]) == (0, None)


def test_a_session_at_a_real_venue_is_resumed_with_both_words(desk: Path, capsys: Output) -> None:
    settings = crashed("bad").folder / "config.json"
    table = json.loads(settings.read_bytes())
    settings.write_text(json.dumps({**table, "venue": {**table["venue"], "live": True}}))
    assert lines(capsys)[-1].endswith(" ago: `logos resume bad --live --i-acknowledge-risk`")


def test_a_bad_end_more_than_a_day_ago_is_no_news(desk: Path) -> None:
    aged(halted("bad"), 2)
    assert main(["status"]) == 0


def test_an_expected_session_that_does_not_run_is_exit_code_1(desk: Path, capsys: Output) -> None:
    ended("desk-1")
    assert main(["status", "--expect", "desk-1", "--expect", "desk-2"]) == 1
    said = capsys.readouterr().err
    words = "is expected and does not run"
    assert f"session desk-1 {words} (ENDED): `logos sessions show desk-1` says more" in said
    assert f"session desk-2 {words}: `logos run desk-2`" in said
    code, whole = status(capsys, "--expect", "desk-2")
    assert (code, whole["missing"]) == (1, ["desk-2"])


def test_an_expected_session_that_runs_is_fine(desk: Path, capsys: Output) -> None:
    journals = Journals(desk / "runs" / "live" / "sessions")
    with closing(journals), closing(enter("trade", desk, "desk-1")) as entry:
        entry.name("desk-1", desk)
        path = heartbeat_path("desk-1", desk)
        with closing(HeartbeatFile(path, "desk-1", journals.hold("desk-1"), entry.token)):
            code, whole = status(capsys, "--expect", "desk-1")
            assert (code, whole["missing"]) == (0, [])
            assert [each["session"] for each in whole["sessions"]] == ["desk-1"]
            assert whole["workspaces"][0]["ended"] == []


def test_a_session_that_is_asked_for_and_ended_is_named_with_its_end(
    desk: Path, capsys: Output
) -> None:
    halted("over")
    assert main(["status", "over"]) == 1
    said = capsys.readouterr().err
    assert "session over does not run (HALTED); `logos sessions show over` says more" in said


def test_position_and_profit_of_a_running_session_are_told(desk: Path, capsys: Output) -> None:
    journals = Journals(desk / "runs" / "live" / "sessions")
    with closing(journals), closing(enter("trade", desk, "desk-1")) as entry:
        entry.name("desk-1", desk)
        path = heartbeat_path("desk-1", desk)
        with closing(HeartbeatFile(path, "desk-1", journals.hold("desk-1"), entry.token)) as beat:
            beat.beat(time.time_ns(), switch="SAFE")
            assert status(capsys)[1]["sessions"][0]["now"] is None, "it has not written any yet"
            write_page(page([symbol("ETH", held=2)]), desk)
            _, whole = status(capsys)
            (now,) = [each["now"] for each in whole["sessions"]]
            shown = lines(capsys)
    (position,), (money,) = now["positions"], now["money"]
    assert (position["position"], position["mark"], position["unrealised"]) == (
        "2",
        "12.50",
        "4.34",
    )
    assert position["entry_price"] == "10.333333333"
    assert (money["today"], money["drawdown"]) == ("-12.50", "15.00")
    assert "  ETH 2 at 12.50, average entry 10.3333, unrealised +4.34 USD" in shown
    assert "  equity 100,004.33 USD (today -12.50, exposure 25.00, drawdown 15.00)" in shown
