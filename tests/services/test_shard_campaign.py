"""Faults to owners of shards, a sample; `make shard-campaign` plays them all.

Needs root, for network namespaces.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from fleet_audit import Change
from places import absent
from shard_audit import judge_run, read_book
from shard_campaign import play, tell

TTL_S = 2.0
SAMPLE = ("stopped", "cut_off")


@pytest.mark.campaign
def test_no_shard_has_two_owners_and_the_total_holds(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        absent("network namespaces need root")
    outcomes = play(tmp_path, SAMPLE, 5, TTL_S)
    assert tell(outcomes, TTL_S) == []
    assert len(outcomes) == len(SAMPLE)
    assert all(each.took_s > TTL_S for each in outcomes)


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
