"""Sessions that keep to limits of every kind, and often meet them, are called intact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from places import PROJECT
from session_helpers import Busy

from logos import session
from logos.audit.verify import verify
from logos.core.gates import InProcessSwitch

CASES: dict[str, dict[str, Any]] = {
    "exposure": {"total": {"max_gross_exposure": "2000", "max_net_exposure": "1500"}},
    "losses": {
        "total": {"max_drawdown": "5", "max_daily_loss": "5", "max_consecutive_losses": 2},
        "actions": {
            "max_drawdown": "refuse", "max_daily_loss": "reduce_only",
            "consecutive_losses": "refuse",
        },
    },
    "engaged": {"max_position": "9", "actions": {"max_position": "engage"}},
    "counts": {
        "max_open_orders": 4, "duplicate_window_s": "7200",
        "total": {"max_open_orders": 6, "max_orders": 5, "max_orders_window_s": "3600"},
    },
    "sizes": {
        "max_order_quantity": "6", "max_order_notional": "900", "max_position": "8",
        "price_collar": "0.0003",
    },
}  # fmt: skip

MARKETS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "bars": ({"symbols": ["ACME", "BTCUSDT"], "accept": ["gap"]}, {"fill": "next_open"}),
    "quotes": ({"symbols": ["ETHUSDT"]}, {"fill": "bid_ask"}),
}
SIZES = {"ACME": "1", "BTCUSDT": "0.001", "ETHUSDT": "0.05"}


@pytest.mark.long
@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("limits", CASES)
def test_a_session_that_keeps_its_limits_is_intact(
    tmp_path: Path, limits: str, market: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    data, paper = MARKETS[market]
    paths = ["data/cache"] if market == "bars" else ["data/cache/ETHUSDT_quotes.csv"]
    result = session.run(
        {
            "session": {"id": "busy"}, "data": {"paths": paths, **data}, "paper": paper,
            "risk": CASES[limits], "switch": {"on_engaged": "block"},
        },
        strategy=Busy(SIZES, 20), switch=InProcessSwitch(), home=tmp_path,
    )  # fmt: skip
    assert result.summary["orders"] > 0
    assert result.summary["refused"] + result.summary["blocked"] > 0
    verdict = verify(result.folder)
    assert [str(each) for each in verdict.findings] == []
    assert verdict.orders == result.summary["orders"]
