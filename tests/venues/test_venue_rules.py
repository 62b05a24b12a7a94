"""The clocks of the session and the venue are compared."""

from __future__ import annotations

import pytest

from logos.venues.rules import clock_line


@pytest.mark.parametrize(
    ("venue_ns", "is_ok"),
    [(0, True), (1_500, True), (1_501, False), (-1_500, True), (-1_501, False)],
)
def test_clocks_are_compared_with_the_doubt_of_the_way(venue_ns: int, is_ok: bool) -> None:
    assert clock_line(-500, venue_ns, 500, 1_000).is_ok is is_ok
