"""Strategies by name, and parameters by type: what fits, and what the errors say."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.core.strategy import Strategy
from logos.strategies import BUNDLED, StrategyLoadError, load_strategy
from logos.strategies.load import load_class
from logos.strategies.parameters import ParameterError, arguments_of


class Typed(Strategy):
    def __init__(
        self,
        count: int = 1,
        ratio: float = 0.5,
        size: Decimal = Decimal(1),
        name: str = "x",
        is_on: bool = False,
        limit: Decimal | None = None,
        mode: Literal["a", "b"] = "a",
        rows: list[Mapping[str, object]] | None = None,
    ) -> None:
        self.count = count
        self.ratio = ratio
        self.size = size
        self.name = name
        self.is_on = is_on
        self.limit = limit
        self.mode = mode
        self.rows = rows


class NeedsOne(Strategy):
    def __init__(self, symbol: str) -> None:
        self.symbol = symbol


class TakesAny(Strategy):
    def __init__(self, **others: object) -> None:
        self.others = others


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("count", "10", 10),
        ("count", 10, 10),
        ("ratio", "0.25", 0.25),
        ("ratio", 2, 2.0),
        ("ratio", Decimal("0.25"), 0.25),
        ("size", "0.001", Decimal("0.001")),
        ("size", 5, Decimal(5)),
        ("size", 0.1, Decimal("0.1")),
        ("name", "10", "10"),
        ("is_on", "true", True),
        ("is_on", "No", False),
        ("is_on", True, True),
        ("limit", "2.5", Decimal("2.5")),
        ("limit", None, None),
        ("mode", "b", "b"),
        ("rows", [{"a": 1}], [{"a": 1}]),
    ],
)
def test_a_value_is_read_by_the_annotated_type(name: str, value: object, expected: object) -> None:
    got = arguments_of(Typed, {name: value})[name]
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("count", "ten", "expected a whole number, not 'ten'"),
        ("count", 10.5, "expected a whole number, not 10.5"),
        ("count", True, "expected a whole number, not True"),
        ("count", None, "expected a whole number, not None"),
        ("ratio", "nan", "expected a finite number"),
        ("ratio", float("inf"), "expected a finite number"),
        ("size", "one", "expected a decimal number"),
        ("size", Decimal("NaN"), "expected a finite number"),
        ("name", 5, "expected text, not 5"),
        ("is_on", "maybe", "expected true or false"),
        ("is_on", 1, "expected true or false"),
        ("limit", "x", "expected a decimal number"),
        ("mode", "c", "'c' is not one of 'a', 'b'"),
        ("rows", "x", "expected a list, which only a session file has"),
        ("cuont", "1", "did you mean count?"),
        ("zzz", "1", "it takes count, ratio"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name: str, value: object, words: str) -> None:
    with pytest.raises(ParameterError, match=r"parameter " + name) as caught:
        arguments_of(Typed, {name: value})
    assert words in str(caught.value)


def test_all_wrong_parameters_are_named_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        arguments_of(Typed, {"count": "x", "size": "y", "nmae": "z"})
    assert all(word in str(caught.value) for word in ("count", "size", "nmae"))


def test_a_missing_parameter_without_default_is_named() -> None:
    with pytest.raises(ParameterError, match="parameter symbol is required"):
        arguments_of(NeedsOne, {})


def test_a_strategy_may_take_any_parameters() -> None:
    assert arguments_of(TakesAny, {"x": "1"}) == {"x": "1"}


def test_without_annotation_the_default_tells_the_type(tmp_path: Path) -> None:
    (tmp_path / "bare.py").write_text(
        "from logos.core.strategy import Strategy\n"
        "class Bare(Strategy):\n"
        "    def __init__(self, count=7, anything=None):\n"
        "        self.count, self.anything = count, anything\n"
    )
    strategy = load_strategy(f"{tmp_path}/bare.py:Bare", {"count": "9", "anything": "x"})
    assert vars(strategy) == {"count": 9, "anything": "x"}


@pytest.mark.long
@given(st.integers(), st.decimals(allow_nan=False, allow_infinity=False))
def test_numbers_survive_the_command_line(count: int, size: Decimal) -> None:
    got = arguments_of(Typed, {"count": str(count), "size": str(size)})
    assert got == {"count": count, "size": size}


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_every_bundled_name_leads_to_a_strategy(name: str) -> None:
    assert issubclass(load_class(name), Strategy)


def test_a_bundled_strategy_takes_command_line_text() -> None:
    strategy = load_strategy("sma_cross", {"fast": "3", "slow": "7", "quantity": "2.5"})
    assert vars(strategy)["quantity"] == Decimal("2.5")
    assert vars(strategy)["slow"] == 7


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("sma_crss", {}, ["no strategy is called 'sma_crss'", "did you mean sma_cross?"]),
        ("foo", {}, ["bundled are sma_cross, ", "module:Class"]),
        (":Class", {}, ["no strategy is called ':Class'"]),
        ("no_such_module_here:X", {}, ["there is no module no_such_module_here", "looked in"]),
        ("logos.strategies.nope:X", {}, ["there is no module logos.strategies.nope"]),
        ("nothing/here.py:X", {}, ["there is no file nothing/here.py"]),
        ("logos.strategies.pairs:Pair", {}, ["has no class Pair", "did you mean Pairs?"]),
        ("decimal:Decimal", {}, ["is not a strategy", "derive the class from logos.Strategy"]),
        ("sma_cross", {"fst": "1"}, ["strategy sma_cross: unknown parameter fst", "mean fast?"]),
        ("sma_cross", {"fast": "50"}, ["fast (50) must be below slow (30)"]),
        ("ema_cross", {"warmup": "-1"}, ["warmup (-1) cannot be negative"]),
        ("mean_reversion", {"exit": "3"}, ["exit (3.0) must be below entry (2.0)"]),
        ("mean_reversion", {"window": 1}, ["parameter window: 1 is not 2 or more"]),
        ("pairs", {"window": 1}, ["parameter window: 1 is not 2 or more"]),
        ("pairs", {"exit": "3"}, ["exit (3.0) must be below entry (2.0)"]),
    ],
)
def test_the_error_names_what_is_wrong(
    name: str, params: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(StrategyLoadError) as caught:
        load_strategy(name, params)
    for word in words:
        assert word in str(caught.value)


MINE = """
from __future__ import annotations
from dataclasses import dataclass
from logos.core.strategy import Strategy

