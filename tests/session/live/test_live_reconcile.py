"""A session that a difference halted is brought right by what its venue proves, and goes on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from denying_venue import Wanting, denying_world
from live_session_helpers import ScriptedFeed
from live_venue_helpers import World

from logos.audit.verify import verify
from logos.cli.main import main
from logos.core.gates import InProcessSwitch
from logos.core.messages import Event, Reconcile
from logos.core.types import OrderStatus, SessionStatus
from logos.journal.beside import Beside
from logos.journal.inputs import InputsWriter
from logos.session import SessionResult
from logos.session.entry import replay
from logos.session.opening.spec import SessionSpec
from logos.session.restoring import CannotResumeError
from logos.session.venue.repair import Findings, book, look


def spec_of(there: World, **how: Any) -> SessionSpec:
    return SessionSpec(
        session_id="live",
        strategy=Wanting(),
        outside=there.outside(ScriptedFeed(there.clock, 0)),
        switch=there.switch,
        home=there.home,
        tell=lambda _: None,
        is_acknowledged=True,
        **how,
    )


def halted(home: Path, names: str) -> World:
    """A session that a denial halted: one unit is held there, and none in its books."""
    there = denying_world(home, names)
    result = there.run(ScriptedFeed(there.clock, 3_000), Wanting(), drain_s=60)
    assert result.status is SessionStatus.HALTED
    return there


def booked(there: World, found: Findings) -> SessionResult:
    return book(spec_of(there), found, "ANN", "seen at the venue", there.clock)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.suffix != ".html"
    }


@pytest.mark.long
def test_fills_that_the_venue_lists_are_booked_and_the_session_goes_on(tmp_path: Path) -> None:
    there = halted(tmp_path, "venue")
    folder = tmp_path / "runs" / "live" / "sessions" / "live"
    before = bytes_of(folder)
    found = look(spec_of(there))
    assert found.obstacles == []
    assert found.left == {}
    assert found.booked == ["live-1 FILLED 1 AAA at 100.00, fill F1 (it names nobody)"]
    assert bytes_of(folder) == before, "looking changes nothing"

    result = booked(there, found)
    assert result.status is SessionStatus.STOPPED
    assert [each for each in result.summary["held"]["positions"] if "AAA" in str(each)]
    assert verify(folder).exit_code == 0
    assert replay("live", strategy=Wanting(), home=tmp_path).summary == result.summary
    with pytest.raises(CannotResumeError, match="not halted by a difference"):
        look(spec_of(there))

    there.switch = InProcessSwitch()
    there.venue.names = "all"  # type: ignore[attr-defined]
    ended = there.resume(ScriptedFeed(there.clock, 300), Wanting())
    assert ended.status is SessionStatus.ENDED
    assert ended.exit_code == 0
    assert ended.summary["live"]["holdings at the end"] == "agreed"
    assert there.venue.books.positions["AAA"] == 1, "the one that is wanted is held"
    assert verify(folder).exit_code == 0
    assert replay("live", strategy=Wanting(), home=tmp_path).summary == ended.summary


@pytest.mark.long
def test_what_no_fill_explains_is_the_owners_if_the_operator_says_so(tmp_path: Path) -> None:
    there = halted(tmp_path, "no")
    found = look(spec_of(there))
    assert found.booked == ["live-1 NOT_SENT fake has no such order"]
    assert found.left == {"AAA": Decimal(1)}
    result = booked(there, found)
    assert result.status is SessionStatus.STOPPED
    [warning] = [each for each in result.summary["warnings"] if each["code"] == "ADJUSTED"]
    assert "1 AAA of the account is its owner's" in warning["detail"]
    assert "(by ANN: seen at the venue)" in warning["detail"]
    assert verify(result.folder).exit_code == 0
    assert replay("live", strategy=Wanting(), home=tmp_path).summary == result.summary


def killed_while_booking(there: World, found: Findings, monkeypatch: Any, at: str) -> None:
    """Book it in a process that is gone at that moment."""
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        return
    try:
        write = InputsWriter.write

        def dying(writer: InputsWriter, events: Sequence[Event]) -> None:
            if isinstance(events[-1], Reconcile):
                if at == "after its inputs":
                    write(writer, events)
                os._exit(9)
            write(writer, events)

        if at == "after its records":
            monkeypatch.setattr(Beside, "run", lambda *_: os._exit(9))
        else:
            monkeypatch.setattr(InputsWriter, "write", dying)
        booked(there, found)
    finally:
        os._exit(1)


@pytest.mark.long
@pytest.mark.parametrize("at", ["before its inputs", "after its inputs", "after its records"])
def test_a_repair_that_is_killed_is_there_wholly_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    there = halted(tmp_path, "venue")
    killed_while_booking(there, look(spec_of(there)), monkeypatch, at)
    if at == "before its inputs":
        found = look(spec_of(there))
        assert len(found.reports) == 1
        booked(there, found)
    else:
        with pytest.raises(CannotResumeError, match="not halted by a difference"):
            look(spec_of(there))
    there.switch = InProcessSwitch()
    there.venue.names = "all"  # type: ignore[attr-defined]
    ended = there.resume(ScriptedFeed(there.clock, 100), Wanting())
    assert ended.status is SessionStatus.ENDED
    assert there.venue.books.positions["AAA"] == 1
    assert verify(ended.folder).exit_code == 0
    assert replay("live", strategy=Wanting(), home=tmp_path).summary == ended.summary


@pytest.mark.long
def test_an_order_that_still_rests_there_is_in_the_way(tmp_path: Path) -> None:
    there = halted(tmp_path, "venue")
    there.venue.names = "all"  # type: ignore[attr-defined]
    there.venue.books.orders["live-1"].filled = 0
    there.venue.books.orders["live-1"].status = OrderStatus.ACCEPTED
    there.venue.books.fills.clear()
    found = look(spec_of(there))
    [obstacle] = found.obstacles
    assert "live-1 is open at fake: cancel it there" in obstacle
    with pytest.raises(ValueError, match="cancel it there"):
        booked(there, found)


@pytest.mark.long
def test_a_session_that_somebody_killed_is_not_reconciled(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    kill = {30: lambda: there.switch.engage("enough", "ann")}
    result = there.run(ScriptedFeed(there.clock, 60, after=kill), Wanting())
    assert result.status is SessionStatus.HALTED
    with pytest.raises(CannotResumeError, match=r"halted by kill switch: enough \(by ann\)"):
        look(spec_of(there))


def test_money_that_the_account_has_not_is_no_adjustment() -> None:
    found = Findings(left={"USD": Decimal(-5), "AAA": Decimal(-1)}, symbols=frozenset({"AAA"}))
    [words] = found.unsound()
    assert "the books hold 5 USD more than the account" in words
    assert Findings(left={"USD": Decimal(-5)}, baseline={"USD": Decimal(7)}).unsound() == []


@pytest.mark.long
def test_the_command_shows_then_books_and_says_what_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = halted(tmp_path, "no")
    given = spec_of(there)
    monkeypatch.setattr(
        "logos.cli.running.reconcile.SessionSpec",
        lambda session_id, tell, is_acknowledged: replace(given, is_acknowledged=is_acknowledged),
    )
    command = ["reconcile", "live", "--by", "ANN", "--reason", "seen there"]
    assert main(command) == 4
    said = capsys.readouterr().out
    assert "book    live-1 NOT_SENT fake has no such order" in said
    assert "LEFT    1 AAA no fill explains" in said
    assert "nothing was booked" in said
    assert main([*command, "--adjust"]) == 0
    assert "nothing was booked: --no-dry-run books it" in capsys.readouterr().out
    assert main([*command, "--adjust", "--no-dry-run"]) == 2
    assert "needs --live and --i-acknowledge-risk" in capsys.readouterr().err
    leave = ["--live", "--i-acknowledge-risk"]
    assert main([*command, "--adjust", "--no-dry-run", *leave]) == 0
    assert "STOPPED" in capsys.readouterr().out
    assert main([*command, *leave]) == 2
    assert "was not halted by a difference" in capsys.readouterr().err
