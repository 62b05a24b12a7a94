"""What the files at a session's end are made of is read as it was written, the quick way too."""

from __future__ import annotations

import csv
import io
from contextlib import nullcontext, suppress
from decimal import Decimal
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.session.artifacts.derived import trips
from logos.session.artifacts.derived.reading import table_cells, table_rows, time_ns
from logos.session.artifacts.rows import Moments, cell

CELLS = st.text(st.sampled_from("a1.,\"\n\r'=é \t"), max_size=6)
"""Also what must be quoted, and what a reader could take for the end of a line."""


@settings(max_examples=100)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8))
def test_cells_come_back_whatever_had_to_be_quoted(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("table") / "a.csv"
    lines = [",".join(map(cell, row)) + "\n" for row in [("a", "b", "c"), *rows]]
    path.write_text("".join(lines), encoding="utf-8", newline="")
    assert [tuple(row.values()) for row in table_rows(path)] == rows
    assert [*table_cells(path, ("c", "a"))] == [(c, a) for a, _, c in rows]
    assert [*table_cells(path, ("b",))] == [(b,) for _, b, _ in rows]


def _by_the_csv_module(content: str) -> tuple[list[list[str]], bool]:
    """The rows behind the first, as far as they can be read; and whether all could."""
    rows: list[list[str]] = []
    is_whole = content.endswith("\n")
    try:
        rows.extend(csv.reader(io.StringIO(content, newline=""), strict=True))
    except csv.Error:
        # What is being written is no fault; but what stands before it counts.
        return (rows[1:-1], False) if is_whole else (rows[1:], True)
    return rows[1:] if is_whole else rows[1:-1], True


@settings(max_examples=100)
@given(st.text(st.sampled_from('1,"\n\r'), max_size=16), st.sampled_from(["", "\n"]))
def test_what_is_no_table_is_read_as_far_as_the_csv_module_reads_it(
    tmp_path_factory: pytest.TempPathFactory, text: str, end: str
) -> None:
    path = tmp_path_factory.mktemp("table") / "a.csv"
    content = f"a,b\n1,2\n{text}{end}"
    path.write_text(content, encoding="utf-8", newline="")
    rows, is_table = _by_the_csv_module(content)
    expected = [tuple(row) for row in takewhile(lambda row: len(row) == 2, rows)]
    found: list[tuple[str, ...]] = []
    with suppress(ValueError) if not is_table or len(expected) < len(rows) else nullcontext():
        found.extend(tuple(row.values()) for row in table_rows(path))
        assert is_table, "it was to be refused"
    assert found == expected


def test_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n", encoding="utf-8")
    assert [*table_cells(path, ("a", "c"))] == []
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="there is no column c"):
        next(table_cells(path, ("a", "c")))
    with pytest.raises(ValueError, match="there is no column c"):
        next(table_rows(path, ("a", "c")))["c"]


@given(st.integers(0, 4_102_444_800 * 10**9))
def test_a_time_is_read_back_to_the_nanosecond(ts_ns: int) -> None:
    text = Moments().text(ts_ns)
    assert time_ns(text) == ts_ns
    for place, wrong in (
        (10, " "), (11, "2x"), (13, "."), (14, "6"), (17, "60"), (19, ","),
        (20, "-"), (28, "x"), (29, "z"), (29, ""), (30, "0"), (0, "x"),
    ):  # fmt: skip
        broken = text[:place] + wrong + text[place + len(wrong or "Z") :]
        with pytest.raises(ValueError, match=r"not a time|not the day"):
            time_ns(broken)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_figures_are_written_as_plain_digits(figure: Decimal) -> None:
    assert trips._plain(figure) == f"{figure:f}"
