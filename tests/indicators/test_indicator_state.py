"""What an indicator counts is saved as whole numbers, and its figures as figures."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from logos import indicators
from logos.indicators import Indicator

NAMES = sorted(set(indicators.__all__) - {"Indicator"})


def fed(name: str) -> Indicator:
    """One that has seen sixty bars of figures."""
    kind = getattr(indicators, name)
    needed = [
        each
        for each in inspect.signature(kind).parameters.values()
        if each.default is inspect.Parameter.empty
    ]
    made = kind(*[9] * len(needed))
    width = len(inspect.signature(made.add).parameters)
    random = Random(1)
    for _ in range(60):
        close = 100 + random.random()
        made.add(*[close + 1, close - 1, close][3 - width :])
    assert isinstance(made, Indicator)
    return made


def attributes(one: Indicator) -> Iterator[tuple[str, Any]]:
    for kind in type(one).__mro__:
        own = vars(kind)
        for name in own.get("__slots__", own.get("__mypyc_attrs__", ())):
            yield name, getattr(one, name)


def check(one: Indicator, saved: dict[str, Any]) -> None:
    found = dict(attributes(one))
    assert set(found) == set(saved)
    for name, value in found.items():
        if isinstance(value, Indicator):
            check(value, saved[name])
        elif isinstance(value, list):
            assert [type(each) for each in saved[name]] == [type(each) for each in value], name
        else:
            assert type(saved[name]) is type(value), name


@pytest.mark.parametrize("name", NAMES)
def test_what_is_counted_is_saved_as_whole_numbers_and_figures_as_figures(name: str) -> None:
    one = fed(name)
    assert one.is_ready
    check(one, one.save())
