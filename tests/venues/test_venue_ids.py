"""Client order ids fit the venue, come back, and are never confused."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.venues.contract import Refused
from logos.venues.ids import ClientIds, IdRule

SESSIONS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
RULES = st.sampled_from(
    [
        IdRule(36, True),
        IdRule(32, False),
        IdRule(128, True),
        IdRule(36, True, "t-"),
        IdRule(36, False, is_uuid=True),
        IdRule(36, False, "0x", is_uuid=True),
    ]
)


@pytest.mark.long
@given(SESSIONS, st.integers(0, 10**12), RULES)
def test_an_id_fits_the_venue_and_comes_back(session_id: str, number: int, rule: IdRule) -> None:
    ids = ClientIds(rule, session_id)
    ours = f"{session_id}-{number}"
    theirs = ids.to_venue(ours)
    assert len(theirs) <= rule.length_max
    assert rule.takes_punctuation or theirs.isalnum()
    assert theirs.startswith(rule.prefix)
    assert ids.to_ours(theirs) == ours
    assert ClientIds(rule, session_id).to_ours(theirs) == ours
    assert ClientIds(rule, "").to_ours(theirs) == ""


@pytest.mark.long
@given(SESSIONS, SESSIONS, st.integers(0, 10**12), st.integers(0, 10**12), RULES)
def test_two_ids_are_never_one_at_the_venue(
    first: str, second: str, one: int, two: int, rule: IdRule
) -> None:
    ids = ClientIds(rule)
    if (first, one) != (second, two):
        assert ids.to_venue(f"{first}-{one}") != ids.to_venue(f"{second}-{two}")


def test_a_short_id_stays_as_it_is() -> None:
    assert ClientIds(IdRule(36, True)).to_venue("session-0001-17") == "session-0001-17"


@pytest.mark.parametrize("text", ["", "x", "x-", "-1", "x-y", "a b-1", "x-1 ", "x-١"])
def test_what_is_no_id_of_ours_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        ClientIds(IdRule(36, True)).to_venue(text)


def test_an_id_that_cannot_be_made_to_fit_is_refused() -> None:
    with pytest.raises(Refused, match="too long"):
        ClientIds(IdRule(19, False)).to_venue("session-1")


def test_where_digits_only_are_taken_an_id_is_a_random_uuid() -> None:
    rule = IdRule(36, False, is_uuid=True)
    theirs = ClientIds(rule).to_venue("session-0001-17")
    made = uuid.UUID(theirs)
    assert (made.version, made.variant) == (4, uuid.RFC_4122)
    assert ClientIds(rule, "session-0001").to_ours(str(made)) == "session-0001-17"
    assert ClientIds(rule, "session-0001").to_ours(theirs.upper()) == "session-0001-17"
    for strange in ("", "12345", str(uuid.UUID(int=7)), theirs + "0"):
        assert ClientIds(rule, "session-0001").to_ours(strange) == ""
    with pytest.raises(Refused, match="too long for this venue"):
        ClientIds(rule).to_venue("s-" + "9" * 19)


def test_an_id_without_the_venue_s_prefix_is_a_stranger_s() -> None:
    ids = ClientIds(IdRule(28, True, "t-"), "s")
    assert ids.to_venue("s-1") == "t-s-1"
    assert ids.to_ours("t-s-1") == "s-1"
    assert ids.to_ours("s-1") == ""
