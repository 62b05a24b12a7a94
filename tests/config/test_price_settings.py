"""The band, and splits and dividends as they are written: what is read, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from logos.config import ConfigError, make_config
from logos.config.actions import Dividend, Split, actions_of, parse_dividend, parse_split
from logos.core.types import NS_PER_DAY, NS_PER_SECOND

TERMS: dict[str, Any] = {"quote": "USD", "tick": "0.01", "lot": "1"}
DAY_NS = 11_243 * NS_PER_DAY  # 2000-10-13


def refused(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        make_config(raw)
    return list(caught.value.problems)


def test_actions_are_read_in_the_order_of_their_times_splits_first() -> None:
    raw = {"splits": ["2000-10-13 2:1", "2000-01-19 3:2"], "dividends": ["2000-10-13 0.02"]}
    config = make_config({"instruments": {"ORCL": {**TERMS, **raw}}})
    assert actions_of(config.instruments["ORCL"]) == [
        Split(DAY_NS - 268 * NS_PER_DAY, 3, 2),
        Split(DAY_NS, 2, 1),
        Dividend(DAY_NS, Decimal("0.02")),
    ]


def test_a_moment_has_its_zone() -> None:
    moment = parse_split("2000-10-13T09:30:00-04:00 1:10")
    assert moment == Split(DAY_NS + 13 * 3600 * NS_PER_SECOND + 1800 * NS_PER_SECOND, 1, 10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2000-10-13",
        "2:1",
        "2000-10-13 2",
        "2000-10-13 2:2",
        "2000-10-13 0:1",
        "2000-13-13 2:1",
        "2000-10-13T09:30:00 2:1",
        "2000-10-13 -2:1",
        "2000-10-13 2:1 3:1",
        "2000-10-13 9999999:1",
    ],
)
def test_a_split_that_is_none_is_refused(text: str) -> None:
    [problem] = refused({"instruments": {"ORCL": {**TERMS, "splits": [text]}}})
    words = "; write a split like '2000-10-13 2:1', new shares for old ones"
    assert problem == f"instruments.ORCL.splits: {text!r}{words}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2000-10-13",
        "0.02",
        "2000-10-13 0",
        "2000-10-13 -1",
        "2000-10-13 nan",
        "2000-10-13 inf",
        "2000-10-13 1e40",
        "2000-10-13 1e-40",
        "2000-10-13 0.1234567890123",
        "10/13/2000 1",
    ],
)
def test_a_dividend_that_is_none_is_refused(text: str) -> None:
    [problem] = refused({"instruments": {"ORCL": {**TERMS, "dividends": [text]}}})
    words = "; write a dividend like '2000-10-26 0.02', money for each unit"
    assert problem == f"instruments.ORCL.dividends: {text!r}{words}"
    assert parse_dividend("2000-10-13 1e-3").amount == Decimal("0.001")


@pytest.mark.parametrize("band", ["-0.1", "1", "7"])
def test_a_band_that_is_no_fraction_is_refused(band: str) -> None:
    own = {"instruments": {"ORCL": {**TERMS, "band": band}}}
    words = f"is a fraction from 0 (any price counts) to below 1, not {band}"
    assert refused({"paper": {"band": band}}) == [f"paper.band {words}"]
    assert refused(own) == [f"instruments.ORCL.band {words}"]


def test_an_age_below_zero_is_refused() -> None:
    words = "paper.stale_after_s must be 0 (any age) or more, not -1"
    assert refused({"paper": {"stale_after_s": -1}}) == [words]
