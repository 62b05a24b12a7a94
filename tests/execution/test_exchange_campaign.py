"""A sample of the campaign at the exchanges, always the same; all of it: `make venue-campaign`."""

from __future__ import annotations

import pytest
from exchange_campaign import run_all, story_of
from round_trips import CASES, Case
from venue_campaign import run_sequence

from logos.adapters.ccxt.questions import Questions

SEEDS = (2, 3)


@pytest.mark.campaign
@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.exchange_id)
def test_a_sample_of_random_sessions_keeps_every_promise(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, counts = run_all(case, SEEDS)
    assert wrong == 0, capsys.readouterr().out
    assert counts["crashes"]
    assert counts["fills"]


@pytest.mark.campaign
def test_an_adapter_that_knows_no_order_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(*_: object) -> None:
        """As if the exchange had never seen any."""

    monkeypatch.setattr(Questions, "find", find)
    kraken = next(case for case in CASES if case.exchange_id == "kraken")
    assert any(run_sequence(seed, story_of(kraken)).wrong for seed in range(1, 5))
