"""Parameters as class attributes: typed, in a range, there before the first line of `__init__`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos import Strategy, param
from logos.strategies.load import StrategyLoadError, make_strategy
from logos.strategies.parameters import (
    NO_DEFAULT,
    Described,
    ParameterError,
    arguments_of,
    describe,
)


class Channel(Strategy):
    window: int = param(14, 2, 200, meaning="bars")
    entry: float = param(2.0, 0)
    quantity: Decimal | None = param(None, 0)
    side: str = param("both", choices=("both", "long"))
    allow_short: bool = param(False)

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.twice = 2 * self.window


class Wider(Channel):
    """Declares one more, and makes nothing of its own."""

    steps: int = param(3, high=9)


class TakesMore(Strategy):
    window: int = param(5, 1)

    def __init__(self, name: str = "x") -> None:
        self.words = f"{name}{self.window}"


class NoInit(Strategy):
    window: int = param(5, 1)


def test_a_default_is_read_where_nothing_is_given() -> None:
    channel = Channel()
    assert (channel.window, channel.entry, channel.quantity, channel.side) == (
        14,
        2.0,
        None,
        "both",
    )
    assert channel.twice == 28


def test_values_are_there_before_the_first_line_of_init_and_of_no_other_instance() -> None:
    assert Channel(window=30).twice == 60
    assert Channel().window == 14
    wider = Wider(window=3, steps=9, quantity=Decimal(2))
    assert (wider.twice, wider.steps, wider.quantity) == (6, 9, Decimal(2))
    made: Any = TakesMore
    assert made(window=7, name="y").words == "y7"
    assert NoInit(window=6).window == 6


def test_a_whole_number_becomes_what_the_parameter_is() -> None:
    entry = Channel(entry=3).entry
    assert (entry, type(entry)) == (3.0, float)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"window": 1}, r"window \(1\) is not from 2 to 200"),
        ({"window": 201}, r"window \(201\) is not from 2 to 200"),
        ({"window": 2.5}, r"window \(2.5\) is no int"),
        ({"window": True}, r"window \(True\) is no int"),
        ({"entry": -0.5}, r"entry \(-0.5\) is not 0 or more"),
        ({"entry": float("nan")}, r"entry \(nan\) is not finite"),
        ({"quantity": Decimal(-1)}, r"quantity \(-1\) is not 0 or more"),
        ({"side": "short"}, r"side \(short\) is not one of both, long"),
        ({"allow_short": 1}, r"allow_short \(1\) is no bool"),
        ({"window": 1, "entry": -1}, r"window .*; entry "),
    ],
)
def test_what_is_out_of_range_or_of_another_type_is_refused(
    given_: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Channel(**given_)


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    words = "Channel has no parameter windw: it takes window, entry, quantity, side, allow_short"
    with pytest.raises(TypeError, match=words):
        Channel(windw=3)


def test_a_default_out_of_its_range_is_refused_where_the_class_is_made() -> None:
    # Python 3.11 wraps what __set_name__ raises in a RuntimeError.
    with pytest.raises((TypeError, RuntimeError)) as caught:
        type("Wrong", (Strategy,), {"window": param(1, 2)})
    error = caught.value
    assert "its own default is not 2 or more" in str(error.__cause__ or error)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"windw": 3}, r"unknown parameter windw: did you mean window\?"),
        ({"window": "300"}, "parameter window: 300 is not from 2 to 200"),
        ({"window": "1", "side": "x"}, "parameter window: .*; parameter side: x is not one of"),
        ({"window": 2.5}, "parameter window: expected a whole number"),
    ],
)
def test_the_settings_are_judged_by_name(params: dict[str, object], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        arguments_of(Wider, params)
    with pytest.raises(StrategyLoadError, match=words):
        make_strategy(Wider, params, "mine")


def test_text_and_decimals_of_the_settings_become_what_is_declared() -> None:
    params = {"window": "30", "entry": Decimal("1.5"), "quantity": "0.1", "allow_short": "yes"}
    made: Any = make_strategy(Wider, params, "mine")
    assert (made.window, made.entry, made.quantity) == (30, 1.5, Decimal("0.1"))
    assert made.allow_short is True
    assert type(made.entry) is float


def test_every_parameter_is_described() -> None:
    assert describe(Wider) == [
        Described("window", "int", 14, 2, 200, (), "bars"),
        Described("entry", "float", 2.0, 0),
        Described("quantity", "Decimal | None", None, 0),
        Described("side", "str", "both", choices=("both", "long")),
        Described("allow_short", "bool", False),
        Described("steps", "int", 3, None, 9),
    ]
    assert describe(TakesMore) == [
        Described("window", "int", 5, 1),
        Described("name", "str", "x"),
    ]


class Required(Strategy):
    def __init__(self, name: str, count: int = 3) -> None:
        self.name = name


def test_arguments_of_init_are_described_too() -> None:
    assert describe(Required) == [
        Described("name", "str", NO_DEFAULT),
        Described("count", "int", 3),
    ]
    assert describe(Strategy) == []


@given(st.integers())
def test_a_value_is_taken_just_if_it_is_in_the_range(value: int) -> None:
    if 2 <= value <= 200:
        assert Channel(window=value).window == value
    else:
        with pytest.raises(ValueError, match="is not from 2 to 200"):
            Channel(window=value)
