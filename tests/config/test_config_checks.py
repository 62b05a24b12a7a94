"""Settings that contradict each other or are unsafe are refused, with what to do."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.config import Config, ConfigError, live_overrides, load_config, read_toml
from logos.config.making import config_hash, examine, make_config, merge

_SAFE_LIMITS: dict[str, Any] = {
    "max_order_notional": "1000", "max_position": "10", "total": {"max_drawdown": "100"},
}  # fmt: skip
_KEYS = {"APCA_API_KEY_ID": "PKHUNTER2", "APCA_API_SECRET_KEY": "hunter2"}


def problems_of(**tables: Any) -> list[str]:
    try:
        make_config(tables)
    except ConfigError as error:
        return list(error.problems)
    return []


def refusals_of(home: Path, tables: dict[str, Any], *, live: bool, **variables: str) -> list[str]:
    """Why a session with these settings may not start."""
    overrides = merge(tables, live_overrides(live, live))
    try:
        load_config(None, overrides, {"LOGOS_HOME": str(home), **variables})
    except ConfigError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize(
    ("risk", "problem"),
    [
        (
            {"max_order_quantity": 11, "max_position": 10},
            "risk.max_order_quantity (11) is above risk.max_position (10): with no position such "
            "an order is always refused; lower it to 10 or less",
        ),
        (
            {"max_order_notional": "500.5", "total": {"max_gross_exposure": 500}},
            "risk.max_order_notional (500.5) is above risk.total.max_gross_exposure (500): with no "
            "position such an order is always refused; lower it to 500 or less",
        ),
        (
            {"symbols": {"A": {"max_open_orders": 5}}, "total": {"max_open_orders": 4}},
            "risk.symbols.A.max_open_orders (5) is above risk.total.max_open_orders (4): so many "
            "orders are never open; lower it to 4 or less",
        ),
        (
            {"total": {"max_net_exposure": 2, "max_gross_exposure": 1}},
            "risk.total.max_net_exposure (2) is above risk.total.max_gross_exposure (1): net is "
            "never more than gross, so the limit never acts; lower it, or set it to 0",
        ),
        (
            {"max_order_quantity": 10, "max_position": 10, "symbols": {"A": {"max_position": 5}}},
            "risk.symbols.A.max_order_quantity (10) is above risk.symbols.A.max_position (5): with "
            "no position such an order is always refused; lower it to 5 or less",
        ),
    ],
)
def test_limits_that_contradict_each_other_are_refused(risk: dict[str, Any], problem: str) -> None:
    assert problems_of(risk=risk) == [problem]


def test_a_contradiction_that_a_symbol_inherits_is_told_once() -> None:
    risk = {"max_open_orders": 5, "symbols": {"A": {"max_position": 1}, "B": {}}}
    [problem] = problems_of(risk={**risk, "total": {"max_open_orders": 4}})
    assert problem.startswith("risk.max_open_orders (5)")


@pytest.mark.parametrize(
    "risk",
    [
        {"max_order_quantity": 10, "max_position": 10},
        {"max_order_quantity": 10, "max_position": 0},
        {"max_order_notional": 5, "total": {"max_gross_exposure": 0}},
        {"max_open_orders": 0, "total": {"max_open_orders": 4}},
        {"total": {"max_net_exposure": 1, "max_gross_exposure": 1}},
        {"total": {"max_net_exposure": 1}},
        {"total": {"max_daily_loss": 100, "max_drawdown": 10}},
        {"max_order_quantity": 9, "max_position": 9, "symbols": {"A": {"max_position": 0}}},
    ],
)
def test_limits_that_are_equal_or_absent_contradict_nothing(risk: dict[str, Any]) -> None:
    assert problems_of(risk=risk) == []


def test_a_symbol_named_twice_is_refused() -> None:
    [problem] = problems_of(data={"symbols": ["A", "B", "A"]})
    assert problem == "data.symbols names 'A' 2 times; keep one"


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        (
            "[risk]\nmax_position = 1\nmax_position = 2\n",
            "line 3 names max_position a second time; keep one of the two",
        ),
        (
            "[risk]\na = 1\n\n[risk]\nb = 2\n",
            "line 4 names [risk] a second time; keep one of the two",
        ),
        ("x = { a = 1, a = 2 }\n", "line 1 names x a second time"),
        ("a.b = 1\n'a'.b = [\n1]\n", "line 3 names what ends there a second time"),
        ('k = 1\nk = """\nhunter2"""\n', "line 3 names what ends there a second time"),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_name_and_line(
    tmp_path: Path, text: str, objection: str
) -> None:
    path = tmp_path / "session.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_toml(path)
    assert str(caught.value).startswith(f"{path}: not valid TOML: ")
    assert objection in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_asks_for_live_orders_is_refused_however_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("venue.live = true\n")
    with pytest.raises(ConfigError, match=r"session\.toml: venue\.live = true may not stand here"):
        read_toml(path)


@pytest.mark.parametrize(
    ("table", "settings", "problem"),
    [
        ("venue", {"name": "ccxt"}, "venue.exchange is empty: ccxt needs the exchange's id"),
        ("live", {"feed": "ccxt"}, "live.exchange is empty: ccxt needs"),
        ("venue", {"exchange": "kraken"}, 'venue.exchange is for venue.name = "ccxt" only'),
        (
            "live",
            {"feed": "yahoo", "exchange": "x"},
            'live.exchange is for live.feed = "ccxt" only',
        ),
        ("venue", {"name": "ccxt", "exchange": "Kraken!"}, "not a ccxt id: 'Kraken!'"),
        ("venue", {"url": "http://localhost"}, "venue.url: the paper venue has no address"),
        ("venue", {"live": True}, "venue.live: the paper venue has no live orders"),
        ("live", {"url": "localhost:80"}, "live.url: not an address; write it like https://"),
        ("live", {"url": "http://["}, "live.url: not an address"),
        ("live", {"url": "https://me:hunter2@x.com"}, "live.url may hold neither a user and"),
        ("live", {"url": "https://x.com?token=hunter2"}, "live.url may hold neither a user and"),
        ("live", {"poll_interval_ms": 0}, "live.poll_interval_ms must be above 0, not 0"),
        ("live", {"heartbeat_ms": -1}, "live.heartbeat_ms must be above 0, not -1"),
        ("live", {"inbox_size": 0}, "live.inbox_size must be above 0"),
        ("live", {"reconcile_every_s": 0}, "live.reconcile_every_s must be above 0"),
        ("live", {"drain_timeout_s": 0}, "live.drain_timeout_s must be above 0"),
        ("live", {"max_clock_skew_ms": 0}, "live.max_clock_skew_ms must be above 0"),
        ("live", {"speed": -1}, "live.speed must be 0 (at once) or more, not -1"),
        ("live", {"stop_after_s": -1}, "live.stop_after_s must be 0 (never) or more, not -1"),
        ("live", {"feed": "x"}, 'use one of "" (none), ccxt, yahoo, replay, mt5, kafka, alpaca'),
        ("live", {"on_external": "x"}, "use one of report, halt"),
        ("live", {"transport": "x"}, "use one of poll, websocket"),
        ("venue", {"name": "x"}, "use one of paper, ccxt, alpaca, mt5, mt5-native, ib"),
        ("venue", {"sandbox": "yes"}, "venue.sandbox: Expected `bool`, got `str`"),
    ],
)
def test_a_venue_or_feed_that_makes_no_sense_is_refused(
    table: str, settings: dict[str, Any], problem: str
) -> None:
    [said] = problems_of(**{table: settings})
    assert problem in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("url", "is_refused"),
    [
        ("http://api.example.com", True),
        ("ws://192.168.1.9:80", True),
        ("https://api.example.com", False),
        ("wss://api.example.com", False),
        ("http://127.0.0.1:8080/v2", False),
        ("http://localhost", False),
        ("http://[::1]:80", False),
        ("http://127.0.0.1.example.com", True),
    ],
)
def test_live_keys_and_orders_do_not_travel_unencrypted(url: str, is_refused: bool) -> None:
    venue = {"name": "alpaca", "live": True, "url": url}
    problems = problems_of(venue=venue, risk=_SAFE_LIMITS)
    assert [("unencrypted" in problem) for problem in problems] == [True] * is_refused


_KEYS_OF_TABLES = st.sampled_from(
    ["risk", "orders", "symbols", "total", "max_position", "quantity", "actions", "strategy"]
) | st.sampled_from(
    ["params", "account", "instruments", "fees", "venue", "name", "quote", "tick", "lot", "A"]
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS_OF_TABLES, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.long
@given(_ANYTHING)
def test_anything_at_all_is_settings_or_has_its_problems_told(raw: Any) -> None:
    examined = examine(raw)
    assert isinstance(examined.config, Config)
    if not examined.problems:
        assert make_config(raw) == examined.config


_INSTRUMENT = st.fixed_dictionaries(
    {},
    optional={
        "quote": st.sampled_from(["USD", 1]),
        "tick": st.decimals() | st.text(max_size=2),
        "lot": st.integers() | st.none(),
        "fees": st.dictionaries(st.sampled_from(["maker", "x"]), st.decimals() | st.text()),
    },
)


@pytest.mark.long
@given(st.dictionaries(st.text(max_size=2), _INSTRUMENT, max_size=3))
def test_any_instruments_are_settings_or_have_their_problems_told(raw: dict[str, Any]) -> None:
    examined = examine({"instruments": raw})
    assert len(examined.config.instruments) == len(raw) or examined.problems


@pytest.mark.long
@given(st.dictionaries(_KEYS_OF_TABLES, _ANYTHING, max_size=4))
def test_any_tables_are_settings_or_have_their_problems_told(raw: dict[str, Any]) -> None:
    examined = examine(raw)
    assert all(isinstance(problem, str) and problem for problem in examined.problems)


def test_everything_wrong_is_told_at_once_and_nothing_twice() -> None:
    problems = problems_of(
        paper={"fill": "next", "participation": 2},
        account={"balances": {"USD": Decimal("NaN"), "EUR": -1}},
        instruments={"A": {"quote": "USD"}},
    )
    assert problems == [
        "paper.fill: Invalid enum value 'next'; use one of next_open, decision_close, bid_ask",
        "instruments.A.tick: is missing",
        "instruments.A.lot: is missing",
        "account.balances.USD: must be a finite number, not NaN",
        "paper.participation is a share from 0 to 1",
        "account: EUR must be 0 or more, not -1",
    ]


@pytest.mark.parametrize(
    ("tick", "problem"),
    [
        ("fine", "instruments.A.tick: "),
        (Decimal("NaN"), "instruments.A.tick: must be a finite number, not NaN"),
        ([], "instruments.A.tick: Expected"),
    ],
)
def test_a_required_value_that_is_wrong_is_told_beside_the_rest(tick: object, problem: str) -> None:
    said = problems_of(
        instruments={
            "A": {"quote": "USD", "tick": tick, "lot": 1},
            "B": {"quote": "USD", "tick": 1, "lot": 1, "fees": {"maker": -1}},
        }
    )
    assert said[0].startswith(problem)
    assert said[1:] == ["instruments.B.fees.maker must be above -1 (100 %)"]


def test_a_venue_other_than_paper_needs_both_flags_each_time(tmp_path: Path) -> None:
    tables = {"venue": {"name": "alpaca"}, "risk": _SAFE_LIMITS}
    [refusal] = refusals_of(tmp_path, tables, live=False, **_KEYS)
    assert "sends orders out of this process" in refusal
    assert "--live and --i-acknowledge-risk on the command line" in refusal
    assert refusals_of(tmp_path, tables, live=True, **_KEYS) == []


@pytest.mark.parametrize(
    ("live", "acknowledged", "missing"),
    [(True, False, "--live needs --i-ack"), (False, True, "--i-acknowledge-risk needs --live")],
)
def test_one_flag_alone_is_refused(live: bool, acknowledged: bool, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        live_overrides(live, acknowledged)


def test_without_flags_nothing_is_asked_for() -> None:
    assert live_overrides(False, False) == {}


def test_a_dry_run_may_name_a_venue_without_leave(tmp_path: Path) -> None:
    environment = {"LOGOS_HOME": str(tmp_path)}
    config = load_config(None, {"venue": {"name": "alpaca"}}, environment, sends_orders=False)
    assert not config.venue.live


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize(
    ("risk", "missing"),
    [
        ({**_SAFE_LIMITS, "total": {}}, ["a live venue needs a limit on losses: set risk.total"]),
        ({**_SAFE_LIMITS, "total": {"max_drawdown_share": "0.1"}}, []),
        ({**_SAFE_LIMITS, "total": {"max_daily_loss": "1"}}, []),
        ({**_SAFE_LIMITS, "max_position": 0}, ["a live venue needs risk.max_position above 0"]),
        (
            {**_SAFE_LIMITS, "max_order_notional": 0},
            ["a live venue needs risk.max_order_notional above 0"],
        ),
        (
            {**_SAFE_LIMITS, "symbols": {"A": {"max_position": 0}}},
            ["a live venue needs risk.symbols.A.max_position above 0"],
        ),
        (
            {**_SAFE_LIMITS, "max_position": 0, "symbols": {"A": {"max_position": 1}}},
            [],
        ),
        (
            {**_SAFE_LIMITS, "max_position": 0, "symbols": {"B": {"max_position": 1}}},
            ["a live venue needs risk.max_position above 0"],
        ),
    ],
)
def test_a_live_venue_needs_its_limits(
    tmp_path: Path, risk: dict[str, Any], missing: list[str], live: bool
) -> None:
    tables = {"venue": {"name": "alpaca"}, "data": {"symbols": ["A"]}, "risk": risk}
    refusals = refusals_of(tmp_path, tables, live=live, **_KEYS)
    limits = [refusal for refusal in refusals if refusal.startswith("a live venue needs")]
    assert len(limits) == len(missing)
    assert all(text in limit for text, limit in zip(missing, limits, strict=True))


def test_live_limits_hold_however_the_settings_are_made() -> None:
    problems = problems_of(venue={"name": "mt5", "live": True})
    assert len(problems) == 3


def test_a_limit_that_cannot_be_read_is_not_called_missing(tmp_path: Path) -> None:
    risk = {**_SAFE_LIMITS, "max_position": "ten"}
    [problem] = refusals_of(
        tmp_path, {"venue": {"name": "alpaca"}, "risk": risk}, live=True, **_KEYS
    )
    assert problem.startswith("risk.max_position: ")


@pytest.mark.parametrize(("sandbox", "key"), [(True, "AKHUNTER2"), (False, "PKHUNTER2")])
def test_keys_of_the_other_environment_stop_a_session(
    tmp_path: Path, sandbox: bool, key: str
) -> None:
    tables = {"venue": {"name": "alpaca", "sandbox": sandbox}, "risk": _SAFE_LIMITS}
    keys = {**_KEYS, "APCA_API_KEY_ID": key}
    [refusal] = refusals_of(tmp_path, tables, live=True, **keys)
    assert "set the right key, or venue.sandbox" in refusal


def test_missing_keys_stop_a_session(tmp_path: Path) -> None:
    tables = {"venue": {"name": "ccxt", "exchange": "binance"}, "risk": _SAFE_LIMITS}
    [refusal] = refusals_of(tmp_path, tables, live=True)
    assert "set LOGOS_CCXT_BINANCE_SANDBOX_KEY and LOGOS_CCXT_BINANCE_SANDBOX_SECRET" in refusal


def test_a_venue_that_takes_no_keys_needs_none(tmp_path: Path) -> None:
    tables = {"venue": {"name": "mt5"}, "risk": _SAFE_LIMITS}
    assert refusals_of(tmp_path, tables, live=True) == []


def test_interactive_brokers_needs_no_keys_and_is_not_proved(tmp_path: Path) -> None:
    tables = {"venue": {"name": "ib"}, "risk": _SAFE_LIMITS}
    [refusal] = refusals_of(tmp_path, tables, live=True)
    assert "Interactive Brokers has not been proved" in refusal


def test_keys_are_no_part_of_the_settings_or_their_hash(tmp_path: Path) -> None:
    tables = {"venue": {"name": "alpaca"}, "risk": _SAFE_LIMITS}
    tables = merge(tables, live_overrides(True, True))
    home = {"LOGOS_HOME": str(tmp_path), **_KEYS}
    made = [
        load_config(None, tables, {**home, "APCA_API_SECRET_KEY": secret})
        for secret in ("hunter2", "another")
    ]
    assert config_hash(made[0]) == config_hash(made[1])
    assert "hunter2" not in repr(made[0]).lower()


def test_the_hash_tells_settings_apart() -> None:
    assert config_hash(make_config({"live": {"stop_after_s": 1}})) != config_hash(Config())
