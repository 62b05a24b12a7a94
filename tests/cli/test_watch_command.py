"""`logos watch`: what its keys do is what `logos pause` and `logos kill` do, in the same words."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from heartbeat_helpers import Journals
from waiting import wait_until

from logos.cli.main import main
from logos.cli.observing import watch
from logos.cli.observing.watch import _tell, captured, kill_question, pause_question
from logos.killswitch.breaker import CircuitBreaker
from logos.observe.watching.app import WatchApp
from logos.observe.watching.deeds import Answer, Deed, Question
from logos.observe.watching.sessions import Gatherer, Watched
from logos.session.presence.commands import command_folder
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path
from logos.session.presence.registry import enter

Output = pytest.CaptureFixture[str]
EPOCH = re.compile(r"epoch \d+")


@pytest.fixture
def beat(logos_home: Path) -> Iterator[HeartbeatFile]:
    """The heartbeat of a live session `desk` of this process, which the switch has stopped."""
    with closing(CircuitBreaker()) as breaker:
        breaker.arm_if_new()
    journals = Journals(logos_home / "runs" / "live" / "sessions")
    with closing(journals), closing(enter("trade", logos_home, "desk")) as entry:
        entry.name("desk", logos_home)
        path = heartbeat_path("desk", logos_home)
        with closing(HeartbeatFile(path, "desk", journals.hold("desk"), entry.token)) as made:
            made.beat(time.time_ns(), is_live=True, symbols=("ACME",), switch="SAFE")
            made.acknowledge(blocked=True, drained=True, epoch=9)
            yield made


def the_session(home: Path) -> Watched:
    with closing(Gatherer(home, "", lambda _: [])) as gatherer:
        [session] = gatherer.look(time.time_ns(), None).sessions
    return session


def question(asked: Question | str) -> Question:
    assert isinstance(asked, Question), asked
    return asked


def done(answer: Answer) -> tuple[int | None, list[str]]:
    deed = Deed(answer)
    deed.start()
    assert deed.wait(30)
    return deed.code, deed.lines()


@pytest.mark.usefixtures("beat")
def test_the_key_says_what_logos_kill_says(logos_home: Path, capsys: Output) -> None:
    everything, one = question(kill_question(the_session(logos_home))).answers
    assert (everything.command, one.command) == ("logos kill", "logos kill --session desk")
    for answer in (everything, one):
        code, lines = done(answer)
        assert main(["kill", *answer.command.split()[2:]]) == code == 0
        told = capsys.readouterr()
        printed = (told.out + told.err).splitlines()
        assert [EPOCH.sub("epoch N", line) for line in lines] == [
            EPOCH.sub("epoch N", line) for line in printed
        ]
        assert f"engaging the kill switch of workspace {logos_home}" in lines
        assert any("BLOCKED, DRAINED" in line for line in lines)
    assert (logos_home / "state" / "kill-switch" / "KILL").exists()


def test_a_kill_that_is_not_complete_is_told_as_such(
    beat: HeartbeatFile, logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "TIMEOUT_DEFAULT_S", 0.05)
    beat.acknowledge(blocked=False, drained=False, epoch=1)
    code, lines = done(question(kill_question(the_session(logos_home))).answers[0])
    assert code == 3
    assert "KILL_INCOMPLETE" in lines
    assert any(line.startswith("session desk (pid ") for line in lines)


def test_without_a_session_all_trading_can_be_stopped_still(logos_home: Path) -> None:
    (answer,) = question(kill_question(None)).answers
    code, lines = done(answer)
    assert code == 5, "no session runs"
    assert lines[0].startswith(f"{logos_home} (LOGOS_HOME) is not a workspace")
    assert "no session is running" in lines


def test_the_key_pauses_as_logos_pause_does_and_lets_trade_again(
    beat: HeartbeatFile, logos_home: Path, capsys: Output
) -> None:
    for is_suspended, command, words in (
        (False, "logos pause desk", "desk: the session is paused"),
        (True, "logos pause desk --undo", "desk: the session trades again"),
    ):
        beat.beat(time.time_ns(), suspended=is_suspended)
        (answer,) = question(pause_question(the_session(logos_home))).answers
        assert answer.command == command
        obedient = threading.Thread(target=obey, args=(logos_home,))
        obedient.start()
        assert done(answer) == (0, [f"workspace {logos_home}", words])
        obedient.join()


def obey(home: Path) -> None:
    """Carry out the next command as a session does: its file goes."""
    folder = command_folder("desk", home)

    def take() -> bool:
        found = list(folder.glob("*.json")) if folder.is_dir() else []
        for path in found:
            path.unlink()
        return bool(found)

    wait_until(take, "the command")


def test_what_cannot_be_paused_is_not_asked_about(beat: HeartbeatFile, logos_home: Path) -> None:
    assert pause_question(None) == "no session is chosen that runs"
    session = the_session(logos_home)
    beat.beat(time.time_ns(), is_live=False)
    assert pause_question(the_session(logos_home)) == (
        "desk runs on recorded data: only a session on live data is paused"
    )
    ended = Watched(
        *(session.workspace, "desk", "dead", "trade", "paper"), session.beat, session.page
    )
    assert pause_question(ended) == "desk does not run: logos resume desk"
    assert len(question(kill_question(ended)).answers) == 1


def test_lines_go_to_the_thread_that_prints_them_and_the_rest_on(capsys: Output) -> None:
    told: dict[str, list[str]] = {"one": [], "two": []}
    turn = threading.Barrier(2, timeout=10)

    def act(name: str) -> int:
        print(f"{name} begins")
        turn.wait()
        print(f"{name} fails\x1b[2J", file=sys.stderr)
        turn.wait()
        print("no end of line", end="")
        return 7

    codes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda name=name: codes.append(captured(lambda: act(name), told[name].append))
        )
        for name in told
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    print("and the rest")
    assert codes == [7, 7]
    for name, lines in told.items():
        assert lines == [f"{name} begins", f"{name} fails\\u001b[2J", "no end of line"]
    assert capsys.readouterr().out == "and the rest\n"


def test_what_was_done_is_printed_when_the_screen_is_left(capsys: Output) -> None:
    def act(code: int) -> Deed:
        deed = Deed(Answer("y", "yes", f"logos kill {code}", lambda tell: bool(tell("X")) or code))
        deed.start()
        return deed

    assert _tell([]) == 0
    assert _tell([act(3), act(0)]) == 0
    assert capsys.readouterr().out == (
        "$ logos kill 3\nX\n# exit code 3\n$ logos kill 0\nX\n# exit code 0\n"
    )
    assert _tell([act(0), act(6)]) == 1


def test_without_a_terminal_it_says_what_prints_the_same(capsys: Output) -> None:
    assert main(["watch"]) == 2
    assert "it needs a terminal; `logos status` prints the same once" in capsys.readouterr().err
    assert main(["watch", "../desk"]) == 2
    assert "not a session id" in capsys.readouterr().err


def test_without_the_library_it_says_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(watch, "_is_terminal", lambda _: True)
    monkeypatch.setitem(sys.modules, "textual.app", None)
    monkeypatch.delitem(sys.modules, "logos.observe.watching.app", raising=False)
    monkeypatch.setattr("logos.installation.source_checkout", lambda *_: None)
    assert main(["watch"]) == 2
    assert capsys.readouterr().err == (
        "logos watch: textual is not installed: pip install 'logos-trading[watch]'\n"
    )


def test_the_size_is_that_of_the_window_whatever_the_shell_exports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    seen: list[set[str]] = []
    monkeypatch.setattr(
        WatchApp, "run", lambda _: seen.append({"COLUMNS", "LINES"} & {*os.environ})
    )
    watch._show(None, "")
    assert seen == [set()]
