"""Where a strategy failed is told by its own frames, in words that are the same everywhere."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from logos.core.instrument import instrument
from logos.core.strategy import Strategy
from logos.errors import StrategyError
from logos.strategies.failure import failure_lines, failure_place, first_error, with_place
from logos.strategies.load import StrategyLoadError, load_strategy
from logos.testing.builders import quote, trading_core

SOURCE = """
import json
import statistics


def plain(*_):
    inner()


def inner(*_):
    raise RuntimeError("the model is gone")


def in_a_library(*_):
    json.loads("{")


def through_a_library(*_):
    sorted([3, 2, 1], key=key)
    statistics.mean(Odd())


def key(number):
    return number


class Odd(list):
    def __iter__(self):
        raise KeyError("odd")


def caused(*_):
    try:
        inner()
    except RuntimeError as error:
        raise ValueError("no signal") from error


def in_a_comprehension(*_):
    return [
        1 // number
        for number in (1, 0)
    ]


def first(*_):
    second()


# Without `*_`: CPython 3.13.0 counts no depth where one such function calls another.
def second():
    third()


def third():
    second()


ONE = RuntimeError("made once")


def again(*_):
    raise ONE


def own(*_):
    from logos import StrategyError
    raise StrategyError("I will not trade")
"""


COIN = instrument("COIN", tick="0.01", lot="0.1", quote="USD")


@pytest.fixture(params=["here", "elsewhere"])
def module(request: pytest.FixtureRequest, tmp_path: Path) -> ModuleType:
    """The same module from two places: what is told of it is the same."""
    folder = tmp_path / request.param
    folder.mkdir()
    path = folder / "mine.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("desk.mine", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def raised(function: Callable[..., object]) -> BaseException:
    """What comes out of a session's core when `function` is its strategy's `on_quote`."""
    kind = type("Calling", (Strategy,), {"on_quote": function})
    core = trading_core(kind(), COIN)
    core.start(0)
    with pytest.raises(StrategyError) as caught:
        core.step(quote(COIN, 1, "1", "1"))
    failure = caught.value
    assert failure.__traceback__ is not None
    # Without this frame: those of a session are the engine's.
    return first_error(failure.with_traceback(failure.__traceback__.tb_next))


def line_of(text: str, number: int = 1) -> int:
    lines = [index for index, each in enumerate(SOURCE.splitlines(), start=1) if text in each]
    return lines[number - 1]


def test_the_place_is_the_last_frame_of_the_strategy(module: ModuleType) -> None:
    error = raised(module.plain)
    gone = line_of("the model is gone")
    assert failure_place(error) == f"desk/mine.py:{gone}, in inner"
    assert failure_lines(error) == [
        "RuntimeError: the model is gone",
        f"  desk/mine.py:{line_of('inner()')}, in plain",
        f"  desk/mine.py:{gone}, in inner",
    ]
    assert with_place("it failed", error) == f"it failed (desk/mine.py:{gone}, in inner)"


def test_with_their_source_the_lines_are_those_of_the_file(module: ModuleType) -> None:
    lines = failure_lines(raised(module.plain), with_source=True)
    assert lines[-1] == '    raise RuntimeError("the model is gone")'


def test_a_library_is_told_by_the_function_that_was_called(module: ModuleType) -> None:
    error = raised(module.in_a_library)
    line = line_of("json.loads")
    assert failure_place(error) == f"desk/mine.py:{line}, in in_a_library"
    way = failure_lines(error)[1:]
    assert way == [f"  desk/mine.py:{line}, in in_a_library", "  json, in loads"]


def test_what_a_library_calls_back_is_the_strategys_again(module: ModuleType) -> None:
    error = raised(module.through_a_library)
    assert failure_place(error) == f"desk/mine.py:{line_of('KeyError')}, in __iter__"


def test_what_caused_it_is_told_too(module: ModuleType) -> None:
    way = failure_lines(raised(module.caused))
    assert way[0] == "ValueError: no signal"
    assert "caused by RuntimeError: the model is gone" in way
    assert way[-1].endswith("in inner")


def test_a_comprehension_is_no_frame_of_its_own(module: ModuleType) -> None:
    error = raised(module.in_a_comprehension)
    expected = f"desk/mine.py:{line_of('1 // number')}, in in_a_comprehension"
    assert failure_place(error) == expected
    assert len(failure_lines(error)) == 2


def test_a_recursion_tells_each_frame_once_however_deep_it_began(module: ModuleType) -> None:
    def deeper(depth: int) -> BaseException:
        return raised(module.first) if depth == 0 else deeper(depth - 1)

    ways = [failure_lines(deeper(depth))[1:] for depth in (0, 1, 2, 7)]
    assert all(way == ways[0] for way in ways)
    assert [line.rpartition(" ")[2] for line in ways[0]] == ["first", "second", "third"]


def test_an_error_that_was_raised_before_tells_only_of_this_time(module: ModuleType) -> None:
    first, second = (failure_lines(raised(module.again)) for _ in range(2))
    assert first == second
    assert sum("in again" in line for line in second) == 1


def test_an_error_of_the_strategys_own_of_our_kind_has_its_place(module: ModuleType) -> None:
    error = raised(module.own)
    line = line_of('StrategyError("I will not')
    assert failure_place(error) == f"desk/mine.py:{line}, in own"


def test_where_nothing_of_the_users_was_passed_nothing_is_told() -> None:
    error = StrategyError("a Side answered outside of an event needs a symbol")
    assert failure_place(error) == ""
    assert failure_lines(error) == []
    assert with_place("it failed", error) == "it failed"


def test_a_failure_at_import_has_the_line_of_the_strategy_and_the_way_as_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "helping.py").write_text("import json\n\ndef read():\n    return json.loads('{')\n")
    (tmp_path / "failing.py").write_text("import helping\n\nhelping.read()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(StrategyLoadError) as caught:
        load_strategy(f"{tmp_path}/failing.py:Mine", {})
    assert "(helping.py:4, in read)" in str(caught.value)
    [note] = caught.value.__notes__
    assert "  failing.py:3, in <module>\n    helping.read()" in note
    sys.modules.pop("helping", None)


def test_a_failure_when_it_is_made_has_its_line_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text(
        "from logos import Strategy\n\n\nclass Mine(Strategy):\n"
        "    def __init__(self, api_key: str = '') -> None:\n"
        "        self.connect(api_key)\n\n"
        "    def connect(self, key: str) -> None:\n"
        "        raise RuntimeError(f'refused: {key}')\n"
    )
    with pytest.raises(StrategyLoadError) as caught:
        load_strategy(f"{path}:Mine", {"api_key": "a-real-secret-of-mine"})
    assert "RuntimeError: refused: ***" in str(caught.value)
    assert "(made.py:9, in connect)" in str(caught.value)
    assert "a-real-secret-of-mine" not in "".join(caught.value.__notes__)
