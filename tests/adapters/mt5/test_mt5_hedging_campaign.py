"""Random sequences at a hedging account (`mt5_hedging_campaign`)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from mt5_hedging_campaign import Campaign
from sampling import first_quick

STEPS = 40


@pytest.mark.parametrize("block", first_quick(range(20)))
def test_one_request_a_record_one_side_and_books_that_agree(block: int, tmp_path: Path) -> None:
    deaths = multiple = orders = 0
    for seed in range(block * 25, block * 25 + 25):
        campaign = Campaign(seed, tmp_path)
        assert asyncio.run(campaign.play(STEPS)) == [], f"seed {seed}"
        deaths += campaign.deaths
        multiple += campaign.multiple
        orders += campaign.count
    assert min(deaths, multiple) > 5, "the sequences kill the process, and need several requests"
    assert orders > 300
