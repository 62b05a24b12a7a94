"""What the screen gathers: sessions that begin, end, die and begin again; their journals' ends."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from figures_pages import page, symbol, write_page
from heartbeat_helpers import Journals

from logos.cli.observing.watch_words import words
from logos.core.records import RefusalRecord, SwitchRecord
from logos.core.types import Code
from logos.observe.watching import events as events_module
from logos.observe.watching.events import Event, JournalEnd
from logos.observe.watching.sessions import Gatherer, View
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path
from logos.session.presence.registry import enter


class Desk:
    """A workspace in which sessions of this process begin and end."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self.home = home
        self.journals = Journals(home / "runs" / "live" / "sessions")
        self._entries: dict[str, object] = {}
        self._beats: dict[str, HeartbeatFile] = {}

    def begin(self, name: str, **fields: Any) -> None:
        entry = enter("trade", self.home, name)
        entry.name(name, self.home)
        path = heartbeat_path(name, self.home)
        beat = HeartbeatFile(path, name, self.journals.hold(name), entry.token)
        beat.beat(time.time_ns(), switch="SAFE", is_live=True)
        self._entries[name], self._beats[name] = entry, beat
        write_page(page([symbol("ETH", held=2)], session_id=name, **fields), self.home)

    def end(self, name: str) -> None:
        """In order."""
        write_page(
            page([], session_id=name, status="ENDED", exit_code=0, written_ns=time.time_ns()),
            self.home,
        )
        self._beats.pop(name).close()
        self.die(name)

    def die(self, name: str) -> None:
        """Its process is gone; what it showed last stays."""
        self.journals.release(name)
        self._entries.pop(name).close()  # type: ignore[attr-defined]
        self._beats.pop(name, None)

    def close(self) -> None:
        for name in list(self._beats):
            self.end(name)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(tmp_path / "desk")) as made:
        yield made


def states(view: View) -> dict[str, str]:
    return {each.session_id: each.state for each in view.sessions}


def test_a_session_is_followed_from_its_beginning_to_its_end_and_its_next_beginning(
    desk: Desk,
) -> None:
    with closing(Gatherer(desk.home, "", words)) as gatherer:

        def look() -> View:
            return gatherer.look(time.time_ns(), None)

        assert look().sessions == ()
        desk.begin("one")
        assert states(look()) == {"one": "running"}
        desk.begin("two")
        (one, two) = look().sessions
        assert one.page is not None
        assert (one.mode, two.mode, one.what_now) == ("paper", "paper", "")
        desk.end("one")
        assert states(look()) == {"two": "running", "one": "ended"}, "what runs goes first"
        ended = look().sessions[1]
        assert ended.page is not None
        assert (ended.page.status, ended.what_now) == ("ENDED", "logos verify one")
        desk.begin("one")
        assert states(look()) == {"one": "running", "two": "running"}
        desk.die("two")
        assert states(look()) == {"one": "running", "two": "dead"}
        assert look().sessions[1].what_now == "logos resume two"


def test_sessions_of_other_workspaces_are_shown_behind_those_of_this_one(
    desk: Desk, tmp_path: Path
) -> None:
    with closing(Desk(tmp_path / "another")) as another:
        another.begin("alpha")
        desk.begin("zulu")
        with closing(Gatherer(desk.home, "", words)) as gatherer:
            view = gatherer.look(time.time_ns(), None)
        assert [each.session_id for each in view.sessions] == ["zulu", "alpha"]
        assert set(view.switches) == {str(desk.home), str(another.home)}
        with closing(Gatherer(None, "", words)) as gatherer:
            assert set(states(gatherer.look(time.time_ns(), None))) == {"zulu", "alpha"}
        with closing(Gatherer(desk.home, "alpha", words)) as gatherer:
            assert set(states(gatherer.look(time.time_ns(), None))) == {"alpha"}


