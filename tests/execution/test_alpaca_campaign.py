"""A sample of the campaign at the broker, always the same; all of it: `make alpaca-campaign`."""

from __future__ import annotations

import pytest
from alpaca_campaign import WHAT, run_all, story_of
from venue_campaign import run_sequence

from logos.adapters.alpaca.coin_fees import CoinFees
from logos.adapters.alpaca.venue import AlpacaVenue

SEEDS = (2, 3, 7)


@pytest.mark.campaign
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", WHAT)
def test_a_sample_of_random_sessions_at_the_broker_keeps_every_promise(
    what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, counts = run_all(what, SEEDS)
    assert wrong == 0, capsys.readouterr().out
    assert counts["crashes"]
    assert counts["fills"]


@pytest.mark.campaign
def test_an_adapter_that_finds_no_order_at_the_broker_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def find(*_: object) -> None:
        """As if the broker had never seen any."""

    monkeypatch.setattr(AlpacaVenue, "find", find)
    assert any(run_sequence(seed, story_of("shares")).wrong for seed in range(1, 5))


@pytest.mark.campaign
def test_fees_of_coins_that_are_not_booked_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CoinFees, "fee_of", lambda *_: 0)
    assert any(run_sequence(seed, story_of("coins")).wrong for seed in range(1, 5))
