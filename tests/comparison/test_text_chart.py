"""Curves as text: where the letters stand, what is labelled, and pictures without anything."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.comparison.text_chart import Curve, draw


def picture(*curves: Curve, width: int = 31, height: int = 5) -> list[str]:
    return draw(curves, width, height, lambda value: f"{value:+.1f}", str)


def test_a_picture_as_a_whole() -> None:
    rising, falling = Curve([0, 10], [0.0, 2.0]), Curve([0, 5, 10], [0.0, -2.0, -2.0])
    assert picture(rising, falling) == [
        "     +2.0 |                   A",
        "          |                   A",
        "     +0.0 |*********AAAAAAAAAA.",
        "          |         B",
        "     -2.0 |         BBBBBBBBBBB",
        "           0                 10",
    ]


def test_a_curve_is_drawn_only_while_it_lasts() -> None:
    lines = picture(Curve([0, 100], [1.0, 1.0]), Curve([40, 60], [2.0, 2.0]))
    (row,) = [line for line in lines if "B" in line]
    marks = row.split("|")[1]
    assert marks.index("B") in (7, 8)
    assert len(marks) in (12, 13)


def test_a_curve_without_movement_lies_in_the_middle() -> None:
    lines = picture(Curve([0, 1], [0.0, 0.0]))
    assert [("A" in line) for line in lines] == [False, False, True, False, False, False]


@pytest.mark.parametrize("curves", [(), (Curve([], []),)])
def test_no_point_no_picture(curves: tuple[Curve, ...]) -> None:
    assert picture(*curves) == []


def test_one_point_is_a_picture() -> None:
    assert any("A" in line for line in picture(Curve([5], [3.0]), Curve([], [])))


def test_a_curve_keeps_its_letter_beside_one_without_points() -> None:
    assert any("B" in line for line in picture(Curve([], []), Curve([5], [3.0])))


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 10**18), st.floats(-1e9, 1e9)), min_size=1, max_size=20),
        min_size=1,
        max_size=4,
    ),
    st.integers(20, 120),
    st.integers(3, 20),
)
def test_a_picture_never_leaves_its_frame(
    points: list[list[tuple[int, float]]], width: int, height: int
) -> None:
    curves = [Curve(*zip(*sorted(each), strict=True)) for each in points]
    lines = draw(curves, width, height, lambda value: f"{value:.3g}"[:9], lambda _: "")
    assert len(lines) == height + 1
    assert all(len(line) <= max(width, 21) for line in lines)
    assert len(curves) > 1 or any("A" in line for line in lines)
