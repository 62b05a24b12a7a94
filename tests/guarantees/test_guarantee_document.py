"""docs/GUARANTEES.md and the tests of the guarantees name the same, and what is not met says so."""

from __future__ import annotations

import ast
import re

import pytest
from places import PROJECT, TESTS

DOCUMENT = (PROJECT / "docs" / "GUARANTEES.md").read_text(encoding="utf-8")
TREE = ast.parse((TESTS / "guarantees" / "test_guarantees.py").read_text(encoding="utf-8"))
NUMBERS = [f"G{number}" for number in range(1, 26)]
STATUSES = {"held", "in part", "not met"}


def rows() -> dict[str, list[str]]:
    """The cells of each guarantee's row: guarantee, how, command, status, figures."""
    found = {}
    for line in re.findall(r"^\| G\d+ \|.*\|$", DOCUMENT, re.M):
        number, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert number not in found, number
        found[number] = cells
    return found


def named_after(number: str) -> list[ast.FunctionDef]:
    prefix = f"test_g{int(number[1:]):02d}_"
    return [
        node
        for node in TREE.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith(prefix)
    ]


def test_the_document_lists_each_guarantee_once_and_in_order() -> None:
    assert list(rows()) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_each_guarantee_has_one_test_of_its_name(number: str) -> None:
    assert len(named_after(number)) == 1


def test_no_test_is_named_after_a_guarantee_that_is_not_listed() -> None:
    named = [node.name for node in TREE.body if isinstance(node, ast.FunctionDef)]
    numbers = [int(match[1]) for name in named if (match := re.match(r"test_g(\d+)_", name))]
    assert sorted(numbers) == list(range(1, 26))


@pytest.mark.parametrize("number", NUMBERS)
def test_each_row_is_whole_and_its_status_is_that_of_its_test(number: str) -> None:
    guarantee, how, command, status, figures = rows()[number]
    assert guarantee
    assert how
    assert figures
    assert status in STATUSES
    [test] = named_after(number)
    assert (status == "not met") == ("_is_not_met_" in test.name)
    assert bool(command) == (status != "not met")


@pytest.mark.parametrize("number", NUMBERS)
def test_what_a_command_names_is_there(number: str) -> None:
    command = rows()[number][2]
    for place in re.findall(r"tests/[\w/.]+", command):
        assert (PROJECT / place).exists(), place
    targets = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z-]+)", command):
        assert re.search(rf"^{target}:", targets, re.M), target


def test_each_test_can_fail() -> None:
    """A test without an assertion, or a call of another test, shows nothing."""
    for number in NUMBERS:
        [test] = named_after(number)
        asserts = [node for node in ast.walk(test) if isinstance(node, ast.Assert)]
        calls = [
            node
            for node in ast.walk(test)
            if isinstance(node, ast.Attribute) and node.attr.startswith("test_")
        ]
        assert asserts or calls, test.name
