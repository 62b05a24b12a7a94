"""logos inspect: what a session is, whether it runs, and its records as they come."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from journal_helpers import KINDS, content_of, copy_of, stopped

from logos import session
from logos.audit.inspect import Overview
from logos.cli.main import main
from logos.journal.writer import JournalWriter
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path
from logos.session.presence.page import metrics_path


def lines_of(folder: Path) -> list[bytes]:
    return (folder / "state.jsonl").read_bytes().splitlines(keepends=True)


class Living:
    """A process that holds a session's lock and writes the rest of its journal, line by line."""

    def __init__(self, folder: Path, written: int) -> None:
        self.path = folder / "state.jsonl"
        self.lines = lines_of(folder)
        self.written = written
        self.path.write_bytes(b"".join(self.lines[:written]))
        self.writer = JournalWriter.continuing(self.path, self.path.stat().st_size)

    def write(self, count: int) -> None:
        """Append the next lines, as they were."""
        with open(self.path, "ab") as file:
            file.write(b"".join(self.lines[self.written : self.written + count]))
        self.written += count

    def die(self) -> None:
        """Let the lock go; what was written stays."""
        self.writer.close()


@pytest.fixture
def living(folder: Path) -> Iterator[Living]:
    process = Living(folder, 5)
    yield process
    process.die()


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_every_kind_of_session_is_shown_and_not_written_to(
    make: Callable[[Path], session.SessionResult],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = make(tmp_path)
    before = content_of(result.folder)
    assert main(["inspect", str(result.folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    summary = result.summary
    assert told["status"] == result.status.value
    assert told["reason"] == result.reason
    assert told["records"] == len(lines_of(result.folder))
    assert told["counts"].get("order", 0) == summary["orders"]
    assert told["counts"].get("fill", 0) == summary["fills"]
    assert told["positions"] == {"ACME": summary["symbols"]["ACME"]["position"]}
    assert told["accounts"]["USD"]["equity"] == summary["currencies"]["USD"]["equity"]
    assert (told["seed"], told["config_hash"]) == (summary["seed"], summary["config_hash"])
    assert told["last_event"] == summary["last_event"]
    assert told["last_records"]
    assert told["now"] is None, "what it holds at its end stands in its journal"
    assert set(told) == {
        "session_id", "folder", "status", "reason", "is_torn", "damage", "uuid", "software",
        "strategy", "seed", "config_hash", "symbols", "records", "counts", "tick_id", "last_event",
        "switch_state", "positions", "accounts", "open_orders", "last_records", "now",
    }  # fmt: skip
    assert main(["inspect", str(result.folder)]) == 0
    assert f"session small: {result.status.value} ({result.reason})" in capsys.readouterr().out
    assert content_of(result.folder) == before


def test_open_orders_are_shown_as_they_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stopped(tmp_path).folder
    with Overview(folder) as overview:
        overview.read()
        orders = overview.as_json()["open_orders"]
    assert [(each["type"], each["status"], each["filled"]) for each in orders] == [
        ("LIMIT", "ACCEPTED", "0"),
        ("STOP", "ACCEPTED", "0"),
    ]
    assert [(each["limit_price"], each["stop_price"]) for each in orders] == [
        ("11.05", ""),
        ("", "8.00"),
    ]
    assert main(["inspect", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "open      2 ACME SELL 4 LIMIT 11.05 ACCEPTED, filled 0" in out
    assert "open      3 ACME SELL 3 STOP 8.00 ACCEPTED, filled 0" in out


def test_running_is_told_from_crashed_by_the_lock(
    living: Living, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(folder)]) == 0
    assert "session small: RUNNING" in capsys.readouterr().out
    living.die()
    assert main(["inspect", str(folder)]) == 7
    captured = capsys.readouterr()
    assert "session small: CRASHED" in captured.out
    assert "logos resume small" in captured.err


def test_a_torn_line_is_shown_as_such(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = folder / "state.jsonl"
    journal.write_bytes(journal.read_bytes()[:-1])
    assert main(["inspect", str(folder)]) == 7
    assert "and a torn line" in capsys.readouterr().out


def test_damage_is_named_and_what_comes_before_it_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = lines_of(folder)
    (folder / "state.jsonl").write_bytes(b"".join([*lines[:6], *lines[7:]]))
    assert main(["inspect", str(folder)]) == 8
    captured = capsys.readouterr()
    assert "records   6 (" in captured.out
    assert f"damaged at record 7, byte {len(b''.join(lines[:6]))}" in captured.err


def test_following_prints_each_record_once_until_the_seal(
    living: Living,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("logos.cli.inspect.time.sleep", lambda _: living.write(3))
    assert main(["inspect", str(folder), "--follow", "--json"]) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert json.loads(first)["records"] == 5
    numbers = [int(json.loads(text)["record"].split()[0]) for text in others]
    assert numbers == list(range(6, len(living.lines) + 1))
    assert " sealed " in json.loads(others[-1])["record"]


def test_following_ends_with_its_process(
    living: Living,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def die(_: float) -> None:
        living.write(2)
        living.die()

    monkeypatch.setattr("logos.cli.inspect.time.sleep", die)
    assert main(["inspect", str(folder), "--follow"]) == 7
    shown = capsys.readouterr().out.splitlines()[-2:]
    assert [int(text.split()[0]) for text in shown] == [6, 7]


def test_following_ends_at_ctrl_c(
    living: Living,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("logos.cli.inspect.time.sleep", interrupt)
    assert main(["inspect", str(folder), "--follow"]) == 0
    assert "RUNNING" in capsys.readouterr().out


def test_following_says_when_the_journal_was_cut_back(
    living: Living,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def cut(_: float) -> None:
        living.path.write_bytes(b"".join(living.lines[:2]))

    monkeypatch.setattr("logos.cli.inspect.time.sleep", cut)
    main(["inspect", str(folder), "--follow"])
    assert "cut back" in capsys.readouterr().err


@pytest.fixture
def running(original: Path, tmp_path: Path) -> Iterator[Living]:
    """A session that a process of this workspace runs, whose figures it writes to `page`."""
    sessions = tmp_path / "runs" / "live" / "sessions"
    sessions.mkdir(parents=True)
    process = Living(copy_of(original, sessions), 5)
    page = metrics_path("small", tmp_path)
    page.parent.mkdir(parents=True)
    page.write_bytes(metrics_path("small", original.parents[3]).read_bytes())
    with closing(HeartbeatFile(heartbeat_path("small", tmp_path), "small", process.path)):
        yield process
    process.die()


def told_now(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    return [line["now"] for line in lines if line.get("now")]


def test_of_a_session_that_runs_position_and_profit_of_now_are_told(
    running: Living,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = metrics_path("small", tmp_path)
    figures = json.loads(page.read_bytes())
    [acme] = figures["risk"]["symbols"]
    acme |= {"position_units": 3, "mark_units": 1250, "unrealised_units": 525}
    acme |= {"entry_units": 1075 * 10**8, "entry_decimals": 10, "open_orders": 1}
    [dollars] = figures["risk"]["currencies"]
    dollars |= {"equity_units": 100_525, "day_profit_units": 525, "drawdown_units": 75}
    looks = iter(range(100))
    monkeypatch.setattr("logos.cli.inspect.time.monotonic", lambda: float(next(looks)))

    def go_on(_: float) -> None:
        running.write(1)
        figures["fills"] += running.written == 8
        page.write_text(json.dumps(figures))

    page.write_text(json.dumps(figures))
    folder = str(running.path.parent)
    assert main(["inspect", folder]) == 0
    assert "ACME 3 at 12.50, average entry 10.75, unrealised +5.25 USD" in capsys.readouterr().out
    monkeypatch.setattr("logos.cli.inspect.time.sleep", go_on)
    assert main(["inspect", folder, "--follow", "--json"]) == 0
    first, *later = told_now(capsys)
    running.die()
    assert main(["inspect", folder]) == 0
    assert "average entry" not in capsys.readouterr().out, "it has ended"
    position, money = first["positions"][0], first["money"][0]
    assert (position["position"], position["entry_price"], position["mark"]) == (
        *("3", "10.75", "12.50"),
    )
    assert (position["unrealised"], money["today"], money["drawdown"]) == ("5.25", "5.25", "0.75")
    told_at = [0, 3, *range(13, next(looks), 10)]  # the fill came with the third line
    assert len(later) == len(told_at)


def test_figures_of_another_process_are_not_those_of_now(
    running: Living, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = metrics_path("small", tmp_path)
    assert main(["inspect", str(running.path.parent), "--json"]) == 0
    assert len(told_now(capsys)) == 1
    page.write_text(json.dumps({**json.loads(page.read_bytes()), "pid": os.getpid() + 1}))
    assert main(["inspect", str(running.path.parent), "--json"]) == 0
    assert told_now(capsys) == []


def test_a_sealed_session_is_not_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wait(_: float) -> None:
        raise AssertionError("there is nothing to wait for")

    monkeypatch.setattr("logos.cli.inspect.time.sleep", wait)
    assert main(["inspect", str(folder), "--follow"]) == 0
    assert capsys.readouterr().err == ""


def test_looking_takes_no_lock_that_stays(folder: Path) -> None:
    with Overview(folder) as overview:
        overview.read()
        assert overview.status() == "ENDED"
        path = folder / "state.jsonl"
        writer = JournalWriter.continuing(path, path.stat().st_size)
        assert overview.status() == "RUNNING"
        writer.close()
        assert overview.status() == "ENDED"


def test_what_is_no_session_is_refused(
    logos_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "none"]) == 2
    assert "no such session" in capsys.readouterr().err
