"""`[alerts]`: what is refused, with its words; a session without it is what it was."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from logos.config import Config, ConfigError, config_hash, load_config, make_config
from logos.config.environment import Environment
from logos.config.tables.alert_rules import find_secret, may_be_plain, needed_secret
from logos.config.tables.alerts import AlertKind

COMMAND = 'type = "command"\ncommand = ["tell"]\n'
WEBHOOK = 'type = "webhook"\n'
MAIL = 'type = "mail"\nhost = "mail.example.com"\nfrom = "a@example.com"\nto = ["b@example.com"]\n'


def config_of(channel: str, above: str = "", name: str = "desk") -> Config:
    text = f"[alerts]\n{above}[alerts.channels.{name}]\n{channel}"
    return make_config(tomllib.loads(text, parse_float=Decimal))


@pytest.mark.parametrize(
    "channel", [COMMAND, WEBHOOK, MAIL, 'type = "apprise"\n', MAIL + 'security = "tls"\nport = 1\n']
)
def test_a_channel_of_each_type_is_taken(channel: str) -> None:
    alerts = config_of(channel + 'kinds = ["halt", "crash"]\n').alerts
    assert alerts is not msgspec.UNSET
    assert alerts.channels["desk"].kinds == [AlertKind.HALT, AlertKind.CRASH]


@pytest.mark.parametrize(
    ("channel", "above", "words"),
    [
        (COMMAND, "rate = 0\n", "alerts.rate must be above 0, not 0"),
        (COMMAND, "rate_window_s = 0\n", "alerts.rate_window_s must be above 0"),
        (COMMAND, "lag_s = 0\n", "alerts.lag_s must be above 0"),
        (COMMAND, "feed_s = -1\n", "alerts.feed_s must be above 0"),
        (COMMAND, "quiet_s = -1\n", "alerts.quiet_s must be 0 (none) or more"),
        (COMMAND, "min_free_bytes = -1\n", "alerts.min_free_bytes must be 0 (none) or more"),
        (COMMAND + "timeout_s = 0\n", "", ".timeout_s must be above 0, not 0"),
        ('type = "command"\n', "", ".command is empty"),
        ('type = "command"\ncommand = [""]\n', "", ".command is empty"),
        (COMMAND + 'url = "https://a.example"\n', "", '.url is for type = "webhook" only'),
        (WEBHOOK + 'from = "a@example.com"\n', "", '.from is for type = "mail" only; take it out'),
        (WEBHOOK + 'url = "ftp://a.example"\n', "", ".url: not an address"),
        (WEBHOOK + 'url = "https://[a"\n', "", ".url: not an address"),
        (WEBHOOK + 'url = "http://a.example/hook"\n', "", "would travel unencrypted; use https"),
        (WEBHOOK + 'url = "https://ann:pass@a.example"\n', "", "neither a user and password"),
        (WEBHOOK + 'url = "https://a.example/?t=1"\n', "", "LOGOS_ALERTS_NAME_URL"),
        (
            WEBHOOK + 'url = "https://a.example/T0/B0/Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zA7"\n',
            "",
            "holds what looks like a key",
        ),
        (MAIL + 'security = "none"\n', "", "for a mail server on this machine only"),
        (MAIL + "port = 70000\n", "", ".port is 0 to 65535, not 70000"),
        (MAIL.replace("b@example.com", "bob"), "", ".to: not an address: 'bob'"),
        (MAIL.replace("a@example.com", "a@b\\r\\nBcc: c@d"), "", ".from: not an address"),
        (MAIL.replace('["b@example.com"]', "[]"), "", ".to is empty"),
        (MAIL.replace("mail.example.com", ""), "", ".host is empty"),
        ('type = "pager"\n', "", "use one of command, webhook, mail, apprise"),
        (COMMAND + 'kinds = ["halts"]\n', "", "Invalid enum value 'halts'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    channel: str, above: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(channel, above)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["Desk", "7th", "a-b", "x" * 33])
def test_a_name_that_is_no_part_of_a_variable_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="a channel's name is"):
        config_of(COMMAND, name=name)


def test_no_message_repeats_an_address_that_may_be_secret() -> None:
    secret = "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zA7"
    for url in (
        f"https://a.example/{secret}",
        f"https://ann:{secret}@a.example",
        f"http://{secret}",
    ):
        with pytest.raises(ConfigError) as caught:
            config_of(WEBHOOK + f'url = "{url}"\n')
        assert secret not in str(caught.value)


def test_a_session_without_alerts_has_the_settings_and_the_hash_that_it_had() -> None:
    assert b"alerts" not in msgspec.json.encode(Config())
    assert config_hash(config_of(COMMAND)) != config_hash(Config())


def test_a_variable_may_set_a_channel(tmp_path: Path) -> None:
    variables = {
        "LOGOS_HOME": str(tmp_path),
        "LOGOS_CFG__ALERTS__CHANNELS__DESK__TYPE": "command",
        "LOGOS_CFG__ALERTS__CHANNELS__DESK__COMMAND": '["tell"]',
    }
    alerts = load_config(None, {}, variables).alerts
    assert alerts is not msgspec.UNSET
    assert alerts.channels["desk"].command == ["tell"]


def test_secrets_come_from_the_environment_or_the_env_file_and_are_not_shown(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_text("LOGOS_ALERTS_DESK_PASSWORD=from-the-file\n")
    (tmp_path / ".env").chmod(0o600)
    variables = {"LOGOS_HOME": str(tmp_path), "LOGOS_ALERTS_DESK_URL": "https://x.example/token"}
    environment = Environment.read(variables)
    assert needed_secret("desk", "PASSWORD", environment).reveal() == "from-the-file"
    url = needed_secret("desk", "URL", environment)
    assert url.reveal() == "https://x.example/token"
    assert "token" not in f"{url} {url!r}"
    assert find_secret("desk", "SECRET", environment) is None
    with pytest.raises(ConfigError, match=r"set LOGOS_ALERTS_DESK_SECRET in the environment"):
        needed_secret("desk", "SECRET", environment)


@pytest.mark.parametrize(
    ("url", "is_plain"),
    [
        ("https://a.example", True),
        ("http://127.0.0.1:80", True),
        ("http://[::1]:80", True),
        ("http://localhost", True),
        ("http://127.0.0.1.example", False),
        ("http://a.example", False),
    ],
)
def test_only_this_machine_is_told_unencrypted(url: str, is_plain: bool) -> None:
    assert may_be_plain(url) is is_plain
