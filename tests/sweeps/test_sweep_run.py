"""A sweep as a whole: what is run, in what order it stands, how it is stopped and goes on."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sweep_helpers import InlineLanes, go, make_market, make_sweep

from logos.errors import ConfigError, LogosError
from logos.killswitch.breaker import CircuitBreaker
from logos.session import SwitchEngagedError
from logos.session.presence import registry
from logos.sweeps import run as run_module
from logos.sweeps.finish import read_finished, rerun, shown_lines, write_all
from logos.sweeps.prepare import Wish
from logos.sweeps.record import RESULTS, locked
from logos.sweeps.run import WORK, Finished

GRID = Wish(params={"length": "3..5", "margin": "0,0.01"}, by="net")


@pytest.fixture
def market(tmp_path: Path) -> Path:
    make_market(tmp_path / "market")
    return tmp_path / "market"


@pytest.fixture(autouse=True)
def repeats_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best row is run once more in this process: test_sweep_processes has the real one."""
    monkeypatch.setattr(run_module, "ProcessLanes", lambda _count: InlineLanes())


def rows(finished: Finished) -> list[dict[str, str]]:
    write_all(finished)
    with open(finished.folder / "results.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, bytes]:
    return {
        name: (folder / name).read_bytes()
        for name in ("results.csv", "results.parquet", "results.json", "sweep.html")
    }


def test_a_grid_in_the_order_of_its_axes_whichever_row_was_done_first(
    market: Path, tmp_path: Path
) -> None:
    one = make_sweep(market, tmp_path / "home", GRID)
    other = make_sweep(market, tmp_path / "home", GRID)
    table = rows(go(one))
    backwards = go(other, InlineLanes(is_backwards=True))
    rows(backwards)
    assert [(row["row"], row["param.length"], row["param.margin"]) for row in table] == [
        ("1", "3", "0"),
        ("2", "3", "0.01"),
        ("3", "4", "0"),
        ("4", "4", "0.01"),
        ("5", "5", "0"),
        ("6", "5", "0.01"),
    ]
    assert backwards.same is True
    written = [files(folder) for folder in (one, other)]
    names = [folder.name.encode() for folder in (one, other)]
    for name, content in written[0].items():
        assert content.replace(names[0], names[1]) == written[1][name], name
    best = max(table, key=lambda row: float(row["net"]))
    assert backwards.best().row == int(best["row"])  # type: ignore[union-attr]  # there is one
    assert {row["status"] for row in table} == {"ENDED"}
    assert len({row["artifact_hash"] for row in table}) == 6
    assert not (one / WORK).exists()


def test_any_row_can_be_run_again_to_the_same_bytes_and_kept(market: Path, tmp_path: Path) -> None:
    folder = make_sweep(market, tmp_path / "home", GRID)
    rows(go(folder))
    before, again, place = rerun(folder, 4, is_kept=True)
    assert before == again
    assert place is not None
    assert (place / "state.jsonl").is_file()
    with pytest.raises(ConfigError, match="has no outcome of row 7: it has rows 1 to 6"):
        rerun(folder, 7)


def test_an_interrupt_keeps_what_is_done_and_the_rest_is_taken_up(
    market: Path, tmp_path: Path
) -> None:
    whole = make_sweep(market, tmp_path / "home", GRID)
    rows(go(whole))
    folder = make_sweep(market, tmp_path / "home", GRID)
    asked: list[int] = []
    lanes = InlineLanes(before=lambda row: asked.append(row) if row == 3 else None)
    stopped = go(folder, lanes, is_interrupted=lambda: bool(asked))
    assert stopped.stopped == "interrupted by the operator"
    assert [each.row for each in stopped.outcomes] == [1, 2, 3]
    write_all(stopped)
    assert "not complete" in (folder / "sweep.html").read_text(encoding="utf-8")
    assert json.loads((folder / "results.json").read_bytes())["stopped"]
    again = InlineLanes()
    finished = go(folder, again)
    assert again.ran == [4, 5, 6]
    rows(finished)
    assert files(folder)["results.csv"] == files(whole)["results.csv"]


def test_a_torn_record_is_cut_and_its_row_run_again(market: Path, tmp_path: Path) -> None:
    folder = make_sweep(market, tmp_path / "home", GRID)
    rows(go(folder))
    table = (folder / "results.csv").read_bytes()
    path = folder / RESULTS
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    lanes = InlineLanes()
    rows(go(folder, lanes))
    assert lanes.ran == [6]
    assert path.read_bytes() == content
    assert (folder / "results.csv").read_bytes() == table
    path.write_bytes(content + content.splitlines(keepends=True)[0])  # counted once all the same
    assert len(go(folder).outcomes) == 6
    path.write_bytes(b"{}\n" + content)
    with pytest.raises(LogosError, match=rf"{RESULTS}:1 is not what a sweep writes"):
        go(folder)


def test_the_kill_switch_stops_it_and_a_reset_lets_it_go_on(market: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder = make_sweep(market, home, GRID)
    switch = CircuitBreaker(home / "state" / "kill-switch")

    def throw(row: int) -> None:
        if row == 4:
            switch.engage("a drill", "me")

    stopped = go(folder, InlineLanes(before=throw))
    assert stopped.by_switch
    assert "a drill" in stopped.stopped
    assert [each.row for each in stopped.outcomes] == [1, 2, 3]
    with pytest.raises(SwitchEngagedError):
        go(folder)
    with pytest.raises(SwitchEngagedError):
        make_sweep(market, home, GRID)
    switch.reset("the drill is over", "me", switch.epoch)
    switch.close()
    lanes = InlineLanes()
    assert len(go(folder, lanes).outcomes) == 6
    assert lanes.ran == [4, 5, 6]


def test_the_kill_switch_at_the_last_row_stops_it_as_at_any_other(
    market: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    folder = make_sweep(market, home, GRID)
    with closing(CircuitBreaker(home / "state" / "kill-switch")) as switch:

        def throw(row: int) -> None:
            if row == 6:
                switch.engage("a drill", "me")

        stopped = go(folder, InlineLanes(before=throw))
    assert stopped.by_switch
    assert "a drill" in stopped.stopped
    assert [each.row for each in stopped.outcomes] == [1, 2, 3, 4, 5]


def test_the_kill_switch_before_the_best_is_run_again_is_the_switch(
    market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    folder = make_sweep(market, home, GRID)
    with closing(CircuitBreaker(home / "state" / "kill-switch")) as switch:

        def begin(_count: int) -> InlineLanes:
            switch.engage("a drill", "me")
            return InlineLanes()

        monkeypatch.setattr(run_module, "ProcessLanes", begin)
        stopped = go(folder)
    assert stopped.by_switch
    assert "a drill" in stopped.stopped
    assert len(stopped.outcomes) == 6


def test_logos_kill_finds_a_sweep_between_two_sessions(market: Path, tmp_path: Path) -> None:
    folder = make_sweep(market, tmp_path / "home", GRID)
    seen: list[Any] = []

    def look(row: int) -> None:
        seen.append([each.entry for each in registry.read_registry()])

    go(folder, InlineLanes(before=look))
    assert {(each.kind, each.session_id) for [each] in seen} == {("sweep", folder.name)}
    assert {each.workspace for [each] in seen} == {str(tmp_path / "home")}
    assert registry.read_registry() == []


def test_one_process_at_a_time_runs_a_sweep(market: Path, tmp_path: Path) -> None:
    folder = make_sweep(market, tmp_path / "home", GRID)
    with locked(folder), pytest.raises(LogosError, match="run by another process"):
        go(folder)


def test_out_of_sample_the_best_alone_is_tried_on_the_rest(market: Path, tmp_path: Path) -> None:
    wish = Wish(params={"length": "3..5"}, by="net", out_of_sample=0.25)
    finished = go(make_sweep(market, tmp_path / "home", wish))
    table = rows(finished)
    assert [(row["sample"], row["from"], row["to"]) for row in table] == [
        *[("in", "", "2026-01-10T01:30:00Z")] * 3,
        ("out", "2026-01-10T01:30:00Z", ""),
    ]
    best = finished.best()
    assert best is not None
    assert table[3]["param.length"] == best.trial.params["length"]
    assert int(table[0]["ticks"]) + int(table[3]["ticks"]) == 48
    whole = json.loads((finished.folder / "results.json").read_bytes())
    assert whole["walk_forward"]["folds"] == 1
    assert whole["best_row"] == best.row


@pytest.mark.parametrize(
    ("is_anchored", "stretches"),
    [
        (False, [("", "07"), ("04", "10"), ("07", "10"), ("10", "")]),
        (True, [("", "07"), ("", "10"), ("07", "10"), ("10", "")]),
    ],
)
def test_walking_forward(
    is_anchored: bool, stretches: list[tuple[str, str]], market: Path, tmp_path: Path
) -> None:
    wish = Wish(
        params={"length": "3,4"}, by="net", walk_forward=2, train=2, is_anchored=is_anchored
    )
    finished = go(make_sweep(market, tmp_path / "home", wish))
    table = rows(finished)
    assert [(row["fold"], row["sample"]) for row in table] == [
        *[("1", "in")] * 2,
        *[("2", "in")] * 2,
        ("1", "out"),
        ("2", "out"),
    ]
    found = [(row["from"][8:10], row["to"][8:10]) for row in table]
    assert [found[0], found[2], found[4], found[5]] == stretches
    for fold in (1, 2):
        inside, outside = finished.best(fold), finished.outside(fold)
        assert inside is not None
        assert outside is not None
        assert inside.trial.params == outside.trial.params
    whole = json.loads((finished.folder / "results.json").read_bytes())
    days = [len(finished.outside(fold).days) for fold in (1, 2)]  # type: ignore[union-attr]  # above
    assert whole["walk_forward"]["days"] == sum(days) > 4


def test_random_draws_are_those_of_the_seed(market: Path, tmp_path: Path) -> None:
    def drawn(seed: int) -> list[str]:
        wish = Wish(params={"margin": "0..0.05"}, by="net", method="random", trials=4, seed=seed)
        return [row["param.margin"] for row in rows(go(make_sweep(market, tmp_path / "h", wish)))]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert len(set(drawn(1))) == 4


@pytest.mark.long
def test_optuna_tries_the_same_however_often_it_is_stopped(market: Path, tmp_path: Path) -> None:
    params = {"length": "2..20", "margin": "0..0.05", "quantity": "10..30:5"}
    wish = Wish(params=params, by="net", method="optuna", trials=12, seed=3)
    whole = make_sweep(market, tmp_path / "home", wish)
    table = rows(go(whole))
    folder = make_sweep(market, tmp_path / "home", wish)
    for _ in range(3):
        asked: list[int] = []
        lanes = InlineLanes(is_backwards=True, before=asked.append)
        go(folder, lanes, is_interrupted=lambda asked=asked: len(asked) >= 3)
    rows(go(folder))
    assert files(folder)["results.csv"] == files(whole)["results.csv"]
    assert len({row["param.margin"] for row in table}) > 6
    assert {row["status"] for row in table} <= {"ENDED", "FAILED"}
    assert (folder / "optuna-1.log").is_file()


def test_a_strategy_that_remembers_is_found_out(market: Path, tmp_path: Path) -> None:
    wish = Wish(params={"length": "3..5"}, by="net")
    finished = go(make_sweep(market, tmp_path / "home", wish, "Remembering"))
    assert finished.same is False
    page = finished.folder / "sweep.html"
    write_all(finished)
    assert "Do not trust these rows" in page.read_text(encoding="utf-8")


def test_rows_without_a_result_are_said(market: Path, tmp_path: Path) -> None:
    wish = Wish(params={"fast": "2,5", "slow": "5,6"}, by="net")
    finished = go(make_sweep(market, tmp_path / "home", wish, "Refusing"))
    assert [row["status"] for row in rows(finished)] == ["ENDED", "ENDED", "INVALID", "ENDED"]
    said = "\n".join(shown_lines(finished))
    assert "1 without a result, such as row 3: INVALID" in said
    with pytest.raises(ConfigError, match="row 3 came to no session"):
        rerun(finished.folder, 3)


@pytest.mark.parametrize(
    ("wish", "tables", "words"),
    [
        (Wish(params={"length": "3,4"}, by="sharp"), {}, "did you mean sharpe?"),
        (Wish(params={"length": "3,4"}, out_of_sample=1.5), {}, "a part of the time"),
        (Wish(params={"length": "3,4"}, out_of_sample=0.2, walk_forward=2), {}, "choose one"),
        (Wish(params={"length": "3,4"}, method="random"), {}, "needs a number of trials"),
        (Wish(params={"length": "3,4"}, trials=5), {}, "goes with a random or an Optuna"),
        (Wish(params={"length": "3,4"}), {"live": {"feed": "yahoo"}}, "runs on recorded data"),
        (Wish(params={"length": "3,4"}), {"strategy": {"name": ""}}, "name a strategy"),
        (
            Wish(params={"length": "3,4"}, walk_forward=60),
            {},
            "has no events from 2026-01-01T19:25:42Z to",
        ),
    ],
)
def test_wishes_that_cannot_be_are_one_line_and_leave_no_folder(
    wish: Wish, tables: dict[str, Any], words: str, market: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        make_sweep(market, tmp_path / "home", wish, **tables)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert list((tmp_path / "home").rglob("sweep.json")) == []
    assert not any((tmp_path / "home" / "runs").rglob("data"))


def test_a_strategy_that_takes_no_combination_says_why(market: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be below slow"):
        make_sweep(market, tmp_path / "home", Wish(params={"fast": "6,7", "slow": "5"}), "Refusing")
    with pytest.raises(ConfigError, match="has no parameters"):
        make_sweep(market, tmp_path / "home", Wish(params={"x": "1,2"}), "Plain")


def test_what_reaches_beyond_a_session_is_left_out(
    market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator = {"fleet": "desk", "endpoints": ["http://127.0.0.1:1"]}
    tables: dict[str, Any] = {"killswitch": {"coordinator": coordinator}}
    told: list[str] = []
    monkeypatch.setattr("sweep_helpers.tell", told.append)
    folder = make_sweep(market, tmp_path / "home", GRID, **tables)
    assert told[-1] == "logos: a sweep's sessions go without [killswitch]"
    assert len(go(folder).outcomes) == 6


def test_a_finished_sweep_is_read_again(market: Path, tmp_path: Path) -> None:
    folder = make_sweep(market, tmp_path / "home", GRID)
    assert read_finished(folder).stopped == "it is not done"
    finished = go(folder)
    write_all(finished)
    before = files(folder)
    again = read_finished(folder)
    assert (again.same, again.stopped) == (True, "")
    write_all(again)
    assert files(folder) == before
