"""`logos compare`: sessions by id and by folder, what is refused, pages that harm nobody."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from journal_helpers import BarByBar, bars
from session_helpers import session_config
from stored_helpers import aged, crashed, ended

from logos.cli.main import main
from logos.core.gates import InProcessSwitch
from logos.core.strategy import market
from logos.core.types import Side
from logos.session import SessionResult
from logos.session.entry import run
from logos.testing.builders import Scripted

Output = pytest.CaptureFixture[str]
HOSTILE = "<img src=x onerror=alert(1)></script>\x1b[31m"


def hostile(session_id: str) -> SessionResult:
    """A session whose strategy and tags are named by somebody who means ill."""
    strategy = type(HOSTILE, (Scripted,), {"name": HOSTILE})({
        1: market(Side.BUY, 10, tag="=cmd|' /C calc'!A1"),
        5: market(Side.SELL, 10, tag=HOSTILE),
    })  # fmt: skip
    config = session_config(session={"id": session_id})
    return run(config, strategy=strategy, feed=BarByBar(bars(12)), switch=InProcessSwitch())


def test_sessions_are_named_by_id_and_by_folder(
    logos_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    ended("one")
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path / "other"))
    there = ended("one").folder
    monkeypatch.setenv("LOGOS_HOME", str(logos_home))
    assert main(["compare", "one", str(there)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"workspace {logos_home}\nA  one ({logos_home})")
    assert f"B  one ({tmp_path / 'other'})" in out


def test_outside_of_all_workspaces_folders_can_be_compared_and_ids_not(
    logos_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    folders = [str(ended(name).folder) for name in ("one", "two")]
    monkeypatch.delenv("LOGOS_HOME")
    place = tmp_path / "elsewhere"
    place.mkdir()
    monkeypatch.chdir(place)
    assert main(["compare", *folders]) == 0
    assert "A  one" in capsys.readouterr().out
    assert main(["compare", "one", folders[1]]) == 2
    assert "no session one: " in capsys.readouterr().err
    assert list(place.iterdir()) == []


def test_a_session_that_is_missing_or_was_pruned_is_named(logos_home: Path, capsys: Output) -> None:
    aged(ended("old"), 40), ended("one")
    assert main(["compare", "one", "gone"]) == 2
    assert "no session gone in " in capsys.readouterr().err
    assert main(["sessions", "prune", "--older-than", "30d", "--yes"]) == 0
    assert main(["compare", "one", "old"]) == 2
    assert "session old was pruned at " in capsys.readouterr().err
    assert main(["compare", "one"]) == 2
    assert "compare takes 2 to 12 sessions, not 1" in capsys.readouterr().err
    assert main(["compare", "one", "../../etc"]) == 2


def test_a_session_that_crashed_is_compared_as_far_as_its_rows_go(
    logos_home: Path, capsys: Output
) -> None:
    ended("one"), crashed("cut")
    assert main(["compare", "one", "cut", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["outcome"] for each in told["sessions"]] == ["ENDED", "CRASHED"]
    assert any("cut is CRASHED" in note for note in told["notes"])


def test_damaged_files_end_with_the_exit_code_of_damage(logos_home: Path, capsys: Output) -> None:
    one, other = ended("one"), ended("two")
    journal = one.folder / "state.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"seed":', b'"seeD":', 1))
    assert main(["compare", "two", "one"]) == 8
    assert "logos compare: " in capsys.readouterr().err
    ended("three")
    (other.folder / "account.csv").write_text("time,currency\n1\n")
    assert main(["compare", "three", "two"]) == 8
    told = capsys.readouterr().err
    assert "account.csv is damaged: " in told
    assert "`logos verify` says more" in told


def test_the_page_is_written_for_its_owner_alone_and_named(
    logos_home: Path, tmp_path: Path, capsys: Output
) -> None:
    ended("one"), ended("two")
    page = tmp_path / "c.html"
    assert main(["compare", "one", "two", "--html", str(page)]) == 0
    assert capsys.readouterr().out.endswith(f"page      {page}\n")
    assert page.stat().st_mode & 0o777 == 0o600
    assert main(["compare", "one", "two", "--html", str(tmp_path / "no" / "c.html")]) == 6
    assert f"{tmp_path}/no/c.html: No such file" in capsys.readouterr().err


def test_strangers_words_are_no_markup_and_no_command(
    logos_home: Path, tmp_path: Path, capsys: Output
) -> None:
    hostile("one"), ended("two")
    page = tmp_path / "c.html"
    assert main(["compare", "one", "two", "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    text = page.read_text(encoding="utf-8")
    assert "<img" not in text
    assert "onerror" in text, "its name is shown, as text"
    assert text.count("</script>") == text.count("<script")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
