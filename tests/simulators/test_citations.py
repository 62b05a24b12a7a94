"""What the local exchange refuses with stands in docs/VENUES.md, row by row, with its source.

A simulator that answers what its client would like to hear proves nothing: each code and its words
are taken from somewhere, and the real ccxt knows them.
"""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

import pytest
import venue_libraries  # noqa: F401  (first: skips where a library is missing)
from ccxt import binance
from ccxt.base.errors import BaseError
from places import PROJECT

FOLDER = PROJECT / "src" / "logos" / "simulators" / "exchange"
SOURCES = {
    "errors.md": "https://github.com/binance/binance-spot-api-docs/blob/master/errors.md",
    "rest-api.md": "https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md",
    "ccxt": "https://github.com/ccxt/ccxt/blob/master/python/ccxt/binance.py",
}


class Row(NamedTuple):
    """One row of the table, as its cells stand there."""

    code: str
    words: str
    status: str
    here: str
    source: str


def rows() -> list[Row]:
    text = (PROJECT / "docs" / "VENUES.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| code | words | HTTP | here | source |\n|---|---|---|---|---|\n")
    lines = table.partition("\n\n")[0].splitlines()
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def refusals_in(source: str) -> set[tuple[int, str]]:
    """Code and words wherever they stand beside each other: in a call, or in an answer's body."""
    found = set()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        known = {
            node.targets[0].id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                pairs = list(zip(node.args, node.args[1:], strict=False))
            elif isinstance(node, ast.Dict) and len(node.values) == 2:
                pairs = [(node.values[0], node.values[1])]
            else:
                continue
            for number, words in pairs:
                told = known.get(words.id) if isinstance(words, ast.Name) else words
                code = number_of(number)
                if code and isinstance(told, ast.Constant) and isinstance(told.value, str):
                    found.add((code, told.value))
    return found


def number_of(node: ast.expr) -> int:
    """A whole number, or 0 for anything else."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return 0
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def test_every_refusal_of_the_local_exchange_has_its_row_and_no_row_is_too_many() -> None:
    answered = set[tuple[int, str]]()
    for path in sorted(FOLDER.glob("*.py")):
        answered |= refusals_in(path.read_text(encoding="utf-8"))
    assert len(answered) >= 15
    assert sorted((int(row.code), row.words) for row in rows()) == sorted(answered)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.code} {row.words}"[:40])
def test_each_row_says_when_and_where_from_and_ccxt_knows_it(row: Row) -> None:
    assert 400 <= int(row.status) < 600
    assert row.here
    named = re.findall(r"\[([^]]+)\]\(([^)]+)\)", row.source)
    assert named
    assert all(SOURCES[name] == address for name, address in named)
    tables = binance().exceptions
    known = {**tables["exact"], **tables["spot"]["exact"]}
    meant = known.get(row.words) or known.get(row.code)
    assert meant is not None, f"ccxt knows neither {row.code} nor its words"
    assert issubclass(meant, BaseError)


def test_a_refusal_without_a_row_would_be_found() -> None:
    source = """
def f():
    words = "one"
    raise Denied(-1, words, 401)
def g():
    raise Denied(-2, "two")
def h():
    return {"code": -3, "msg": "three"}, self.asked(asked, -4, "four"), page(5, 6), run("a", "b")
"""
    assert refusals_in(source) == {(-1, "one"), (-2, "two"), (-3, "three"), (-4, "four")}