def test_equity_is_followed_by_the_time_of_the_session(desk: Desk) -> None:
    desk.begin("one", last_event_ns=5)
    with closing(Gatherer(desk.home, "", words)) as gatherer:
        gatherer.look(time.time_ns(), None)
        write_page(page([], session_id="one", last_event_ns=9), desk.home)
        view = gatherer.look(time.time_ns(), None)
    assert [point.time_ns for point in view.curve] == [5, 9]


def test_what_cannot_be_read_is_counted_and_hides_nothing_else(desk: Desk) -> None:
    desk.begin("one")
    desk.begin("two")
    (desk.home / "logos" / "logs" / "one.metrics.json").write_text("{")
    with closing(Gatherer(desk.home, "", words)) as gatherer:
        view = gatherer.look(time.time_ns(), None)
    assert states(view) == {"one": "running", "two": "running"}
    assert view.sessions[0].page is None
    assert view.problems


# ---- the end of a journal ----


def told(lines: Sequence[bytes]) -> list[Event]:
    return [Event(int(line), "LINE", line.decode()) for line in lines]


def test_the_end_of_a_journal_is_read_and_then_what_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "END_BYTES", 100)
    path = tmp_path / "state.jsonl"
    end = JournalEnd(path, told)
    end.read()
    assert not end.events, "there is none yet"
    path.write_bytes(b"".join(b"%03d\n" % number for number in range(900)) + b"90")
    end.read()
    assert (end.events[0].ts_ns, end.events[-1].ts_ns) == (876, 899)
    with open(path, "ab") as file:
        file.write(b"0\n901\n")
    end.read()
    assert [event.ts_ns for event in end.events][-3:] == [899, 900, 901]
    with open(path, "ab") as file:
        file.write(b"".join(b"%04d\n" % number for number in range(2_000, 2_100)))
    end.read()
    assert end.events[-1].ts_ns == 2_099, "what cannot be caught up with is passed over"
    assert len(end.events) < 60
    end.close()


def test_a_journal_that_was_cut_back_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.write_bytes(b"1\n2\n3\n")
    with closing(JournalEnd(path, told)) as end:
        end.read()
        path.write_bytes(b"1\n2\n")
        end.read()
        end.read()
        assert [event.ts_ns for event in end.events] == [1, 2]


def test_a_session_tells_what_happened_in_the_words_of_the_live_screen(folder: Path) -> None:
    with closing(JournalEnd(folder / "state.jsonl", words)) as end:
        end.read()
        kinds = [event.word for event in end.events]
        assert "FILL" in kinds
        assert kinds[-1] == "ENDED"
        assert end.events[-1].ts_ns >= end.events[0].ts_ns > 0, "the seal has a time too"
        assert list(end.equity("USD"))
        assert not list(end.equity("EUR"))


def test_refusals_that_follow_each_other_are_told_together_in_their_place() -> None:
    def refusal(code: str) -> bytes:
        record = RefusalRecord(1, 1, "ETH", Code(code), "too much")
        return b'{"hash":"x","body":' + msgspec.json.encode(record) + b"}"

    switch = msgspec.json.encode(SwitchRecord(2, 1, "ENGAGED", "enough (by ANN)", "edge", 0))
    lines = [refusal("ORDER_RATE")] * 3 + [b'{"seq":1,"body":' + switch + b"}"]
    assert [(each.word, each.text) for each in words([*lines, refusal("MAX_POSITION")])] == [
        ("REFUSED", "ORDER_RATE 3"),
        ("SWITCH", "ENGAGED: enough (by ANN)"),
        ("REFUSED", "MAX_POSITION 1"),
    ]


def test_a_line_that_cannot_be_read_hides_no_other(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "state.jsonl").read_bytes().splitlines()
    fills = [line for line in lines if b'"body":{"kind":"fill"' in line][:2]
    assert [event.word for event in words([fills[0], fills[0][:-9], fills[1]])] == ["FILL", "FILL"]
