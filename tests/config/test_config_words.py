"""Every refusal of the settings, word for word, and beside it the nearest value that is taken."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from logos.config import ConfigError, make_config

Tables = dict[str, Any]

A = {"quote": "USD", "tick": 1, "lot": 1}
SAFE = {"max_order_notional": 1, "max_position": 1, "total": {"max_drawdown": 1}}


def problems_of(tables: Tables) -> list[str]:
    try:
        make_config(tables)
    except ConfigError as error:
        return list(error.problems)
    return []


def fees(**values: object) -> Tables:
    return {"instruments": {"A": {**A, "fees": values}}}


REBATES = "instruments.A.fees.{} must be 0 or more; a rebate is a maker or taker rate below 0"
COSTS = "paper.slippage_ticks, slippage_bps and latency_ms must be 0 or more"
SHARE = "paper.participation is a share from 0 to 1"
ADDRESS = "not an address; write it like https://127.0.0.1:8080 (https, http, wss, ws, tcp)"
NO_PASSWORD = (
    "may hold neither a user and password nor a query: settings are written to the session's "
    "folder; keys belong in the environment or .env"
)

# (settings that are refused, why, the nearest that are taken)
REFUSED: list[tuple[Tables, str, Tables]] = [
    ({"session": {"seed": -1}}, "session.seed must be 0 or more", {"session": {"seed": 0}}),
    ({"session": {"sample_interval_s": -1}}, "session.sample_interval_s must be 0 or more",
     {"session": {"sample_interval_s": 0}}),
    ({"data": {"symbols": ["A", "A", "A"]}}, "data.symbols names 'A' 3 times; keep one",
     {"data": {"symbols": ["A", "B"]}}),
    ({"paper": {"participation": "1.01"}}, SHARE, {"paper": {"participation": 1}}),
    ({"paper": {"participation": "-0.01"}}, SHARE, {"paper": {"participation": 0}}),
    ({"paper": {"slippage_ticks": -1}}, COSTS, {"paper": {"slippage_ticks": 0}}),
    ({"paper": {"slippage_bps": "-0.1"}}, COSTS, {"paper": {"slippage_bps": 0}}),
    ({"paper": {"latency_ms": -1}}, COSTS, {"paper": {"latency_ms": 0}}),
    ({"switch": {"on_engaged": "stop"}}, "switch.on_engaged is 'halt' or 'block'",
     {"switch": {"on_engaged": "block"}}),
    ({"risk": {"max_position": -1}}, "risk.max_position must be 0 (none) or more, not -1",
     {"risk": {"max_position": 0}}),
    ({"risk": {"total": {"max_daily_loss": "-0.5"}}},
     "risk.total.max_daily_loss must be 0 (none) or more, not -0.5",
     {"risk": {"total": {"max_daily_loss": 0}}}),
    ({"risk": {"symbols": {"A": {"max_open_orders": -2}}}},
     "risk.symbols.A.max_open_orders must be 0 (none) or more, not -2",
     {"risk": {"symbols": {"A": {"max_open_orders": 0}}}}),
    ({"risk": {"total": {"max_orders": 5, "max_orders_window_s": 0}}},
     "risk.total.max_orders needs a max_orders_window_s above 0",
     {"risk": {"total": {"max_orders": 5, "max_orders_window_s": 1}}}),
    ({"account": {"balances": {"USD": -1}}}, "account: USD must be 0 or more, not -1",
     {"account": {"balances": {"USD": 0}}}),
    ({"account": {"borrow": {"ACME": -1}}}, "account: ACME must be 0 or more, not -1",
     {"account": {"borrow": {"ACME": 0}}}),
    ({"orders": {"cap_notional": -1}}, "orders.cap_notional must be 0 (none) or more",
     {"orders": {"cap_notional": 0}}),
    ({"orders": {"quantity": 0}}, "orders.quantity must be above 0, not 0",
     {"orders": {"quantity": 1}}),
    ({"orders": {"symbols": {"A": {"quantity": -3}}}},
     "orders.symbols.A.quantity must be above 0, not -3",
     {"orders": {"symbols": {"A": {"quantity": 3}}}}),
    ({"account": {"rates": {"EUR": 0}, "report_in": "USD"}},
     "account.rates.EUR must be above 0, not 0",
     {"account": {"rates": {"EUR": "0.01"}, "report_in": "USD"}}),
    ({"account": {"rates": {"EUR": "-1.1"}, "report_in": "USD"}},
     "account.rates.EUR must be above 0, not -1.1",
     {"account": {"rates": {"EUR": "1.1"}, "report_in": "USD"}}),
    ({"account": {"rates": {"EUR": 1}}},
     "account.rates needs account.report_in, the currency they convert to",
     {"account": {"rates": {}, "report_in": "USD"}}),
    (fees(maker=-1), "instruments.A.fees.maker must be above -1 (100 %)", fees(maker="-0.001")),
    (fees(taker=-1), "instruments.A.fees.taker must be above -1 (100 %)", fees(taker="-0.001")),
    (fees(per_unit="-0.001"), REBATES.format("per_unit"), fees(per_unit=0)),
    (fees(per_fill="-0.001"), REBATES.format("per_fill"), fees(per_fill=0)),
    (fees(minimum="-0.001"), REBATES.format("minimum"), fees(minimum=0)),
    (fees(decimals=-1), "instruments.A.fees.decimals: 0 to 18", fees(decimals=0)),
    (fees(decimals=19), "instruments.A.fees.decimals: 0 to 18", fees(decimals=18)),
    ({"venue": {"name": "ccxt"}},
     'venue.exchange is empty: ccxt needs the exchange\'s id, such as "kraken"',
     {"venue": {"name": "ccxt", "exchange": "kraken"}}),
    ({"live": {"feed": "ccxt"}},
     'live.exchange is empty: ccxt needs the exchange\'s id, such as "kraken"',
     {"live": {"feed": "ccxt", "exchange": "kraken"}}),
    ({"venue": {"name": "alpaca", "exchange": "kraken"}},
     'venue.exchange is for venue.name = "ccxt" only; take it out', {"venue": {"name": "alpaca"}}),
    ({"live": {"feed": "yahoo", "exchange": "kraken"}},
     'live.exchange is for live.feed = "ccxt" only; take it out', {"live": {"feed": "yahoo"}}),
    ({"venue": {"name": "ccxt", "exchange": "Kraken"}},
     "venue.exchange: not a ccxt id: 'Kraken'; ids are lower case, like kraken",
     {"venue": {"name": "ccxt", "exchange": "kraken"}}),
    ({"live": {"url": "ftp://x.com"}}, f"live.url: {ADDRESS}", {"live": {"url": "https://x.com"}}),
    ({"live": {"url": "https://"}}, f"live.url: {ADDRESS}", {"live": {"url": "tcp://x.com:1"}}),
    ({"live": {"url": "https://u@x.com"}}, f"live.url {NO_PASSWORD}",
     {"live": {"url": "https://x.com/u"}}),
    ({"live": {"url": "https://x.com/?k=1"}}, f"live.url {NO_PASSWORD}",
     {"live": {"url": "https://x.com/k"}}),
    ({"live": {"url": "https://x.com/#k"}}, f"live.url {NO_PASSWORD}",
     {"live": {"url": "http://x.com/"}}),
    ({"venue": {"name": "alpaca", "live": True, "url": "ws://x.com"}, "risk": SAFE},
     "venue.url: orders and keys would travel unencrypted; use https or wss",
     {"venue": {"name": "alpaca", "live": True, "url": "wss://x.com"}, "risk": SAFE}),
    ({"venue": {"live": True}},
     "venue.live: the paper venue has no live orders; set venue.name, or leave --live out",
     {"venue": {"live": False}}),
    ({"venue": {"url": "https://x.com"}},
     "venue.url: the paper venue has no address; set venue.name, or take it out",
     {"venue": {"name": "alpaca", "url": "https://x.com"}}),
    ({"live": {"speed": "-0.5"}}, "live.speed must be 0 (at once) or more, not -0.5",
     {"live": {"speed": 0}}),
    ({"live": {"stop_after_s": -5}}, "live.stop_after_s must be 0 (never) or more, not -5",
     {"live": {"stop_after_s": 0}}),
    *(
        ({"live": {key: value}}, f"live.{key} must be above 0, not {value}", {"live": {key: 1}})
        for key in (
            "poll_interval_ms", "heartbeat_ms", "inbox_size", "reconcile_every_s",
            "drain_timeout_s", "max_clock_skew_ms",
        )
        for value in (0, -1)
    ),
    ({"risk": {"total": {"max_gross_exposure": 5, "max_net_exposure": 6}}},
     "risk.total.max_net_exposure (6) is above risk.total.max_gross_exposure (5): net is never "
     "more than gross, so the limit never acts; lower it, or set it to 0",
     {"risk": {"total": {"max_gross_exposure": 5, "max_net_exposure": 5}}}),
    ({"risk": {"max_order_quantity": 6, "max_position": 5}},
     "risk.max_order_quantity (6) is above risk.max_position (5): with no position such an order "
     "is always refused; lower it to 5 or less",
     {"risk": {"max_order_quantity": 5, "max_position": 5}}),
    ({"risk": {"max_order_notional": 6, "total": {"max_gross_exposure": 5}}},
     "risk.max_order_notional (6) is above risk.total.max_gross_exposure (5): with no position "
     "such an order is always refused; lower it to 5 or less",
     {"risk": {"max_order_notional": 5, "total": {"max_gross_exposure": 5}}}),
    ({"risk": {"max_open_orders": 6, "total": {"max_open_orders": 5}}},
     "risk.max_open_orders (6) is above risk.total.max_open_orders (5): so many orders are never "
     "open; lower it to 5 or less",
     {"risk": {"max_open_orders": 5, "total": {"max_open_orders": 5}}}),
    ({"venue": {"name": "mt5", "live": True}, "risk": {**SAFE, "total": {}}},
     "a live venue needs a limit on losses: set risk.total.max_drawdown, "
     "risk.total.max_drawdown_share or risk.total.max_daily_loss",
     {"venue": {"name": "mt5", "live": True}, "risk": SAFE}),
    ({"venue": {"name": "mt5", "live": True}, "risk": {**SAFE, "max_order_notional": 0}},
     "a live venue needs risk.max_order_notional above 0",
     {"venue": {"name": "mt5", "live": True}, "risk": SAFE}),
    ({"venue": {"name": "mt5", "live": True}, "risk": {**SAFE, "max_position": 0}},
     "a live venue needs risk.max_position above 0",
     {"venue": {"name": "mt5", "live": True}, "risk": SAFE}),
    ({"instruments": {"A": {"quote": "USD", "tick": 1}}}, "instruments.A.lot: is missing",
     {"instruments": {"A": A}}),
    ({"risk": {"max_positon": 1}}, "unknown key 'risk.max_positon'; did you mean 'max_position'?",
     {"risk": {"max_position": 1}}),
    ({"account": {"balances": {"USD": Decimal("Infinity")}}},
     "account.balances.USD: must be a finite number, not Infinity",
     {"account": {"balances": {"USD": Decimal(1)}}}),
]  # fmt: skip


@pytest.mark.parametrize(("refused", "problem", "taken"), REFUSED)
def test_settings_are_refused_in_these_words_and_no_others(
    refused: Tables, problem: str, taken: Tables
) -> None:
    assert problems_of(refused) == [problem]
    assert problems_of(taken) == []


def test_tables_that_are_none_are_refused() -> None:
    assert problems_of([]) == ["settings are tables, and this is none"]  # type: ignore[arg-type]


def test_an_error_names_its_source_and_lists_everything() -> None:
    with pytest.raises(ConfigError) as caught:
        make_config({"session": {"seed": -1}, "switch": {"on_engaged": "x"}}, "my.toml")
    assert str(caught.value) == (
        "my.toml: session.seed must be 0 or more; switch.on_engaged is 'halt' or 'block'"
    )
