"""`logos sessions`: list, show, sizes and prune, on sessions of every kind of ending."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stored_helpers import aged, crashed, ended, failed, halted

from logos.cli.main import main
from logos.errors import ConfigError
from logos.journal.lock import JournalLock
from logos.session import SessionResult

Output = pytest.CaptureFixture[str]


def told(capsys: Output, *words: str) -> Any:
    """The JSON that the command prints; it must end with 0."""
    capsys.readouterr()
    assert main(["sessions", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def by_id(capsys: Output) -> dict[str, dict[str, Any]]:
    return {each["session_id"]: each for each in told(capsys, "list")}


# ---- list ----


def test_every_session_is_listed_with_how_it_ended(logos_home: Path, capsys: Output) -> None:
    ended("good"), halted("over"), failed("bad"), crashed("cut")
    found = by_id(capsys)
    assert {name: (each["status"], each["exit_code"]) for name, each in found.items()} == {
        "good": ("ENDED", 0), "over": ("HALTED", 4), "bad": ("FAILED", 5), "cut": ("CRASHED", None),
    }  # fmt: skip
    assert found["good"]["held"] == {"positions": {"ACME": "10"}, "resting": 0}
    assert found["cut"]["held"] is None
    assert "MAX_DRAWDOWN" in found["over"]["reason"]
    assert (found["good"]["mode"], found["good"]["data"]) == ("paper", "recorded")
    assert all(each["began"] and each["ended"] >= each["began"] for each in found.values())


def test_the_list_is_in_order_of_the_beginning(logos_home: Path, capsys: Output) -> None:
    aged(ended("b"), 1), aged(ended("a"), 2), ended("c")
    assert [each["session_id"] for each in told(capsys, "list")] == ["a", "b", "c"]
    assert main(["sessions", "list"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"workspace {logos_home}"
    assert [line.split()[0] for line in printed[1:]] == ["session", "a", "b", "c"]
    assert printed[2].endswith("10 ACME")


def test_a_session_that_runs_is_listed_as_running(logos_home: Path, capsys: Output) -> None:
    lock = JournalLock(ended("one").folder / "state.jsonl")
    assert by_id(capsys)["one"]["status"] == "RUNNING"
    lock.close()
    assert by_id(capsys)["one"]["status"] == "ENDED"


@pytest.mark.parametrize("name", ["state.json", "host.json", "config.json"])
def test_a_folder_that_cannot_be_judged_is_listed_and_named(
    name: str, logos_home: Path, capsys: Output
) -> None:
    ended("fine")
    (ended("odd").folder / name).write_text("{")
    found = by_id(capsys)
    assert found["odd"]["status"] == "UNKNOWN"
    assert name in found["odd"]["problem"]
    assert found["fine"]["status"] == "ENDED"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("state.json", '{"status": "ENDED", "positions": {"ACME": 5}}', "Expected `object`"),
        ("state.json", '{"status": "ENDED", "tick_id": "many"}', "tick_id"),
        ("state.json", "{}", "state.json does not say how it ended"),
        ("host.json", '{"ended": 5}', "host.json cannot be read"),
    ],
)
def test_what_no_session_writes_is_a_problem_of_that_session_alone(
    name: str, content: str, problem: str, logos_home: Path, capsys: Output
) -> None:
    ended("fine")
    (ended("odd").folder / name).write_text(content)
    found = by_id(capsys)
    assert found["odd"]["status"] == "UNKNOWN"
    assert problem in found["odd"]["problem"]
    assert found["fine"]["status"] == "ENDED"


def test_settings_of_a_strange_shape_are_no_settings_of_a_venue(
    logos_home: Path, capsys: Output
) -> None:
    (ended("odd").folder / "config.json").write_text('{"venue": "paper", "live": [1]}')
    assert (by_id(capsys)["odd"]["mode"], by_id(capsys)["odd"]["data"]) == ("paper", "recorded")


# ---- show ----


def test_show_says_what_a_session_is_and_what_comes_next(logos_home: Path, capsys: Output) -> None:
    result = halted("over")
    shown = told(capsys, "show", "over")
    assert (shown["status"], shown["exit_code"]) == ("HALTED", 4)
    assert shown["trigger"]["guard"] == "MAX_DRAWDOWN"
    assert shown["held"]["positions"] == {"ACME": "10"}
    assert shown["config_hash"] == result.summary["config_hash"]
    assert shown["accounts"]["USD"]["equity"] == result.summary["currencies"]["USD"]["equity"]
    assert shown["files"]["state.jsonl"] == (result.folder / "state.jsonl").stat().st_size
    beside = {name for name in shown["files"] if name.startswith("logos/logs/")}
    assert beside == {"logos/logs/over.jsonl", "logos/logs/over.metrics.json"}
    assert sum(shown["files"].values()) == shown["bytes"]["total"]
    assert shown["next"] == ["logos sessions show over", "logos verify over"]
    assert main(["sessions", "show", "over"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.startswith("next")] == ["next      logos verify over"]


def test_show_reads_what_a_crashed_session_holds_from_its_journal(
    logos_home: Path, capsys: Output
) -> None:
    crashed("cut")
    shown = told(capsys, "show", "cut")
    assert shown["held"]["positions"] == {"ACME": "10"}
    assert shown["next"] == ["logos resume cut"]


def test_show_of_a_session_that_is_not_there_names_the_list(
    logos_home: Path, capsys: Output
) -> None:
    ended("one")
    assert main(["sessions", "show", "gone"]) == 2
    assert "no session gone" in capsys.readouterr().err
    assert main(["sessions", "show", "../one"]) == 2


# ---- sizes ----


def test_sizes_are_those_of_the_files(logos_home: Path, capsys: Output) -> None:
    result = ended("one")
    (only,) = told(capsys, "sizes")["sessions"]
    assert only["bytes"]["total"] == sized(result)
    assert only["bytes"]["journal"] == (result.folder / "state.jsonl").stat().st_size
    assert (only["events"], only["bytes_an_event"]) == (12, round(only["bytes"]["total"] / 12))
    assert only["bytes_an_hour"] is None, "it lasted less than a minute"


# ---- prune ----


def folders(home: Path) -> set[str]:
    return {path.name for path in (home / "runs" / "live" / "sessions").iterdir()}


def test_nothing_is_deleted_without_yes(logos_home: Path, capsys: Output) -> None:
    aged(ended("old"), 40)
    ended("new")
    assert main(["sessions", "prune", "--older-than", "30d"]) == 0
    printed = capsys.readouterr().out
    assert "would delete old: " in printed
    assert "nothing is deleted yet: --yes frees" in printed
    assert folders(logos_home) == {"old", "new"}


def test_what_is_deleted_is_gone_with_its_log_and_leaves_a_line(
    logos_home: Path, capsys: Output
) -> None:
    result = aged(ended("old"), 40)
    ended("new")
    before = by_id(capsys)["old"]
    pruned = told(capsys, "prune", "--older-than", "30d", "--yes")
    assert pruned["freed"] == before["bytes"]["total"]
    assert folders(logos_home) == {"new"}
    logs = sorted(path.name for path in (logos_home / "logos" / "logs").iterdir())
    assert logs == ["new.jsonl", "new.metrics.json"]
    assert [path.name for path in (logos_home / "state" / "origins").iterdir()] == ["new.json"]
    line = json.loads((logos_home / "runs" / "live" / "pruned.jsonl").read_text())
    assert (line["session_id"], line["status"], line["exit_code"]) == ("old", "ENDED", 0)
    assert line["config_hash"] == result.summary["config_hash"]
    assert line["held"] == {"ACME": "10"}
    assert main(["sessions", "show", "old"]) == 2
    assert "session old was pruned at " in capsys.readouterr().err


def test_the_id_of_a_pruned_session_stays_taken(logos_home: Path) -> None:
    ended("")
    assert main(["sessions", "prune", "--keep", "0", "--yes"]) == 0
    assert ended("").session_id == "session-0002"
    with pytest.raises(ConfigError, match="session-0001 existed and was pruned"):
        ended("session-0001")


def kept(capsys: Output, *words: str) -> dict[str, str]:
    """Why each session that the rule names is kept."""
    found = told(capsys, "prune", *words, "--yes")["sessions"]
    return {each["session_id"]: each["kept_because"] for each in found if each["kept_because"]}


def test_what_may_still_be_needed_is_kept_unless_it_is_forced(
    logos_home: Path, capsys: Output
) -> None:
    crashed("cut"), ended("odd"), ended("open"), ended("done")
    (logos_home / "runs/live/sessions/odd/state.json").write_text("{")
    leftovers = logos_home / "state" / "leftovers"
    leftovers.mkdir()
    (leftovers / "open.json").write_text("{}")
    why = kept(capsys, "--keep", "0")
    assert why.keys() == {"cut", "odd", "open"}
    assert "it can be resumed (CRASHED)" in why["cut"]
    assert "not seen to agree" in why["open"]
    assert folders(logos_home) == {"cut", "odd", "open"}
    assert kept(capsys, "--keep", "0", "--force") == {}
    assert folders(logos_home) == set()


def test_a_session_that_runs_is_never_deleted(logos_home: Path, capsys: Output) -> None:
    lock = JournalLock(ended("one").folder / "state.jsonl")
    assert kept(capsys, "--keep", "0", "--force") == {"one": "it runs"}
    lock.close()
    assert folders(logos_home) == {"one"}


def sized(*results: SessionResult) -> int:
    """What the sessions take, their logs and figures included."""
    return sum(
        path.stat().st_size
        for each in results
        for path in (
            *each.folder.iterdir(),
            *(each.folder.parents[3] / "logos" / "logs").glob(f"{each.session_id}.*"),
        )
    )


def test_the_oldest_go_until_the_rest_takes_less(logos_home: Path, capsys: Output) -> None:
    aged(ended("a"), 3)
    left = aged(ended("b"), 2), aged(ended("c"), 1)
    assert main(["sessions", "prune", "--max-bytes", str(sized(*left)), "--yes"]) == 0
    assert folders(logos_home) == {"b", "c"}
    assert main(["sessions", "prune", "--max-bytes", str(sized(*left)), "--yes"]) == 0
    assert folders(logos_home) == {"b", "c"}


def test_keep_spares_the_newest_whatever_else_is_asked(logos_home: Path) -> None:
    for days, name in enumerate(("c", "b", "a"), start=1):
        aged(ended(name), days)
    assert main(["sessions", "prune", "--older-than", "1h", "--keep", "2", "--yes"]) == 0
    assert folders(logos_home) == {"b", "c"}


@pytest.mark.parametrize(
    "words",
    [(), ("--older-than", "month"), ("--max-bytes", "12Q"), ("--keep", "-1"), ("--yes",)],
)
def test_a_rule_that_says_nothing_deletes_nothing(words: tuple[str, ...], logos_home: Path) -> None:
    aged(ended("old"), 400)
    assert main(["sessions", "prune", *words]) == 2
    assert folders(logos_home) == {"old"}


def test_outside_of_all_workspaces_there_are_no_sessions_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.delenv("LOGOS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    for words in (["list"], ["sizes"], ["prune", "--keep", "1"]):
        assert main(["sessions", *words]) == 0
        assert "is not in a workspace\nno sessions" in capsys.readouterr().out
    assert main(["sessions", "show", "one"]) == 2
    assert list(tmp_path.iterdir()) == []
