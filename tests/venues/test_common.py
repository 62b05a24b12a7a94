"""What the adapters share: ids there and back, exact times and figures, and secrecy."""

from __future__ import annotations

import base64
from decimal import Decimal
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from venue_tools import bitcoin

from logos.venues.common import (
    REDACTED,
    ClientIds,
    Failure,
    IdRule,
    Knowledge,
    Redactor,
    Unreadable,
    clock_line,
    decimal_of,
    order_error,
    price_units,
    quantity_units,
    question_error,
    time_ns,
)
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable

SESSIONS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
RULES = st.sampled_from([IdRule(36, True), IdRule(32, False), IdRule(128, True)])


@given(SESSIONS, st.integers(0, 10**12), RULES)
def test_an_id_fits_the_venue_and_comes_back(session_id: str, number: int, rule: IdRule) -> None:
    ids = ClientIds(rule, session_id)
    ours = f"{session_id}-{number}"
    theirs = ids.to_venue(ours)
    assert len(theirs) <= rule.length_max
    assert rule.takes_punctuation or theirs.isalnum()
    assert ids.to_ours(theirs) == ours
    assert ClientIds(rule, session_id).to_ours(theirs) == ours
    assert ClientIds(rule, "").to_ours(theirs) == ""


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2021-03-16T18:38:01.937734123Z", 1_615_919_881_937_734_123),
        ("2021-03-16T18:38:01.9Z", 1_615_919_881_900_000_000),
        ("2021-03-16T14:38:01-04:00", 1_615_919_881_000_000_000),
    ],
)
def test_times_are_read_exactly(text: str, expected: int) -> None:
    assert time_ns(text) == expected


@pytest.mark.parametrize(
    "text", [None, 5, "", "2021-03-16", "2021-13-16T18:38:01Z", "2021-03-16T18:38:01"]
)
def test_a_time_that_is_none_is_unreadable(text: object) -> None:
    with pytest.raises(Unreadable):
        time_ns(text)


@pytest.mark.parametrize("text", [None, 1, 1.5, "", "abc", "NaN", "0.001", "1e999999"])
def test_a_figure_that_is_not_exact_in_units_is_unreadable(text: object) -> None:
    with pytest.raises(Unreadable):
        price_units(bitcoin(), text, "price")


def test_figures_are_read_exactly() -> None:
    assert price_units(bitcoin(), "90000.010000", "price") == 9_000_001
    assert quantity_units(bitcoin(), "1E-5", "quantity") == 1
    assert decimal_of("0.1000000000000000000001", "fee") == Decimal("0.1000000000000000000001")
    for text in ("Infinity", "x", None):
        with pytest.raises(Unreadable):
            decimal_of(text, "fee")


def test_an_error_says_what_is_known() -> None:
    assert isinstance(order_error("order", Failure(Knowledge.REFUSED, "no")), Refused)
    unsent = order_error("order", Failure(Knowledge.NOT_SENT, "busy", 3.0))
    assert isinstance(unsent, NotSent)
    assert unsent.retry_after_s == 3.0
    unknown = order_error("order", Failure(Knowledge.UNKNOWN, "lost"))
    assert isinstance(unknown, OutcomeUnknown)
    assert "do not send again" in str(unknown)
    for knowledge in Knowledge:
        assert isinstance(question_error("find", Failure(knowledge, "x")), Unavailable)


@pytest.mark.parametrize(
    ("venue_ns", "is_ok"),
    [(0, True), (1_500, True), (1_501, False), (-1_500, True), (-1_501, False)],
)
def test_clocks_are_compared_with_the_doubt_of_the_way(venue_ns: int, is_ok: bool) -> None:
    assert clock_line(-500, venue_ns, 500, 1_000).is_ok is is_ok


SECRET_TEXTS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=80
).filter(lambda text: REDACTED not in text)


@given(SECRET_TEXTS, st.text(max_size=30), st.text(max_size=30))
def test_no_piece_of_a_secret_survives_in_any_form(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    raw = secret.encode()
    for form in (
        secret,
        secret[1:-1],
        raw.hex(),
        raw.hex().upper(),
        quote(secret, safe=""),
        base64.b64encode(raw).decode(),
        base64.b64encode(b"user:" + raw).decode(),
        base64.b64encode(b"u:" + raw).decode(),
        base64.urlsafe_b64encode(b"a" + raw).decode(),
    ):
        hidden = redactor.hide(before + form + after)
        pieces = {secret[at : at + 6] for at in range(len(secret) - 5)}
        assert not any(piece in hidden.replace(REDACTED, "\n") for piece in pieces)
        assert form not in hidden


def test_words_are_one_line_without_queries_and_not_endless() -> None:
    redactor = Redactor(["hunter2hunter2"])
    text = redactor.clean("GET https://x.test/a?signature=abc\nnext \x1b[31m" + "y" * 900)
    assert text.startswith("GET https://x.test/a next  [31m")
    assert len(text) == 300
    assert (
        redactor.clean("z" * 295 + "hunter2hunter2").count("h")
        == redactor.clean("z" * 295).count("h") + 1
    )
    assert repr(redactor) == "Redactor()"
