"""The table of `make same-bytes`: what differs is marked, what was not had is named."""

from __future__ import annotations

from same_bytes import absent_ways, table_of

A, B = "a" * 64, "b" * 64


def test_the_run_that_differs_is_marked_and_what_is_missing_named() -> None:
    rows = [
        ("3.11.7", "interpreted", "checkout", "checked and read", A),
        ("3.11.7", "interpreted", "checkout", "as a row of a sweep", A),
        ("3.13.0", "compiled", "wheel", "checked and read", B),
    ]
    lines = table_of(rows, absent_ways(rows))
    assert [line for line in lines if "DIFFERS" in line] == [
        f"| 3.13.0 | compiled | wheel | checked and read | {B[:16]} DIFFERS |"
    ]
    assert f"3 runs, 1 differ: {A}" in lines
    assert "not had here: Python 3.12, compiled" in lines
    assert "not had here: Python 3.11, interpreted" not in lines
