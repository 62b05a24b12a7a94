"""docs/FEEDS.md against the code: states, faults, options and names are those there are."""

from __future__ import annotations

import argparse
import re

from places import PROJECT

from logos.adapters.yahoo.feed import INTERVALS
from logos.cli.data import fetch
from logos.feeds.contract import FeedState
from logos.simulators.exchange.faults import Fault

TEXT = (PROJECT / "docs" / "FEEDS.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> set[str]:
    """The names in the first column of the table whose head begins with `heading`."""
    table = TEXT.split(f"| {heading} |")[1].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_state_is_explained() -> None:
    assert first_cells("state") == {state.value for state in FeedState}


def test_every_fault_is_listed() -> None:
    assert first_cells("fault") == {fault.value for fault in Fault}


def test_every_option_of_fetch_exists_and_the_examples_are_read() -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    fetch.add_arguments(parser)
    known = {option for action in parser._actions for option in action.option_strings}
    assert first_cells("option") <= known
    examples = re.findall(r"^\$ logos data fetch (.+)$", TEXT, re.MULTILINE)
    assert len(examples) == 5
    for example in examples:
        assert parser.parse_args(example.split()).markets


def test_yahoo_s_intervals_are_those_named() -> None:
    assert f"closed bars of {', '.join(INTERVALS[:-1])} or {INTERVALS[-1]}" in TEXT
