"""What is taken for a key is a mask in all that settings are shown, hashed and written as."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wrong_sessions import CONFIG, STRATEGY, Workspace, workspace_with_a_session

from logos.cli.main import main
from logos.config import ConfigError, make_config
from logos.config.making import config_hash, masked_config
from logos.config.masking import config_secrets, unmasked_config
from logos.secrecy import is_secret, is_secret_name, looks_like_key, masked, without_keys
from logos.session import ExitCode
from logos.session.artifacts.claim import claim_folder
from logos.session.restoring import settings_at

KEYS = (
    "sk_live_51HxYzAbCdEfGhIjKlMn",
    "AKIAIOSFODNN7EXAMPLE",
    "PK3X9Z7Q2W5V8B1N4M6L",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1g",
    "0123456789abcdef0123456789abcdef",
    "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1234",
    "dGhpcyBpcyBhIHNlY3JldA==",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
)
PLAIN = (
    "", "sma_cross", "BTC/USD", "data/cache/BTCUSD_1m_2024_01_02_fixture.csv",
    "package.module_with_a_long_name_2024:StrategyClass", "2024-01-02T10:00:00Z", "close", "1m",
    "a_threshold_that_is_described_in_words", "https://127.0.0.1:8080/v2/stream", "12345678",
    "mean reversion of the second kind, see the notebook of 2024",
)  # fmt: skip


@pytest.mark.parametrize("text", KEYS)
def test_a_text_that_looks_like_a_key_is_one_whatever_it_is_called(text: str) -> None:
    assert looks_like_key(text)
    assert masked("note", {"a": ["x", text]}) == {"a": ["x", "***"]}


@pytest.mark.parametrize("text", PLAIN)
def test_what_people_write_into_settings_is_none(text: str) -> None:
    assert not looks_like_key(text)
    assert masked("note", text) == text


@pytest.mark.parametrize(
    "name",
    ["secret", "api_key", "apiKey", "API-KEY", "db_password", "passphrase", "privateKey",
     "accessToken", "client_secret", "exchange.credentials", "APIKey", "signing_key"],
)  # fmt: skip
def test_a_name_makes_a_secret_of_any_text(name: str) -> None:
    assert is_secret_name(name)
    assert masked(name, "x1") == "***"


@pytest.mark.parametrize(
    ("name", "value"),
    [("token", "BTC"), ("sort_key", "close"), ("max_tokens", 5), ("secret", ""), ("api_key", None),
     ("keyboard", "querty-layout"), ("secretary", "somebody else"), ("api_key", True),
     ("monkey", "a long enough text"), ("tokenised", "a long enough text")],
)  # fmt: skip
def test_what_only_sounds_like_one_is_none(name: str, value: object) -> None:
    assert not is_secret(name, value)
    assert masked(name, value) is value


@pytest.mark.parametrize("name", ["token", "sort_key", "bearer"])
def test_a_name_that_may_be_harmless_makes_a_secret_of_a_long_text(name: str) -> None:
    assert masked(name, "hunter2-and-more") == "***"


def test_errors_keep_paths_and_words_and_lose_keys() -> None:
    text = f"/home/Ann1234/Projects2024/Settings1234abcd.toml: exchange: '{KEYS[5]}' is no id"
    assert without_keys(text) == text.replace(KEYS[5], "***")


def config(**params: Any) -> Any:
    return make_config({"strategy": {"name": "desk:Own", "params": params}})


def test_the_hash_depends_on_no_secret_and_without_one_is_what_it_was() -> None:
    assert config_hash(config(api_key="one-key")) == config_hash(config(api_key="two-key"))
    assert config_hash(config(api_key="one-key")) != config_hash(config(fast=1))
    plain = config(fast=1, names=["a"])
    assert masked_config(plain) is plain
    assert config_secrets(plain) == ()


def test_no_representation_of_settings_shows_a_secret() -> None:
    full = config(api_key="hunter2", fast=1)
    assert repr(full.strategy) == (
        "StrategySettings(name='desk:Own', params={'api_key': '***', 'fast': 1}, signals='')"
    )
    for shown in (repr(full), str(full), f"{full!r:.9999}", repr({"plan": [full]})):
        assert "hunter2" not in shown
    assert full.strategy.params["api_key"] == "hunter2", "the strategy has it"


def test_a_masked_parameter_is_had_again_from_its_variable(tmp_path: Path) -> None:
    full = config(api_key="hunter2", deep={"auth": {"password": "p"}}, list=[KEYS[0], 1], fast=2)
    assert set(config_secrets(full)) == {"hunter2", "p", KEYS[0]}
    written = masked_config(full)
    assert written.strategy.params == {
        "api_key": "***", "deep": {"auth": {"password": "***"}}, "list": ["***", 1], "fast": 2,
    }  # fmt: skip
    stem = "LOGOS_CFG__STRATEGY__PARAMS__"
    variables = {
        "LOGOS_HOME": str(tmp_path), f"{stem}API_KEY": "hunter2",
        f"{stem}LIST": f'["{KEYS[0]}", 1]', f"{stem}FAST": "99",
    }  # fmt: skip
    with pytest.raises(ConfigError, match=f"set {stem}DEEP in the environment"):
        unmasked_config(written, variables)
    (tmp_path / ".env").write_text(f"{stem}DEEP='{{ auth = {{ password = \"p\" }} }}'\n")
    assert unmasked_config(written, variables) == full
    assert unmasked_config(config(fast=2), {}) == config(fast=2)


@pytest.mark.parametrize("url", [f"https://host.example/v2/{KEYS[0]}", f"wss://a.b/{KEYS[5]}/x"])
def test_an_address_with_a_key_in_it_is_refused_without_the_key(url: str) -> None:
    with pytest.raises(ConfigError, match=r"live\.url holds what looks like a key") as refused:
        make_config({"live": {"url": url}})
    assert KEYS[0] not in str(refused.value)
    assert KEYS[5] not in str(refused.value)


# ---- G20, for what logos itself is given, shows and writes ----

OWN = '''
import logging, sys
from logos import Side, Strategy, market
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)

class Own(Strategy):
    """Holds its keys, and fails with all of them when it is told to."""
    def __init__(self, fails: bool = False, **keys):
        self.fails, self.keys = fails, keys
        if fails == "made":
            raise ValueError(f"cannot log in with {keys}")

    def on_bar(self, context, bar):
        logging.getLogger("desk").debug("a decision")
        if self.fails:
            raise RuntimeError("cannot log in with " + " ".join(self.keys.values()))
        return market(Side.BUY, 1)
'''


def canaries() -> dict[str, str]:
    """Twenty credentials: under names of keys, and under harmless names where they look like it."""
    letters = "QwErTyUiOpAsDfGhJkLzXcVbNm0123456789"
    made = {}
    for number in range(20):
        text = "".join(letters[(number * 7 + 11 * at) % 36] for at in range(40))
        name = f"api_key_{number}" if number % 2 else f"note_{number}"
        made[f"secret_{number}" if number % 3 == 0 else name] = text
    return made


def forms(secret: str) -> list[str]:
    import base64
    from urllib.parse import quote

    raw = secret.encode()
    encoded = [base64.b64encode(b"\0" * n + raw).decode()[(0, 2, 3)[n] :] for n in range(3)]
    return [secret, raw.hex(), raw.hex().upper(), quote(secret), *(e.rstrip("=") for e in encoded)]


def hits(texts: dict[str, str], secrets: dict[str, str]) -> list[str]:
    pieces = {
        form[at : at + 6]: name
        for name, secret in secrets.items()
        for form in forms(secret)
        for at in range(len(form) - 5)
    }
    return [
        f"{where}: {text[at : at + 6]} of {pieces[text[at : at + 6]]}"
        for where, text in texts.items()
        for at in range(len(text) - 5)
        if text[at : at + 6] in pieces
    ]


def written(folder: Path) -> dict[str, str]:
    """Everything below a folder but what the test itself put there."""
    given = {".env", "own.toml"}
    return {
        str(path.relative_to(folder)): path.read_bytes().decode("utf-8", "replace")
        for path in folder.rglob("*")
        if path.is_file() and path.name not in given
    }


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    made = workspace_with_a_session(tmp_path)
    made.write("canary_strategies.py", OWN)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield made
    sys.modules.pop("canary_strategies", None)


@pytest.mark.campaign
def test_g20_twenty_canaries_appear_nowhere(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = canaries()
    assert len(set(secrets.values())) == 20
    params = "\n".join(f'{name} = "{text}"' for name, text in secrets.items())
    for fails in ("", "fails = true"):
        text = CONFIG.replace(STRATEGY, 'name = "canary_strategies:Own"')
        workspace.write("own.toml", f"{text}\n[strategy.params]\n{fails}\n{params}\n")
        name = "failing" if fails else "whole"
        said = workspace.spawn(
            *("--config", "own.toml", "--session-id", name, "--json"),
            environment={"PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1"},
        )
        assert said.returncode == (ExitCode.STRATEGY_FAILED if fails else 0), said.stderr
        found = {"out": said.stdout, "err": said.stderr, **written(workspace.home)}
        assert any(path.endswith("config.json") for path in found)
        assert hits(found, secrets) == []
    monkeypatch.chdir(workspace.folder)
    monkeypatch.setenv("LOGOS_HOME", str(workspace.home))
    capfd.readouterr()
    for arguments in (
        ["config", "show", "--config", "own.toml"],
        ["config", "show", "--config", "own.toml", "--json"],
        ["config", "check", "--config", "own.toml"],
        ["config", "check", "--config", "own.toml", "--json"],
        ["inspect", "whole"],
        ["verify", "whole"],
        ["sessions", "show", "whole"],
        ["compare", "whole", "failing"],
        ["report", "whole", "--out", "page.html"],
        ["status"],
        ["trade", "--config", "own.toml", "--param", next(iter(secrets.values()))],
        ["trade", "--config", "own.toml", "--param", "fails=" + next(iter(secrets.values()))],
        ["resume", "failing"],
        ["replay", "whole"],
    ):
        main(arguments)
        shown = capfd.readouterr()
        assert shown.out or shown.err
        assert hits({" ".join(arguments[:2]): shown.out + shown.err}, secrets) == []
    assert hits({"page": (workspace.folder / "page.html").read_text("utf-8")}, secrets) == []
    assert hits({"a": f"x {next(iter(secrets.values()))[3:9]} y"}, secrets), "a leak is found"


@pytest.mark.long
def test_a_session_with_a_masked_parameter_asks_for_its_variable(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text = CONFIG.replace(STRATEGY, 'name = "canary_strategies:Own"\nparams.api_key = "hunter2"')
    workspace.write("own.toml", text)
    done = workspace.spawn("--config", "own.toml", "--session-id", "keyed", "--quiet")
    assert done.returncode == 0, done.stderr
    folder = workspace.sessions / "keyed"
    params = json.loads((folder / "config.json").read_text())["strategy"]["params"]
    assert params == {"api_key": "***"}
    monkeypatch.chdir(workspace.folder)
    monkeypatch.setenv("LOGOS_HOME", str(workspace.home))
    assert main(["replay", "keyed"]) == ExitCode.BAD_CONFIGURATION
    assert "set LOGOS_CFG__STRATEGY__PARAMS__API_KEY in the environment" in capfd.readouterr().err
    monkeypatch.setenv("LOGOS_CFG__STRATEGY__PARAMS__API_KEY", "hunter2")
    assert main(["replay", "keyed"]) == 0
    assert "replayed to the same bytes" in capfd.readouterr().out


def test_a_session_killed_before_its_first_record_has_no_secret_on_the_disk_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_folder(config(api_key="hunter2"), tmp_path)
    [path] = tmp_path.rglob("config.json")
    assert "hunter2" not in path.read_text()
    with pytest.raises(ConfigError, match="set LOGOS_CFG__STRATEGY__PARAMS__API_KEY in the env"):
        settings_at(path.parent)
    monkeypatch.setenv("LOGOS_CFG__STRATEGY__PARAMS__API_KEY", "hunter2")
    assert settings_at(path.parent).strategy.params == {"api_key": "hunter2"}
