"""Moments and spans as a strategy writes them are read exactly, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from logos.core.handlers.times import moment_ns, span_ns
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND

SECOND, MINUTE = NS_PER_SECOND, NS_PER_MINUTE


@pytest.mark.long
@given(some.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), some.integers(-14 * 60, 14 * 60))
@settings(max_examples=200, deadline=None)
def test_a_datetime_and_its_text_are_the_same_moment(naive: datetime, minutes: int) -> None:
    known = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    exact = (known - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
    assert moment_ns(known) == moment_ns(known.isoformat()) == moment_ns(str(known)) == exact
    assert moment_ns(exact) == exact


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-01-05", "2026-01-05T14:30:00", "2026-13-05T14:30:00Z"),
        *("2026-02-29T14:30:00Z", "2026-01-05T24:00:00Z", "2026-01-05T14:60:00Z", "26-1-5T1:2:3Z"),
        *("2026-01-05T14:30:00+5", "2026-01-05T14:30:00.1234567890Z", "2026-01-05T14:30:xxZ"),
    ],
)
def test_a_text_that_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        moment_ns(text)


@pytest.mark.parametrize("value", [None, 1.5, True, Decimal(1), [], timedelta(1)])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        moment_ns(value)
    with pytest.raises(ValueError, match="zone"):
        moment_ns(datetime(2026, 1, 5))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30s", 30 * SECOND),
        ("15m", 15 * MINUTE),
        ("1h", 60 * MINUTE),
        ("1d", 1_440 * MINUTE),
        ("1.5h", 90 * MINUTE),
        (2, 2 * SECOND),
        (0.25, SECOND // 4),
        (Decimal("1.5"), SECOND * 3 // 2),
        (timedelta(minutes=3, microseconds=1), 3 * MINUTE + 1_000),
    ],
)
def test_a_span_is_read_exactly(value: Any, expected: int) -> None:
    assert span_ns(value) == expected


@pytest.mark.parametrize("value", ["", "m", "15", "15 minutes", "-1s", 0, -2, "nanm", float("inf")])
def test_what_is_no_span_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"span"):
        span_ns(value)
