"""A sample of the campaign at Interactive Brokers' gateway; all of it: `make ib-campaign`."""

from __future__ import annotations

import pytest
from ib_campaign import IbStory, run_all
from venue_campaign import run_sequence

from logos.adapters.ib import fills
from logos.adapters.ib.venue import IbVenue

SEEDS = (2, 3, 7)


@pytest.mark.campaign
@pytest.mark.timeout(300)
def test_a_sample_of_sessions_of_days_at_a_gateway_keeps_every_promise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong, counts = run_all(SEEDS)
    assert wrong == 0, capsys.readouterr().out
    assert counts["days"] >= 2 * len(SEEDS)
    assert counts["fills"]


@pytest.mark.campaign
def test_an_adapter_that_finds_no_order_at_the_gateway_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def find(*_: object) -> None:
        """As if the gateway had never seen any."""

    monkeypatch.setattr(IbVenue, "find", find)
    assert any(run_sequence(seed, IbStory).wrong for seed in range(1, 5))


@pytest.mark.campaign
def test_commissions_that_are_not_waited_for_are_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fills, "COMMISSION_S", -1.0)
    assert any(run_sequence(seed, IbStory).wrong for seed in range(1, 9))
