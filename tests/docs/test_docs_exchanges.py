"""docs/VENUES.md shows the exchanges whose round trip is tried, and orders go nowhere else."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
from places import PROJECT
from round_trips import CASES

from logos.adapters.ccxt.profiles import PROFILES
from logos.config.proved import EXCHANGES

TEXT = (PROJECT / "docs" / "VENUES.md").read_text(encoding="utf-8")


def generator() -> Any:
    """The tool that writes the tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "tools"))
        return importlib.import_module("make_exchange_tables")


def test_the_tables_are_those_of_the_profiles_and_the_tests() -> None:
    done = "run python tools/make_exchange_tables.py"
    assert generator().with_tables(TEXT) == TEXT, f"docs/VENUES.md is stale: {done}"


def test_the_generator_writes_over_an_old_row() -> None:
    old = TEXT.replace("| binance | yes |", "| binance | no |")
    assert old != TEXT
    assert generator().with_tables(old) == TEXT


def test_orders_go_only_to_exchanges_whose_round_trip_is_tried() -> None:
    tried = {case.exchange_id for case in CASES}
    assert set(EXCHANGES) <= tried <= set(PROFILES)
    assert set(re.findall(r"^\| (\w+) \| (?:yes|no) \|", TEXT, re.M)) == tried
