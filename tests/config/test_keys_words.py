"""Leave to trade, keys, `.env` and variables: every refusal, word for word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logos.config import ConfigError, live_overrides, load_config
from logos.config.credentials import CredentialsError, credentials, variables_set
from logos.config.dotenv import open_to_others, parse_dotenv, read_dotenv
from logos.config.environment import Environment
from logos.config.names import read_names
from logos.config.secret import Secret
from logos.config.tables.live import FeedName, VenueName, VenueSettings
from logos.config.template import toml_value

SAFE: dict[str, Any] = {
    "max_order_notional": 1, "max_position": 1, "total": {"max_drawdown": 1},
}  # fmt: skip


# ---- leave to trade ----


@pytest.mark.parametrize(
    ("live", "acknowledged", "words"),
    [
        (True, False, "--live needs --i-acknowledge-risk: live orders take both, each time"),
        (False, True, "--i-acknowledge-risk needs --live: live orders take both, each time"),
    ],
)
def test_one_flag_of_two_is_refused(live: bool, acknowledged: bool, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        live_overrides(live, acknowledged)
    assert str(caught.value) == words
    assert live_overrides(True, True) == {"venue": {"live": True}}
    assert live_overrides(False, False) == {}


def test_a_venue_without_leave_is_refused_in_these_words(tmp_path: Path) -> None:
    tables = {"venue": {"name": "mt5"}, "risk": SAFE}
    with pytest.raises(ConfigError) as caught:
        load_config(None, tables, {"LOGOS_HOME": str(tmp_path)})
    assert list(caught.value.problems) == [
        "venue.name = 'mt5' sends orders out of this process, which takes --live and "
        "--i-acknowledge-risk on the command line, each time; without them use "
        "venue.name = 'paper'"
    ]


def test_a_seed_that_is_none_is_refused_with_its_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOGOS_SEED=many\n")
    with pytest.raises(ConfigError) as caught:
        load_config(None, {}, {"LOGOS_HOME": str(tmp_path)})
    [problem] = caught.value.problems
    assert problem == f"{tmp_path / '.env'}: LOGOS_SEED must be a whole number of 0 or more"


NOT_A_SETTING = (
    "not a setting; write NAME=value, the name in letters, digits and '_', with no space around ="
)

# ---- keys ----


def environment(home: Path, **variables: str) -> Environment:
    return Environment.read({"LOGOS_HOME": str(home), **variables})


@pytest.mark.parametrize(
    ("venue", "variables", "words"),
    [
        (VenueSettings(name=VenueName.PAPER), {},
         "venue paper takes no keys: the paper venue needs none"),
        (VenueSettings(name=VenueName.MT5), {},
         "venue mt5 takes no keys: the terminal is logged in by itself"),
        (VenueSettings(name=VenueName.MT5_NATIVE), {},
         "venue mt5-native takes no keys: the terminal is logged in by itself"),
        (VenueSettings(name=VenueName.IB), {},
         "venue ib takes no keys: the gateway is logged in by itself"),
        (VenueSettings(name=VenueName.ALPACA), {},
         "no sandbox keys for venue alpaca: set APCA_API_KEY_ID and APCA_API_SECRET_KEY in the "
         "environment or in {env} (readable by you alone: chmod 600); get them at "
         "https://app.alpaca.markets, the paper account, API keys"),
        (VenueSettings(name=VenueName.ALPACA, sandbox=False), {"APCA_API_KEY_ID": "AKX"},
         "no live keys for venue alpaca: set APCA_API_SECRET_KEY in the environment or in {env} "
         "(readable by you alone: chmod 600); get them at https://app.alpaca.markets, the live "
         "account, API keys"),
        (VenueSettings(name=VenueName.ALPACA), {"APCA_API_SECRET_KEY": "s"},
         "no sandbox keys for venue alpaca: set APCA_API_KEY_ID in the environment or in {env} "
         "(readable by you alone: chmod 600); get them at https://app.alpaca.markets, the paper "
         "account, API keys"),
        (VenueSettings(name=VenueName.CCXT, exchange="binance"), {},
         "no sandbox keys for venue ccxt (binance): set LOGOS_CCXT_BINANCE_SANDBOX_KEY and "
         "LOGOS_CCXT_BINANCE_SANDBOX_SECRET in the environment or in {env} (readable by you "
         "alone: chmod 600); get them at https://testnet.binance.vision"),
        (VenueSettings(name=VenueName.CCXT, exchange="a-b"), {"A_B_API_KEY": "k"},
         "no sandbox keys for venue ccxt (a-b): set LOGOS_CCXT_A_B_SANDBOX_KEY and "
         "LOGOS_CCXT_A_B_SANDBOX_SECRET in the environment or in {env} (readable by you alone: "
         "chmod 600); get them at the API key page of your sandbox (test) account at a-b. "
         "A_B_API_KEY is set, but is for venue.sandbox = false"),
        (VenueSettings(name=VenueName.CCXT, exchange="bybit", sandbox=False), {},
         "no live keys for venue ccxt (bybit): set LOGOS_CCXT_BYBIT_KEY and "
         "LOGOS_CCXT_BYBIT_SECRET in the environment or in {env} (readable by you alone: chmod "
         "600); get them at the API key page of your account at bybit"),
        (VenueSettings(name=VenueName.ALPACA),
         {"APCA_API_KEY_ID": "akx", "APCA_API_SECRET_KEY": "s"},
         'APCA_API_KEY_ID is a live key (it begins with "AK"), and venue.sandbox = true needs a '
         'paper key (one with "PK"): set the right key, or venue.sandbox'),
        (VenueSettings(name=VenueName.ALPACA, sandbox=False),
         {"APCA_API_KEY_ID": "PKX", "APCA_API_SECRET_KEY": "s"},
         'APCA_API_KEY_ID is a paper key (it begins with "PK"), and venue.sandbox = false needs '
         'a live key (one with "AK"): set the right key, or venue.sandbox'),
    ],
)  # fmt: skip
def test_keys_that_are_missing_or_wrong_are_told_in_these_words(
    tmp_path: Path, venue: VenueSettings, variables: dict[str, str], words: str
) -> None:
    with pytest.raises(CredentialsError) as caught:
        credentials(venue, environment(tmp_path, **variables))
    assert str(caught.value) == words.replace("{env}", str(tmp_path / ".env"))


def test_keys_are_found_key_first_with_the_password_that_is_there(tmp_path: Path) -> None:
    stem = "LOGOS_CCXT_KRAKEN"
    names = (f"{stem}_KEY", f"{stem}_SECRET", f"{stem}_PASSWORD")
    venue = VenueSettings(name=VenueName.CCXT, exchange="kraken", sandbox=False)
    found = credentials(
        venue, environment(tmp_path, **dict(zip(names, ("k", "s", "p"), strict=True)))
    )
    assert (found.key.reveal(), found.secret.reveal()) == ("k", "s")
    assert found.password is not None
    assert found.password.reveal() == "p"
    assert (found.names, found.is_sandbox) == (names, False)
    plain = credentials(venue, environment(tmp_path, KRAKEN_API_KEY="k2", KRAKEN_API_SECRET="s2"))
    assert (plain.key.reveal(), plain.secret.reveal(), plain.password) == ("k2", "s2", None)
    there = environment(tmp_path, APCA_API_KEY_ID="x", KRAKEN_API_KEY="k2", OTHER_KEY="y")
    assert variables_set(venue, there) == [
        ("KRAKEN_API_KEY", "the environment"),
        ("APCA_API_KEY_ID", "the environment"),
    ]


# ---- .env ----


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1KEY=x", NOT_A_SETTING),
        ("KEY", NOT_A_SETTING),
        ("KEY = x", NOT_A_SETTING),
        ("export KEY", NOT_A_SETTING),
        *(
            (f"KEY={value}",
             "the value cannot be read; put it in single quotes if it has spaces, quotes "
             "or backslashes, and close what is opened on the same line")
            for value in ("a b", "'a", '"a', '"a\\q"', "a'b", "a\\b", "'a'b", '"a" b', "a#b c")
        ),
    ],
)  # fmt: skip
def test_a_line_of_dotenv_that_cannot_be_read_is_told(line: str, words: str) -> None:
    values, problems = parse_dotenv(f"# words\n\n{line}\nGOOD=1\n", "my.env")
    assert problems == [f"my.env:3: {words}"]
    assert values == {"GOOD": "1"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=", ""), ("KEY=a", "a"), ("export KEY=a", "a"), ("export\t KEY=a", "a"),
        ("KEY=a # words", "a"), ("KEY=a#b", "a#b"), ("KEY='a \"$b\\' # x", 'a "$b\\'),
        ('KEY="a \\"b\\" \\\\ \\n\\r\\t"', 'a "b" \\ \n\r\t'), ('KEY=""', ""), ("KEY=''", ""),
    ],
)  # fmt: skip
def test_a_line_of_dotenv_that_can_be_read(line: str, value: str) -> None:
    assert parse_dotenv(line, "x") == ({"KEY": value}, [])


def test_a_name_that_stands_twice_in_dotenv_is_told_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("\nKEY=1\nKEY=2\nKEY=3\n")
    with pytest.raises(ConfigError) as caught:
        read_dotenv(path)
    assert list(caught.value.problems) == [
        f"{path}:3: its name is set already in line 2; keep one",
        f"{path}:4: its name is set already in line 2; keep one",
    ]
    assert str(caught.value) == "; ".join(caught.value.problems)


def test_a_dotenv_that_is_no_text_or_no_file_is_told(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path / "none") == {}
    (tmp_path / "bytes").write_bytes(b"KEY=\xff")
    with pytest.raises(ConfigError, match=r"bytes: is not UTF-8 text; save it as UTF-8$"):
        read_dotenv(tmp_path / "bytes")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"folder: cannot be read: it is a folder, not a file$"):
        read_dotenv(tmp_path / "folder")


@pytest.mark.parametrize(
    ("mode", "name", "warns"),
    [
        (0o600, "MY_KEY", False), (0o640, "MY_KEY", True), (0o604, "MY_SECRET", True),
        (0o644, "PASSWORD", True), (0o644, "MY_TOKEN", True), (0o644, "api_key_id", True),
        (0o644, "PASSPHRASE", True), (0o644, "MONKEY", False), (0o644, "KEYS", False),
    ],
)  # fmt: skip
def test_secrets_that_others_can_read_are_warned_of(
    tmp_path: Path, mode: int, name: str, warns: bool
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"{name}=x\n")
    path.chmod(mode)
    words = f"{path} holds secrets and others on this machine can read it: chmod 600 {path}"
    assert open_to_others(path, ["OTHER", name]) == (words if warns else "")


# ---- names ----


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"LOGOS_CFG__RISK__MAX_POSITON": "1"},
         "unknown setting LOGOS_CFG__RISK__MAX_POSITON; did you mean "
         "LOGOS_CFG__RISK__MAX_POSITION?"),
        ({"LOGOS_CFG_RISK": "1"},
         "unknown setting LOGOS_CFG_RISK; names begin with LOGOS_CFG__ and a table's name"),
        ({"LOGOS_CFG__ZZZZ__": "1"},
         "unknown setting LOGOS_CFG__ZZZZ__; names begin with LOGOS_CFG__ and a table's name"),
        ({"LOGOS_CFG__SESSION__SEED__X": "1"},
         "unknown setting LOGOS_CFG__SESSION__SEED__X; did you mean LOGOS_CFG__SESSION__SEED?"),
        ({"LOGOS_CFG__RISK__SYMBOLS__acme__MAX_POSITION": "1"},
         "LOGOS_CFG__RISK__SYMBOLS__acme__MAX_POSITION may mean ACME or Acme of risk.symbols; "
         "spell it like one"),
        ({"LOGOS_CFG__SESSION__SEED": "1", "logos_cfg__session__seed": "2"},
         "LOGOS_CFG__SESSION__SEED and logos_cfg__session__seed are the same setting; keep one"),
    ],
)  # fmt: skip
def test_a_variable_that_is_no_setting_is_told(variables: dict[str, str], words: str) -> None:
    below = {"data": {"symbols": ["ACME", "Acme"]}}
    assert read_names(variables, below).problems == [words]


def test_what_no_settings_file_can_hold_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^not a value of a settings file: object$"):
        toml_value(object())
    assert toml_value(FeedName.CCXT) == '"ccxt"'


def test_a_secret_has_no_hash() -> None:
    with pytest.raises(TypeError, match=r"^a secret has no hash: it could be guessed from it$"):
        hash(Secret("word"))
