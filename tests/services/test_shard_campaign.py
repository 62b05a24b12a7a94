"""Faults to owners of shards, a sample; `make shard-campaign` plays them all.

Needs root, for network namespaces.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from fleet_audit import Change
from fleet_faults import ENDED
from fleet_playing import play_worlds
from places import absent
from shard_audit import Verdict, judge_run, read_book
from shard_campaign import Outcome, ShardWorlds, Terms, play, tell
from shard_faults import SHARD_KINDS

TTL_S = 2.0
RUNS, WORLDS = 208, 6
"""Thirteen of each kind. More worlds at once leave the tests beside this one no processor."""


@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_no_shard_has_two_owners_and_the_total_holds(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        absent("network namespaces need root")
    kinds = list(SHARD_KINDS) * (RUNS // len(SHARD_KINDS))
    outcomes = play(Terms(tmp_path, 5, TTL_S), kinds, WORLDS)
    assert tell(outcomes, TTL_S) == []
    assert len(outcomes) == RUNS
    took = [each.took_s for each in outcomes if each.took_s >= 0]
    assert len(took) > RUNS / 2
    assert min(took) > TTL_S


@dataclass
class Played:
    """A run in a world that is none."""

    kind: str
    problems: list[str] = field(default_factory=list)
    void: list[str] = field(default_factory=list)


@dataclass
class MadeWorlds:
    """Worlds that note who was built and ended; a run "bad" is one in which a world gives way."""

    built: list[tuple[int, int]] = field(default_factory=list)
    ended: list[tuple[int, int]] = field(default_factory=list)
    meeting: Barrier | None = None

    def build(self, world: int, attempt: int, resources: ExitStack) -> Callable[[int, str], Played]:
        self.built.append((world, attempt))
        resources.callback(self.ended.append, (world, attempt))

        def run(number: int, kind: str) -> Played:
            if self.meeting is not None:
                self.meeting.wait()
            if kind == "raised":
                raise OSError(kind)
            if kind == "bad":
                raise AssertionError("no leader")
            return Played(f"{number}{kind}")

        return run

    def spoilt(self, kind: str, why: str) -> Played:
        return Played(kind, void=[why])


def test_worlds_play_side_by_side_and_every_run_once() -> None:
    worlds = MadeWorlds(meeting=Barrier(3, timeout=30))
    outcomes = play_worlds(worlds, 3, list("abcdef"), 1e9)
    assert [each.kind for each in outcomes] == ["0a", "1b", "2c", "3d", "4e", "5f"]
    assert sorted(worlds.built) == sorted(worlds.ended) == [(0, 0), (1, 0), (2, 0)]


def test_a_world_that_gives_way_is_noted_and_built_anew() -> None:
    worlds = MadeWorlds()
    outcomes = play_worlds(worlds, 1, ["a", "bad", "bad", "b"], 1e9)
    assert [(each.kind, each.void) for each in outcomes] == [
        ("0a", []),
        ("bad", ["no leader"]),
        ("bad", ["no leader"]),
        ("3b", []),
    ]
    assert worlds.built == worlds.ended == [(0, 0), (0, 1), (0, 2)]


def test_what_a_world_raises_otherwise_ends_all() -> None:
    worlds = MadeWorlds()
    with pytest.raises(OSError, match="raised"):
        play_worlds(worlds, 1, ["a", "raised", "b"], 1e9)
    assert worlds.ended == [(0, 0)]
    assert play_worlds(MadeWorlds(), 2, ["a"], -1.0) == []


def test_a_process_that_ended_is_a_problem_and_many_void_runs_are_one(tmp_path: Path) -> None:
    worlds = ShardWorlds(Terms(tmp_path, 0, TTL_S))
    [found] = tell([worlds.spoilt("killed", ENDED)], TTL_S)
    assert found == f"run 0, killed: {ENDED}"
    fine = Outcome("killed", Verdict(), 3.0, [])
    spoilt = worlds.spoilt("killed", "waited 30 s in vain: the members to have a leader")
    assert tell([fine] * 9 + [spoilt], TTL_S) == []
    assert tell([fine] * 8 + [spoilt], TTL_S) == ["more than 10% of the runs were void"]


def renewal(revision: int, shard: str, claim: int, at: int) -> Change:
    value = {"renewed_ns": at, "shard": shard, "claim": claim, "token": f"t{claim}"}
    return Change(revision, f"logos/f/engines/t{claim}", value)


def claimed(revision: int, epoch: int | None) -> Change:
    value: dict[str, Any] | None = None if epoch is None else {"epoch": epoch}
    return Change(revision, "logos/f/claims/s", value)


def problems(*books: str, history: list[Change] | None = None, total: int = 100) -> list[str]:
    read = [book for text in books if (book := read_book("s", text)) is not None]
    alive = [renewal(1, "s", 1, 0), renewal(2, "s", 2, 100)]
    return judge_run(read, alive if history is None else history, "f", total, 1000).problems


def test_the_auditor_finds_an_order_of_a_former_owner() -> None:
    old, new = "C 0 1 0\nO 10 11 1 5\n", "C 100 2 5\nO 120 121 2 6\n"
    assert problems(old, new) == []
    [found] = problems(old + "O 100 101 1 6\n", new)
    assert "TWO OWNERS: 1 orders of claim 1" in found
    [found] = problems(old + "O 20 21 2 6\n", new)
    assert "names another" in found


def test_the_auditor_adds_the_shards_up_at_every_moment() -> None:
    one, other = "C 0 1 0\nO 10 11 1 60\nO 30 31 1 10\n", "C 0 2 0\nO 20 21 2 40\n"
    assert not any("TOTAL" in each for each in problems(one, other))
    read = [read_book("s", one), read_book("r", other.replace(" 40", " 41"))]
    history = [renewal(1, "s", 1, 0), renewal(2, "r", 2, 0)]
    verdict = judge_run([each for each in read if each], history, "f", 100, 1000)
    assert verdict.problems == ["TOTAL: 101 held, the limit is 100"]


def test_the_auditor_believes_no_claim_over_one_that_was_held() -> None:
    def found(*changes: Change) -> list[str]:
        return problems(history=list(changes))

    assert found(claimed(1, 1), claimed(2, None), claimed(3, 2)) == []
    assert "made over one that was held" in found(claimed(1, 1), claimed(2, 2))[0]
    assert "claim 3 follows 1" in found(claimed(1, 1), claimed(2, None), claimed(3, 3))[0]


def test_the_auditor_finds_an_order_without_a_permit_and_a_ledger_that_grants_too_much() -> None:
    [found] = problems("C 0 1 0\nO 1001 1002 1 5\n")
    assert "1 orders of claim 1 without a permit" in found
    ledger = {"granted": {"a": "60", "b": "41"}}
    [found] = problems(history=[Change(1, "logos/f/budgets", ledger)])
    assert found == "the ledger granted 101 of 100"
