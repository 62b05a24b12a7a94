"""Faults between real members of etcd and engines, a sample; `make fleet-campaign` plays them all.

Needs root, for network namespaces.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fleet_audit import Change, allowed_until, judge, renewals_of
from fleet_campaign import play, tell
from places import absent

TTL_S = 2.0
SAMPLE = ("engine_cut", "leader_killed", "key_deleted", "suspended")


@pytest.mark.campaign
def test_no_engine_orders_without_a_permit_and_none_comes_back(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        absent("network namespaces need root")
    outcomes = play(tmp_path, SAMPLE, 5, TTL_S)
    assert tell(outcomes, TTL_S) == []
    assert len(outcomes) == len(SAMPLE)


def entry(revision: int, renewed_ns: int) -> Change:
    return Change(revision, "logos/camp/engines/a", {"renewed_ns": renewed_ns})


def switch(revision: int, state: str) -> Change:
    return Change(revision, "logos/camp/switch", {"state": state})


def test_the_auditor_believes_the_coordinators_history_alone() -> None:
    history = [entry(5, 100), switch(6, "ENGAGED"), entry(7, 104), entry(8, 108)]
    renewals = renewals_of(history, "camp", "a", "SAFE")
    assert renewals == [(100, "SAFE"), (104, "ENGAGED"), (108, "ENGAGED")]
    spans = allowed_until(renewals, 10)
    assert spans == [(100, 110)]
    fine = judge("a", ["O 109 109"], spans)
    assert (fine.unpermitted, fine.unkills) == ([], 0)
    assert judge("a", ["O 110 110"], spans).unpermitted == [110], "sent after the permit's end"
    assert judge("a", ["O 99 99"], spans).unpermitted == [99], "sent before there was one"


def test_the_auditor_lets_no_renewal_bring_back_a_permit_that_had_lapsed() -> None:
    history = [entry(5, 100), entry(6, 105), entry(7, 116)]
    spans = allowed_until(renewals_of(history, "camp", "a", "SAFE"), 10)
    assert spans == [(100, 110), (105, 115)]
    assert judge("a", ["O 116 116"], spans).unpermitted == [116]


def test_the_auditor_finds_an_engine_that_comes_back() -> None:
    verdict = judge("a", ["O 101 101", "R 103", "O 104 104"], [(100, 110)])
    assert verdict.unkills == 1


def test_an_order_that_left_after_the_permit_of_its_gate_is_counted_with_how_late_it_was() -> None:
    verdict = judge("a", ["O 101 117"], [(100, 110)])
    assert (verdict.held, verdict.unpermitted) == ([7], [])
