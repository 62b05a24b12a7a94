"""The settings of a stress run are ones with which real orders may leave, however many symbols."""

from __future__ import annotations

import tomllib

import pytest

pytest.importorskip("zmq", reason="stress runs need the extra logos-trading[mt5]")

from logos.config import make_config
from logos.stress.plan import StressPlan, make_symbols, settings_text


@pytest.mark.parametrize("symbols", ["BTCUSD.s", "BTCUSD.s,ETHUSD.s,XAUUSD.s", "50", "300"])
def test_no_limit_of_a_run_is_one_that_is_refused_for_real_orders(symbols: str) -> None:
    plan = StressPlan(symbols=make_symbols(symbols, "1-20"), signals=10, seconds=0.0, seed=1)
    raw = tomllib.loads(settings_text(plan, [1, 2, 3, 4]))
    raw["venue"]["live"] = True
    config = make_config(raw)
    assert config.risk.total.max_open_orders is not None
    assert 0 < config.risk.total.max_open_orders <= 1000