class Mine(Strategy):
    def __init__(self, size: int = 3) -> None:
        if size == 13:
            raise RuntimeError("unlucky")
        self.size = size
"""


def test_a_module_in_the_working_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere"])
    (tmp_path / "strategy_in_cwd.py").write_text(MINE)
    assert vars(load_strategy("strategy_in_cwd:Mine", {"size": "4"})) == {"size": 4}


def test_a_strategy_is_loaded_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    assert vars(load_strategy(f"{tmp_path}/mine.py:Mine", {})) == {"size": 3}


def test_a_constructor_that_fails_is_reported_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    with pytest.raises(StrategyLoadError, match="RuntimeError: unlucky"):
        load_strategy(f"{tmp_path}/mine.py:Mine", {"size": 13})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\nimport no_such_library\n", "ModuleNotFoundError: No module named 'no_such_lib"),
        ("x = 1\n1 / 0\n", "ZeroDivisionError: division by zero"),
        ("x = 1\ndef f(:\n", "SyntaxError"),
    ],
)
@pytest.mark.parametrize("way", ["file", "module"])
def test_a_broken_module_is_reported_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str, way: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    (tmp_path / "broken_strategy.py").write_text(textwrap.dedent(source))
    name = "broken_strategy.py:X" if way == "file" else "broken_strategy:X"
    with pytest.raises(StrategyLoadError, match="cannot be imported") as caught:
        load_strategy(name, {})
    assert words in str(caught.value)
    assert "broken_strategy.py:2" in str(caught.value)


@pytest.mark.parametrize("error", ["SystemExit(0)", "KeyboardInterrupt()", "GeneratorExit()"])
@pytest.mark.parametrize("where", ["when imported", "when made"])
def test_a_strategy_that_would_end_the_process_while_it_is_loaded_cannot_be_had(
    tmp_path: Path, error: str, where: str
) -> None:
    at_import = f"raise {error}\n" if where == "when imported" else ""
    path = tmp_path / "leaving.py"
    path.write_text(
        f"from logos import Strategy\n{at_import}\n"
        f"class Leaving(Strategy):\n    def __init__(self):\n        raise {error}\n"
    )
    with pytest.raises(StrategyLoadError, match=error.partition("(")[0]):
        load_strategy(f"{path}:Leaving", {})
