"""File < `.env` < environment < command line; and settings in variables."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import PROJECT

from logos.config import Config, ConfigError, load_config, make_config, read_layers
from logos.config.dotenv import parse_dotenv
from logos.config.making import examine
from logos.config.names import read_names
from logos.core.guards import Action
from logos.core.types import FillRule


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def load(
    home: Path,
    toml: str | None = None,
    dotenv: str = "",
    overrides: dict[str, Any] | None = None,
    /,
    **variables: str,
) -> Config:
    """The settings of four layers; a variable's name is without its prefix."""
    file = None
    if toml is not None:
        file = home / "session.toml"
        file.write_text(f"{toml}\n")
    if dotenv:
        (home / ".env").write_text(f"{dotenv}\n")
    process = {f"LOGOS_CFG__{name}": value for name, value in variables.items()}
    return load_config(
        str(file) if file else None, overrides or {}, {"LOGOS_HOME": str(home), **process}
    )


def objection(home: Path, *arguments: Any, **variables: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(home, *arguments, **variables)
    return str(caught.value)


_LAYERS = ("toml", "dotenv", "process", "overrides")


@pytest.mark.parametrize("given", range(1, 16))
def test_the_highest_layer_that_says_something_wins(home: Path, given: int) -> None:
    says = [layer for place, layer in enumerate(_LAYERS) if given >> place & 1]
    config = load(
        home,
        "risk.total.max_drawdown = 1" if "toml" in says else None,
        "LOGOS_CFG__RISK__TOTAL__MAX_DRAWDOWN=2" if "dotenv" in says else "",
        {"risk": {"total": {"max_drawdown": 4}}} if "overrides" in says else {},
        **({"RISK__TOTAL__MAX_DRAWDOWN": "3"} if "process" in says else {}),
    )
    assert config.risk.total.max_drawdown == _LAYERS.index(says[-1]) + 1


def test_layers_are_merged_key_by_key_and_lists_replaced(home: Path) -> None:
    config = load(
        home,
        "[data]\npaths = ['a', 'b']\n[account.balances]\nUSD = 1\nEUR = 2",
        "LOGOS_CFG__ACCOUNT__BALANCES__EUR=3",
        {"session": {}, "data": {"symbols": ["X"]}},
        DATA__PATHS='["c"]',
    )
    assert (config.data.paths, config.data.symbols) == (["c"], ["X"])
    assert config.account.balances == {"USD": 1, "EUR": 3}


def test_without_any_layer_all_is_default(home: Path) -> None:
    assert load(home) == Config()


def test_other_variables_are_not_settings(home: Path) -> None:
    assert load_config(None, {}, {"LOGOS_HOME": str(home), "LOGOS_CCXT_X_KEY": "1"}) == Config()


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("RISK__MAX_POSITION", "0.10", "risk.max_position", Decimal("0.10")),
        ("RISK__MAX_POSITION", '"0.10"', "risk.max_position", Decimal("0.10")),
        ("RISK__MAX_POSITION", ".5", "risk.max_position", Decimal("0.5")),
        ("risk__max_position", "1_000", "risk.max_position", Decimal(1000)),
        ("SESSION__ID", "123", "session.id", "123"),
        ("SESSION__ID", "true", "session.id", "true"),
        ("SESSION__ID", '"true"', "session.id", "true"),
        ("DATA__FROM", "2024-01-31T13:30:00Z", "data.start", "2024-01-31T13:30:00Z"),
        ("DATA__SYMBOLS", '["A", "B"]', "data.symbols", ["A", "B"]),
        ("PAPER__FILL", "bid_ask", "paper.fill", FillRule.BID_ASK),
        ("VENUE__SANDBOX", "false", "venue.sandbox", False),
        ("VENUE__LIVE", "false", "venue.live", False),
        ("SESSION__SEED", "7", "session.seed", 7),
        ("ACCOUNT__BALANCES", "{ USD = 1 }", "account.balances", {"USD": 1}),
        ("RISK__ACTIONS__MAX_POSITION", "engage", "risk.actions", {"max_position": Action.ENGAGE}),
        ("STRATEGY__PARAMS__FAST", "5", "strategy.params", {"fast": 5}),
        ("STRATEGY__PARAMS__DAY", "2024-01-31", "strategy.params", {"day": "2024-01-31"}),
        ("STRATEGY__PARAMS__NAME", "a b", "strategy.params", {"name": "a b"}),
        ("STRATEGY__PARAMS__TWO", "1\nvalues = 2", "strategy.params", {"two": "1\nvalues = 2"}),
    ],
)
def test_a_value_is_toml_or_else_text(
    home: Path, name: str, text: str, path: str, value: object
) -> None:
    found: Any = load(home, **{name: text})
    for attribute in path.split("."):
        found = getattr(found, attribute)
    assert found == value
    assert type(found) is type(value)


