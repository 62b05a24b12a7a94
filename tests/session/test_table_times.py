"""Times in tables: as text and back, and what is no time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.core.types import NS_PER_SECOND
from logos.session.artifacts.derived.reading import time_ns
from logos.session.artifacts.rows import Moments

MOMENTS_NS = st.integers(-(2**62), 2**62) | st.integers(-120, 120).map(
    lambda each: each * NS_PER_SECOND // 2
)


@given(moments_ns=st.lists(MOMENTS_NS, max_size=6), step_ns=st.integers(0, 90 * NS_PER_SECOND))
def test_a_moment_is_iso_8601_with_nine_decimals_whatever_was_written_before(
    moments_ns: list[int], step_ns: int
) -> None:
    moments = Moments()
    for moment_ns in [near for each in moments_ns for near in (each, each, each + step_ns)]:
        second, rest = divmod(moment_ns, NS_PER_SECOND)
        begin = datetime.fromtimestamp(second, UTC).isoformat()[:19]

        assert moments.text(moment_ns) == f"{begin}.{rest:09d}Z"
        assert time_ns(moments.text(moment_ns)) == moment_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-01-02T03:04:05Z",
        "2024-01-02 03:04:05.000000000Z",
        "2024-01-02T03:04:05.000000000+",
        "2024-01-02T03:04:05.0000000000Z",
        "2024-01-02T03:04:05.00000000 Z",
        "2024-01-02T03:04:05.-00000001Z",
        "2024-01-02T24:00:00.000000000Z",
        "2024-01-02T03:60:00.000000000Z",
        "2024-01-02T03:04:60.000000000Z",
        "2024-13-02T03:04:05.000000000Z",
        "2024-02-30T03:04:05.000000000Z",
        "2024-01-02T+3:04:05.000000000Z",
        "2024-01-02T03:04:05.00000000٣Z",
    ],
)
def test_what_is_no_time_of_a_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        time_ns(text)
