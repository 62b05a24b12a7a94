"""`logos config check`, `show` and `init`."""

from __future__ import annotations

import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.cli.main import main
from logos.config import (
    Config,
    FeeSettings,
    InstrumentSettings,
    OrderSettings,
    RiskLimits,
    config_hash,
    load_config,
    make_config,
    read_layers,
    read_toml,
)
from logos.config import settings as every_setting
from logos.config.tables.base import Settings
from logos.config.template import (
    default_toml,
    description,
    effective_toml,
    toml_key,
    toml_value,
)

_FILE = """
[strategy]
name = "sma_cross"
params = { fast = 10, names = ["a", "b"], deep = { x = 0.10 } }
[instruments."BTC/USD"]
quote = "USD"
tick = "0.10"
lot = 1e-3
hours = ["mon-fri 13:30-20:00"]
[account.balances]
USD = 1000.50
[risk]
max_position = 5
[risk.symbols."BTC/USD"]
max_open_orders = 2
[risk.actions]
max_position = "reduce_only"
[orders.symbols.A]
quantity = 3
"""


@pytest.fixture
def home(logos_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace that is also the working directory."""
    monkeypatch.chdir(logos_home)
    return logos_home


def lines_of(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    captured = capsys.readouterr()
    return captured.out.splitlines(), captured.err.splitlines()


def test_check_prints_the_hash_and_where_each_value_came_from(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "s.toml").write_text("[risk]\nmax_position = 5\nprice_collar = 0.1\n")
    (home / ".env").write_text("LOGOS_CFG__RISK__PRICE_COLLAR=0.2\n")
    monkeypatch.setenv("LOGOS_CFG__SWITCH__ON_ENGAGED", "block")
    assert main(["config", "check", "--config", "s.toml", "--seed", "7"]) == 0
    out, err = lines_of(capsys)
    assert out == [
        f"OK  config hash {config_hash(load_config('s.toml', {'session': {'seed': 7}}))}",
        "session.seed = 7  # command line",
        "risk.max_position = 5  # s.toml",
        "risk.price_collar = 0.2  # LOGOS_CFG__RISK__PRICE_COLLAR in .env",
        'switch.on_engaged = "block"  # LOGOS_CFG__SWITCH__ON_ENGAGED in the environment',
    ]
    assert err == []


def test_check_lists_every_problem_and_ends_with_2(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "s.toml").write_text("paper.slipage_ticks = 1\nvenue.name = 'alpaca'\n")
    (home / ".env").write_text("A B\nLOGOS_CFG__X=1\n")
    assert main(["config", "check", "--config", "s.toml"]) == 2
    out, err = lines_of(capsys)
    assert out == []
    assert all(line.startswith("logos config: ") for line in err)
    said = "\n".join(err)
    for part in (
        ".env:1: not a setting",
        "'paper.slipage_ticks'; did you mean 'slippage_ticks'?",
        "--i-acknowledge-risk",
        "limit on losses",
        "risk.max_position above 0",
        "set APCA_API_KEY_ID and APCA_API_SECRET_KEY",
    ):
        assert said.count(part) == 1


def test_check_judges_live_settings_with_the_flags(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "s.toml").write_text(
        "venue.name = 'alpaca'\n[risk]\nmax_position = 5\nmax_order_notional = 5\n"
        "[risk.total]\nmax_drawdown = 5\n"
    )
    (home / ".env").write_text("APCA_API_SECRET_KEY=hunter2\n")
    (home / ".env").chmod(0o600)
    monkeypatch.setenv("APCA_API_KEY_ID", "PKHUNTER2")
    flags = ["--live", "--i-acknowledge-risk"]
    assert main(["config", "check", "--config", "s.toml", *flags]) == 0
    out, err = lines_of(capsys)
    assert out[-2:] == [
        "APCA_API_KEY_ID is set in the environment",
        "APCA_API_SECRET_KEY is set in .env",
    ]
    assert "venue.live = true  # command line" in out
    assert "hunter2" not in "\n".join(out + err).lower()
    assert main(["config", "check", "--config", "s.toml", "--live"]) == 2
    assert "--live needs --i-acknowledge-risk" in capsys.readouterr().err


def test_check_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--symbols", "A,B", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["problems"]) == (True, [])
    assert told["settings"] == {"data.symbols": {"value": '["A", "B"]', "from": "command line"}}
    assert main(["config", "check", "--symbols", "A,A", "--json"]) == 2
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert (told["ok"], told["config_hash"], captured.err) == (False, None, "")
    assert told["problems"] == ["data.symbols names 'A' 2 times; keep one"]


def test_check_that_is_quiet_says_only_what_is_wrong(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "check", "--quiet"]) == 0
    assert lines_of(capsys) == ([], [])
    assert main(["config", "check", "--quiet", "--param", "x"]) == 2
    assert lines_of(capsys) == ([], ["logos config: --param x: write it as KEY=VALUE"])


def test_an_unsafe_dotenv_is_warned_of(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".env").write_text("KRAKEN_API_KEY=hunter2\n")
    (home / ".env").chmod(0o644)
    assert main(["config", "check"]) == 0
    _, [warning] = lines_of(capsys)
    assert warning.endswith(f"chmod 600 {home}/.env")


def test_show_prints_every_setting_with_its_layer_and_loads_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "s.toml").write_text(_FILE)
    assert main(["config", "show", "--config", "s.toml", "--param", "slow=5"]) == 0
    shown = capsys.readouterr().out
    (home / "shown.toml").write_text(shown)
    again = make_config(read_toml(home / "shown.toml"))
    given = load_config("s.toml", {"strategy": {"params": {"slow": "5"}}})
    assert again == given
    assert config_hash(again) == config_hash(given)
    for line in (
        "max_position = 5  # s.toml",
        'slow = "5"  # command line',
        "sample_interval_s = 3600  # default",
        "# seed is not set",
        '[instruments."BTC/USD"]',
        "tick = 0.10  # s.toml",
        "deep = { x = 0.10 }  # s.toml",
    ):
        assert line in shown.splitlines()
    # What a symbol does not name it has from [risk], and so has its layer.
    assert shown.count("max_position = 5  # s.toml") == 2


def test_show_works_where_a_session_would_be_refused_and_shows_no_key(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_CFG__VENUE", '{ name = "ccxt", exchange = "okx" }')
    monkeypatch.setenv("LOGOS_CCXT_OKX_SANDBOX_PASSWORD", "hunter2")
    monkeypatch.setenv("LOGOS_CCXT_KRAKEN_KEY", "hunter2")
    assert main(["config", "show"]) == 0
    out, err = lines_of(capsys)
    assert "# LOGOS_CCXT_OKX_SANDBOX_PASSWORD is set in the environment" in out
    assert "# LOGOS_CCXT_KRAKEN_KEY is set in the environment" in out
    assert any(line.startswith("# A session would be refused: no sandbox keys") for line in out)
    assert "hunter2" not in "\n".join(out + err)


def test_show_of_settings_that_cannot_be_read_ends_with_2(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "show", "--config", "no.toml"]) == 2
    assert lines_of(capsys) == ([], ["logos config: no.toml: there is no such file"])


def test_init_writes_a_file_that_loads_and_equals_the_defaults(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "init"]) == 0
    assert "session.toml written" in capsys.readouterr().out
    assert load_config("session.toml", {}) == Config()
    assert config_hash(load_config("session.toml", {})) == config_hash(Config())
    assert main(["config", "check", "--config", "session.toml"]) == 0


def test_init_overwrites_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "mine.toml").write_text("precious")
    assert main(["config", "init", "mine.toml"]) == 2
    assert "exists already and was not changed" in capsys.readouterr().err
    assert (home / "mine.toml").read_text() == "precious"


def test_init_in_a_folder_that_is_not_there_ends_with_6(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "init", "no/mine.toml"]) == 6
    assert "cannot write no/mine.toml: No such file" in capsys.readouterr().err


def test_the_written_file_names_every_key_with_its_words() -> None:
    text = default_toml()
    active = tomllib.loads(text)
    lines = text.splitlines()
    for kind in _tables():
        for field in msgspec.structs.fields(kind):
            words = description(kind, field.name)
            assert words, f"{kind.__name__}.{field.name} has no words"
    for name, table in active.items():
        for key in table:
            assert any(line.startswith((f"{key} = ", f"[{name}.{key}]")) for line in lines)
    for kind in (InstrumentSettings, FeeSettings, OrderSettings, RiskLimits):
        for field in msgspec.structs.fields(kind):
            commented = (f"# {field.encode_name} = ", "# [instruments.SYMBOL.fees]")
            assert any(line.startswith(commented) for line in lines)


def test_what_stands_in_comments_is_right_when_it_is_taken_out_of_them() -> None:
    examples = [
        line.removeprefix("# ")
        for line in default_toml().splitlines()
        if line.startswith("# [") or re.match(r"# \w+ = ", line)
    ]
    kept = [line for line in examples if not line.endswith("...") and "logos" not in line]
    raw = tomllib.loads("\n".join(kept), parse_float=Decimal)
    # Funding is of positions on margin.
    raw["instruments"]["SYMBOL"] |= {"quote": "USD", "tick": "1", "lot": "1"}
    raw["instruments"]["SYMBOL"] |= {"settlement": "margin"}
    channel = raw["alerts"]["channels"].pop("NAME")
    raw["alerts"]["channels"]["desk"] = channel | {"type": "command", "command": ["true"]}
    # So must a fleet have its name and its members, and a feed its brokers.
    raw["killswitch"]["coordinator"] |= {"fleet": "desk", "endpoints": ["https://etcd1:2379"]}
    raw["live"]["kafka"] |= {"brokers": "127.0.0.1:9092", "topics": ["quotes"]}
    # And shards their storage, a total and who trades what, in live sessions.
    shard = raw["shards"]["table"].pop("NAME")
    shard |= {"symbols": ["SYMBOL"], "budget": "1", "partitions": [0]}
    raw["live"]["feed"] = "kafka"
    raw["shards"] |= {"folder": "desk", "total": "1", "table": {"s1": shard}}
    assert make_config(raw).instruments["SYMBOL"].fees == FeeSettings()


def _tables() -> list[type[Settings]]:
    found = [each for each in vars(every_setting).values() if isinstance(each, type)]
    return [each for each in found if issubclass(each, Settings) and each not in (Settings, Config)]


def test_the_effective_settings_of_defaults_load_as_defaults() -> None:
    shown = effective_toml(Config(), read_layers(None, {}, {}).origin)
    assert make_config(tomllib.loads(shown, parse_float=Decimal)) == Config()


_VALUES: Any = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
    | st.integers(-(2**40), 2**40)
    | st.booleans()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.long
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), _VALUES, max_size=3))
def test_any_value_survives_being_written_as_toml(table: dict[str, Any]) -> None:
    text = "\n".join(f"{toml_key(key)} = {toml_value(value)}" for key, value in table.items())
    assert tomllib.loads(text, parse_float=Decimal) == table


def test_help_does_not_read_settings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["config", "--help"])
    assert caught.value.code == 0
    assert "init" in capsys.readouterr().out