_FILE = """
[data]
symbols = ["BTCUSD.s", "ETHUSD"]
[instruments.EURUSDm]
quote = "USD"
tick = "0.1"
lot = 1
[risk.symbols.ethUsd]
max_position = 1
"""


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("RISK__SYMBOLS__ETHUSD__MAX_POSITION", "ethUsd"),
        ("RISK__SYMBOLS__EURUSDM__MAX_POSITION", "EURUSDm"),
        ("RISK__SYMBOLS__BTCUSD.S__MAX_POSITION", "BTCUSD.s"),
        ("RISK__SYMBOLS__Other__MAX_POSITION", "Other"),
        ("ACCOUNT__BALANCES__EURUSDM", "EURUSDM"),
        ("LIVE__MARKETS__ETHUSD", "ETHUSD"),
    ],
)
def test_a_symbol_is_spelled_as_the_layers_below_spell_it(
    home: Path, name: str, spelled: str
) -> None:
    config = load(home, _FILE, **{name: "5"})
    if not name.startswith("RISK"):
        assert {**config.account.balances, **config.live.markets} in ({spelled: 5}, {spelled: "5"})
        return
    assert config.risk.symbols[spelled].max_position == 5
    assert set(config.risk.symbols) == {"ethUsd", spelled}


def test_a_symbol_that_may_be_two_is_refused(home: Path) -> None:
    toml = "[risk.symbols]\nabc = {}\nAbc = {}"
    said = objection(home, toml, RISK__SYMBOLS__ABC__MAX_POSITION="5")
    assert "may mean Abc or abc of risk.symbols; spell it like one" in said
    assert load(home, toml, RISK__SYMBOLS__abc__MAX_POSITION="5").risk.symbols["abc"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("RISK__MAX_POSITON", "did you mean LOGOS_CFG__RISK__MAX_POSITION?"),
        ("RISK__MAX_DRAWDOWN", "did you mean LOGOS_CFG__RISK__TOTAL__MAX_DRAWDOWN?"),
        ("RISK__TOTAL__MAX_DRAWDOWNS", "did you mean LOGOS_CFG__RISK__TOTAL__MAX_DRAWDOWN?"),
        ("RISK__SYMBOLS__BTC__MAXPOSITION", "LOGOS_CFG__RISK__SYMBOLS__BTC__MAX_POSITION?"),
        ("RISK__MAX_POSITION__X", "did you mean LOGOS_CFG__RISK__MAX_POSITION?"),
        ("RISK_MAX_POSITION", "did you mean LOGOS_CFG__RISK__MAX_POSITION?"),
        ("RISK____MAX_POSITION", "did you mean LOGOS_CFG__RISK__MAX_POSITION?"),
        ("", "names begin with LOGOS_CFG__ and a table's name"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(home: Path, name: str, hint: str) -> None:
    said = objection(home, **{name: "hunter2"})
    assert said.startswith(f"the environment: unknown setting LOGOS_CFG__{name}; ")
    assert hint in said
    assert "hunter2" not in said


def test_a_single_underscore_after_the_prefix_is_noticed(home: Path) -> None:
    process = {"LOGOS_HOME": str(home), "LOGOS_CFG_RISK__MAX_POSITION": "1"}
    with pytest.raises(ConfigError, match="did you mean LOGOS_CFG__RISK__MAX_POSITION"):
        load_config(None, {}, process)


def test_one_setting_under_two_spellings_is_refused(home: Path) -> None:
    said = objection(home, RISK__MAX_POSITION="1", risk__max_position="2")
    assert "LOGOS_CFG__RISK__MAX_POSITION and LOGOS_CFG__risk__max_position are the same" in said


def test_a_single_value_is_laid_over_its_table(home: Path) -> None:
    config = load(home, ACCOUNT__BALANCES="{ USD = 1, EUR = 2 }", ACCOUNT__BALANCES__EUR="3")
    assert config.account.balances == {"USD": 1, "EUR": 3}


def test_a_wrong_value_names_its_variable(home: Path) -> None:
    said = objection(home, "", "LOGOS_CFG__PAPER__SLIPPAGE_TICKS=few", RISK__MAX_POSITION="-1")
    assert said == (
        f"{home}/session.toml: paper.slippage_ticks: Expected `int`, got `str` (set by "
        "LOGOS_CFG__PAPER__SLIPPAGE_TICKS in .env); risk.max_position must be 0 (none) or more, "
        "not -1 (set by LOGOS_CFG__RISK__MAX_POSITION in the environment)"
    )


def test_what_is_wrong_in_every_layer_is_told_at_once(home: Path) -> None:
    (home / "session.toml").write_text("paper.slipage_ticks = 1\nrisk.max_position = -1\n")
    (home / ".env").write_text("A B\n")
    with pytest.raises(ConfigError) as caught:
        load_config(
            str(home / "session.toml"),
            {"paper": {"participation": 2}, "venue": {"name": "alpaca"}},
            {"LOGOS_HOME": str(home), "LOGOS_CFG__RISK__X": "1"},
        )
    said = " | ".join(caught.value.problems)
    for part in (
        f"{home}/.env:1: not a setting",
        "unknown setting LOGOS_CFG__RISK__X",
        "unknown key 'paper.slipage_ticks'",
        "risk.max_position must be 0",
        "paper.participation is a share",
        "takes --live and --i-acknowledge-risk",
        "needs a limit on losses",
        "no sandbox keys for venue alpaca",
    ):
        assert part in said
        assert part in str(caught.value)


def test_a_file_that_cannot_be_read_leaves_nothing_else_to_say(home: Path) -> None:
    said = objection(home, "[venue", "", {"data": {"symbols": ["A"]}})
    assert said.startswith(f"{home}/session.toml: not valid TOML: ")
    assert ";" not in said
    with pytest.raises(ConfigError, match=r"no\.toml: there is no such file$"):
        load_config(str(home / "no.toml"), {}, {"LOGOS_HOME": str(home)})


@pytest.mark.parametrize("layer", ["toml", "dotenv", "process"])
def test_live_orders_cannot_be_asked_for_once_and_for_all(home: Path, layer: str) -> None:
    said = objection(
        home,
        "[venue]\nlive = true" if layer == "toml" else "",
        "LOGOS_CFG__VENUE__LIVE=true" if layer == "dotenv" else "",
        **({"VENUE": "{ live = true }"} if layer == "process" else {}),
    )
    assert "venue.live = true may not stand here" in said
    assert "--live --i-acknowledge-risk" in said


def test_another_strategy_drops_the_parameters_and_signals_below(home: Path) -> None:
    toml = "[strategy]\nname = 'a'\nparams = { fast = 1 }"
    assert load(home, toml, STRATEGY__NAME="b").strategy.params == {}
    assert load(home, toml, STRATEGY__NAME="a").strategy.params == {"fast": 1}
    both = load(home, toml, STRATEGY__NAME="b", STRATEGY__PARAMS__SLOW="2")
    assert both.strategy.params == {"slow": 2}
    over = load(home, toml, "", {"strategy": {"name": "c"}}, STRATEGY__PARAMS__SLOW="2")
    assert over.strategy.params == {}
    signals = load(home, toml, STRATEGY__SIGNALS="s.csv").strategy
    assert (signals.name, signals.signals, signals.params) == ("", "s.csv", {})


@pytest.mark.parametrize(
    ("toml", "process", "seed"),
    [("", "", 5), ("", "6", None), ("session.seed = 7", "", 7)],
)
def test_the_seed_of_dotenv_counts_where_nothing_else_names_one(
    home: Path, toml: str, process: str, seed: int | None
) -> None:
    (home / "session.toml").write_text(f"{toml}\n")
    (home / ".env").write_text("LOGOS_SEED=5\n")
    environment = {"LOGOS_HOME": str(home), "LOGOS_SEED": process}
    config = load_config(str(home / "session.toml"), {}, environment)
    assert config.session.seed == seed
    over = load_config(None, {"session": {"seed": 9}}, environment)
    assert over.session.seed == 9


def test_a_seed_in_dotenv_that_is_no_number_is_refused(home: Path) -> None:
    assert "LOGOS_SEED must be a whole number of 0 or more" in objection(home, "", "LOGOS_SEED=abc")


def test_every_value_knows_its_layer(home: Path) -> None:
    (home / "f.toml").write_text("[risk]\nmax_position = 1\nprice_collar = 1\n[risk.symbols.A]\n")
    (home / ".env").write_text("LOGOS_CFG__RISK__PRICE_COLLAR=0.5\n")
    effective = read_layers(
        str(home / "f.toml"),
        {"session": {}, "data": {"paths": ["x"]}},
        {"LOGOS_HOME": str(home), "LOGOS_CFG__risk__symbols__a__max_open_orders": "3"},
    )
    assert effective.origin(("risk", "max_position")) == str(home / "f.toml")
    assert effective.origin(("risk", "price_collar")) == "LOGOS_CFG__RISK__PRICE_COLLAR in .env"
    assert effective.origin(("data", "paths")) == "command line"
    assert effective.origin(("session", "id")) == ""
    own = ("risk", "symbols", "A", "max_open_orders")
    assert (
        effective.origin(own) == "LOGOS_CFG__risk__symbols__a__max_open_orders in the environment"
    )
    assert effective.origin(("risk", "symbols", "A", "max_position")) == str(home / "f.toml")


def test_an_unsafe_dotenv_is_warned_of_and_works(home: Path) -> None:
    (home / ".env").write_text("KRAKEN_API_KEY=hunter2\n")
    (home / ".env").chmod(0o644)
    told: list[str] = []
    load_config(None, {}, {"LOGOS_HOME": str(home)}, tell=told.append)
    [warning] = told
    assert f"chmod 600 {home}/.env" in warning
    assert "hunter2" not in warning


def test_a_warning_goes_to_standard_error(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load(home, None, "KRAKEN_API_KEY=hunter2\n")
    (home / ".env").chmod(0o644)
    load(home)
    assert capsys.readouterr().err.count("chmod 600") >= 1


_NAMES = st.sampled_from(
    ["RISK__MAX_POSITION", "RISK__TOTAL", "DATA__FROM", "A__B", "STRATEGY__PARAMS__X"]
)


@pytest.mark.long
@given(st.dictionaries(_NAMES, st.text(st.characters(exclude_characters="\0"), max_size=20)))
def test_any_variables_make_settings_or_a_config_error(variables: dict[str, str]) -> None:
    named = read_names({f"LOGOS_CFG__{name}": text for name, text in variables.items()}, {})
    assert bool(named.problems) == ("A__B" in variables)
    examined = examine(named.tables)
    if not examined.problems:
        assert make_config(named.tables) == examined.config


def test_a_variable_of_bytes_that_are_no_text_is_refused_by_name() -> None:
    named = read_names({"LOGOS_CFG__RISK__MAX_POSITION": "\udcff"}, {})
    problems = examine(named.tables).problems
    assert "risk.max_position: it has bytes that are no text" in problems


_DOCUMENT = (PROJECT / "docs" / "CONFIGURATION.md").read_text("utf-8")


def test_the_examples_of_the_document_are_read_as_it_says(home: Path) -> None:
    [variables] = re.findall(r"```\n(LOGOS_CFG__.*?)```", _DOCUMENT, re.S)
    [dotenv] = re.findall(r"```\n(# a comment\n.*?)```", _DOCUMENT, re.S)
    values, problems = parse_dotenv(dotenv, ".env")
    assert problems == []
    assert values["KRAKEN_API_KEY"] == "taken as it stands: $ and \\ mean nothing"
    assert values["KRAKEN_API_SECRET"] == 'the escapes are " \\ \n \r and \t'
    (home / ".env").write_text(dotenv + variables)
    (home / ".env").chmod(0o600)
    config = load(home)
    assert config.risk.total.max_drawdown == 500
    assert config.risk.max_position == 5
    assert config.risk.symbols["BTCUSDT"].max_position == Decimal("0.5")
    assert config.account.balances == {"USD": 1000}
    whole = """{ "BTC/USD" = { max_position = 1 } }"""
    assert f"`LOGOS_CFG__RISK__SYMBOLS='{whole}'`" in _DOCUMENT
    assert load(home, RISK__SYMBOLS=whole).risk.symbols["BTC/USD"].max_position == 1
