"""What is tried: axes from text, grids, draws."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos import Answer, Bar, Context, QuoteBar, Strategy, param
from logos.errors import ConfigError
from logos.sweeps.space import VALUES_MAX, as_text, draws, grid, grid_size, read_axes


class Many(Strategy):
    window: int = param(14, 2, 200)
    low: float = param(30.0, 0, 100)
    size: Decimal = param(Decimal("0.5"), 0)
    flip: str = param("both", choices=("both", "long"))
    is_eager: bool = param(False)

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return None


class Nothing(Strategy):
    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return None


def values(**given: str) -> list[tuple[str, ...]]:
    return [axis.values for axis in read_axes(Many, given)]


def test_ranges_lists_single_values_and_declared_ranges() -> None:
    assert values(window="5..20:5", low="25,30.5") == [("5", "10", "15", "20"), ("25", "30.5")]
    assert values(window="2..4", size="0.1..0.3:0.1") == [("2", "3", "4"), ("0.1", "0.2", "0.3")]
    assert values(flip="", is_eager="", size="1") == [("both", "long"), ("false", "true"), ("1",)]
    [axis] = read_axes(Many, {"low": ""})
    assert (axis.low, axis.high, axis.values) == ("0", "100", ())
    assert len(values(window="")[0]) == 199
    assert values(window="5..11:4") == [("5", "9")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"windw": "1,2"}, "did you mean window?"),
        ({"window": "1..5"}, "window: 1 is not from 2 to 200"),
        ({"window": "5..500:5"}, "205 is not from 2 to 200"),
        ({"window": "2.5,3"}, "expected a whole number, not '2.5'"),
        ({"window": "9..5"}, "a range goes up"),
        ({"window": "5..9:0"}, "a range goes up"),
        ({"window": "5..x"}, "'x' is no number"),
        ({"window": "5,,6"}, "a value is empty"),
        ({"window": "5,5"}, "5 stands there twice"),
        ({"window": "5"}, "nothing varies"),
        ({}, "nothing varies"),
        ({"size": ""}, "declares no range of it"),
        ({"flip": "both,short"}, "is not one of both, long"),
        ({"size": f"0..{VALUES_MAX}:1"}, "more than 100,000"),
        ({"low": "0..inf:1"}, "'inf' is no number"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_one_line(given: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_axes(Many, given)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_strategy_without_parameters_says_how_to_declare_one() -> None:
    with pytest.raises(ConfigError, match=r"has no parameters.*declare\s+one"):
        read_axes(Nothing, {"window": "1,2"})


def test_the_last_axis_varies_fastest_and_a_range_without_a_step_has_no_grid() -> None:
    axes = read_axes(Many, {"window": "2,3", "low": "1,2"})
    assert [list(each.values()) for each in grid(axes)] == [
        ["2", "1"],
        ["2", "2"],
        ["3", "1"],
        ["3", "2"],
    ]
    assert grid_size(axes) == 4
    with pytest.raises(ConfigError, match=r"a grid needs a step, as in low=0\.\.9:STEP"):
        list(grid(read_axes(Many, {"window": "2,3", "low": "0..9"})))


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_draws_are_distinct_within_the_axes_and_the_same_for_a_seed(seed: int, count: int) -> None:
    axes = read_axes(Many, {"window": "2..9", "low": "10..20", "is_eager": ""})
    drawn = draws(axes, count, seed)
    assert drawn == draws(axes, count, seed)
    assert len({tuple(each.values()) for each in drawn}) == count
    for each in drawn:
        assert each["window"] in axes[0].values
        assert 10 <= Decimal(each["low"]) <= 20


def test_no_more_draws_than_there_are_combinations() -> None:
    axes = read_axes(Many, {"window": "2,3", "is_eager": ""})
    assert draws(axes, 50, 1) == list(grid(axes))


@given(st.decimals(-1000, 1000, places=3), st.decimals("0.001", 10, places=3), st.integers(1, 200))
def test_steps_are_exact(low: Decimal, step: Decimal, count: int) -> None:
    class Free(Strategy):
        at: Decimal = param(Decimal(0))

        def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
            return None

    [axis] = read_axes(Free, {"at": f"{low}..{low + step * count}:{step}"})
    assert [Decimal(each) for each in axis.values] == [low + step * n for n in range(count + 1)]


def test_values_are_written_as_the_command_line_has_them() -> None:
    assert [as_text(each) for each in (5, True, Decimal("1E+2"), 0.1, "x")] == [
        "5",
        "true",
        "100",
        "0.1",
        "x",
    ]
    with pytest.raises(ConfigError, match="not over None"):
        as_text(None)
