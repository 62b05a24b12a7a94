"""An operator's words to a running live session, and what a watcher from outside sees."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, live, settings

from logos.cli.main import main
from logos.cli.pause import running_live
from logos.core.gates import InProcessSwitch
from logos.core.messages import NOW, Flatten, PauseSymbol, ResumeTrading, Suspend
from logos.core.types import SessionStatus
from logos.session.connections import Outside
from logos.session.entry import replay, resume
from logos.session.opening.machine_switch import SwitchEngagedError, open_switch
from logos.session.presence.commands import SentCommand, command_folder, send_command
from logos.session.presence.heartbeat import Heartbeat, heartbeat_path

# The clock runs on with every wait, so a heartbeat of a second comes all the time.


def sends(home: Path, *commands: SentCommand) -> Callable[[], None]:
    def send() -> None:
        for command in commands:
            send_command("live", command, home)

    return send


def commands_in(home: Path) -> list[tuple[str, str]]:
    path = home / "runs" / "live" / "sessions" / "live" / "state.jsonl"
    bodies = [json.loads(line)["body"] for line in path.read_text().splitlines()]
    return [(each["action"], each["symbol"]) for each in bodies if each["kind"] == "command"]


@pytest.mark.long
def test_a_paused_symbol_is_refused_and_the_others_trade_on(tmp_path: Path) -> None:
    clock = TickingClock()
    pause = sends(tmp_path, PauseSymbol(NOW, "look at it", "ann", "AAA"))
    result = live(tmp_path, ScriptedFeed(clock, 200, after={20: pause}), clock)
    assert result.status is SessionStatus.ENDED
    assert commands_in(tmp_path) == [("pause", "AAA")]
    assert 50 < result.summary["refusals"]["SYMBOL_PAUSED"] <= 91
    assert result.summary["symbols"]["BBB"]["orders"] == 100
    assert result.summary["symbols"]["AAA"]["orders"] + result.summary["refused"] == 100
    assert list(command_folder("live", tmp_path).glob("*")) == []
    assert replay("live", strategy=Alternating(), home=tmp_path).summary == result.summary


@pytest.mark.long
def test_a_suspended_session_asks_nobody_until_it_is_resumed(tmp_path: Path) -> None:
    clock = TickingClock()
    after = {
        20: sends(tmp_path, Suspend(NOW, "lunch", "ann")),
        100: sends(tmp_path, ResumeTrading(NOW, "back", "ann")),
    }
    result = live(tmp_path, ScriptedFeed(clock, 200, after=after), clock)
    assert commands_in(tmp_path) == [("suspend", ""), ("resume", "")]
    assert 100 < result.summary["orders"] < 160
    assert replay("live", strategy=Alternating(), home=tmp_path).summary == result.summary


@pytest.mark.long
def test_a_command_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    clock = TickingClock()

    def send() -> None:
        folder = command_folder("live", tmp_path)
        folder.mkdir(parents=True)
        (folder / "1.json").write_text('{"action": "close", "reason": "lunch", "by": "ann"}')

    result = live(tmp_path, ScriptedFeed(clock, 60, after={20: send}), clock)
    assert commands_in(tmp_path) == [("suspend", "")]
    assert result.summary["orders"] < 60


@pytest.mark.long
def test_what_is_no_command_is_put_aside_and_nothing_happens(tmp_path: Path) -> None:
    clock = TickingClock()

    def send() -> None:
        folder = command_folder("live", tmp_path)
        folder.mkdir(parents=True)
        (folder / "1.json").write_text('{"action": "flatten"}')
        (folder / "2.json").write_text("not json")
        os.mkfifo(folder / "3.json")  # the loop would wait for its writer
        (folder / "4.json").mkdir()
        (folder / "5.json").write_text(" " * 100_000 + '{"action": "suspend", "by": "ann"}')
        send_command("live", PauseSymbol(NOW, "", "ann", "NONE"), tmp_path)

    result = live(tmp_path, ScriptedFeed(clock, 60, after={5: send}), clock)
    assert result.summary["orders"] == 60
    assert commands_in(tmp_path) == []
    assert len(list(command_folder("live", tmp_path).glob("*.bad"))) == 6


def test_status_and_pause_of_a_session_that_does_not_run_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    assert main(["status"]) == 0
    assert "no session is running" in capsys.readouterr().out
    assert main(["status", "gone"]) == 1
    assert "logos inspect" in capsys.readouterr().err
    assert main(["pause", "gone"]) == 2
    assert "logos status" in capsys.readouterr().err
    assert main(["pause", "../gone"]) == 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("late_after", "code", "words"), [("5", 0, "running"), ("0", 1, "STALLED")]
)
def test_status_tells_a_loop_that_responds_from_one_that_does_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    late_after: str,
    code: int,
    words: str,
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    clock = TickingClock()
    codes = []

    def look() -> None:
        # The session's clock is not that of the wall: its heartbeat is written anew for the look.
        path = heartbeat_path("live", tmp_path)
        status = json.loads(path.read_bytes())
        path.write_text(json.dumps({**status, "written_ns": time.time_ns()}))
        codes.append(main(["status", "--late-after", late_after]))

    live(tmp_path, ScriptedFeed(clock, 30, after={25: look}), clock, config=settings())
    assert codes == [code]
    assert words in capsys.readouterr().out


@pytest.mark.long
def test_a_pause_shows_in_the_status_and_a_wrong_symbol_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    clock = TickingClock()
    seen: list[tuple[Path, Heartbeat]] = []
    codes = []
    after = {
        20: sends(tmp_path, PauseSymbol(NOW, "look", "ann", "AAA")),
        60: lambda: seen.extend(running_live("live")),
        61: lambda: codes.append(main(["pause", "live", "--symbol", "AAAA"])),
        70: sends(tmp_path, Suspend(NOW, "lunch", "ann")),
        110: lambda: seen.extend(running_live("live")),
    }
    live(tmp_path, ScriptedFeed(clock, 120, after=after), clock)
    assert [(where, beat.paused, beat.suspended) for where, beat in seen] == [
        (tmp_path, ("AAA",), False),
        (tmp_path, ("AAA",), True),
    ]
    assert codes == [2]
    assert "does not trade AAAA; it trades AAA, BBB" in capsys.readouterr().err


def test_the_kill_command_takes_no_other_file_for_a_heartbeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    folder = tmp_path / "state" / "sessions"
    folder.mkdir(parents=True)
    (folder / "dead.status.json").write_text("{}")
    assert main(["kill", "--reason", "drill", "--by", "ann"]) == 5
    assert "dead" not in capsys.readouterr().out


@pytest.mark.long
def test_flattening_a_stopped_live_session_closes_everything_and_ends_it(tmp_path: Path) -> None:
    clock = TickingClock()
    stop = {11: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    stopped = live(tmp_path, ScriptedFeed(clock, 1_000, after=stop), clock)
    assert stopped.summary["symbols"]["BBB"]["position"] != "0"
    ended = resume(
        "live",
        strategy=Alternating(),
        outside=Outside(feeds=[ScriptedFeed(clock, 5_000)], clock=clock),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=lambda _: None,
        flatten=Flatten(NOW, "enough", "ann"),
    )
    assert ended.status is SessionStatus.ENDED
    assert {each["position"] for each in ended.summary["symbols"].values()} == {"0"}
    assert ended.summary["orders"] - stopped.summary["orders"] <= 3
    assert commands_in(tmp_path) == [("flatten", "")]
    assert replay("live", strategy=Alternating(), home=tmp_path).summary == ended.summary


@pytest.mark.long
def test_sealing_a_crashed_live_session_ends_its_heartbeat_too(tmp_path: Path) -> None:
    clock = TickingClock()
    result = live(tmp_path, ScriptedFeed(clock, 30), clock)
    for name in ("host.json", "session.md", "state.json"):
        (result.folder / name).unlink()
    journal = result.folder / "state.jsonl"
    journal.write_bytes(journal.read_bytes()[:-5_000])
    heartbeat = heartbeat_path("live", tmp_path)
    heartbeat.write_text("{}")
    sealed = resume("live", strategy=Alternating(), home=tmp_path, seal=True)
    assert sealed.status is SessionStatus.CRASHED_RECOVERED
    assert not heartbeat.exists()


def test_real_orders_need_a_switch_that_a_person_armed_for_them(tmp_path: Path) -> None:
    with pytest.raises(SwitchEngagedError, match="--mode live"):
        open_switch(lambda _: None, tmp_path, is_real=True)
