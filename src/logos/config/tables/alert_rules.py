"""What makes no sense in `[alerts]`, and where the secrets of its channels stand.

A channel's secrets are variables of the environment or `.env`, called by its name: of the channel
`desk`, `LOGOS_ALERTS_DESK_URL` (an address that holds a token), `LOGOS_ALERTS_DESK_SECRET` (what
signs a webhook's body) and `LOGOS_ALERTS_DESK_PASSWORD` (of a mail server).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.config.tables.alerts import AlertSettings, ChannelSettings, ChannelType, MailSecurity
from logos.errors import ConfigError
from logos.loopback import is_loopback
from logos.secrecy import looks_like_key

URL: Final = "URL"
SIGNING: Final = "SECRET"
PASSWORD: Final = "PASSWORD"  # noqa: S105 - a part of a variable's name

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ADDRESS: Final = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_PORT_MAX: Final = 65_535
_OF_TYPE: Final = {
    ChannelType.COMMAND: ("command",),
    ChannelType.WEBHOOK: ("url",),
    ChannelType.MAIL: ("host", "port", "user", "sender", "to"),
    ChannelType.APPRISE: (),
}
_WRITTEN: Final = {"sender": "from"}


def variable(channel: str, what: str) -> str:
    """The name of the variable that holds a secret of `channel`; `what` is one of the above."""
    return f"LOGOS_ALERTS_{channel.upper()}_{what}"


def find_secret(channel: str, what: str, environment: Environment) -> Secret | None:
    """A secret of `channel`; None when it is set nowhere."""
    found = environment.find(variable(channel, what))
    return None if found is None else Secret(found.value)


def needed_secret(channel: str, what: str, environment: Environment) -> Secret:
    """As `find_secret`. Raises ConfigError naming the variable when it is not set."""
    secret = find_secret(channel, what, environment)
    if secret is None:
        raise ConfigError(
            f"alerts.channels.{channel}: set {variable(channel, what)} in the environment or in "
            f"{environment.path} (readable by you alone: chmod 600)"
        )
    return secret


def may_be_plain(url: str) -> bool:
    """Whether an address is encrypted, or of this machine; what is no address is neither."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme == "https" or is_loopback(host)


def alert_problems(alerts: AlertSettings) -> list[str]:
    """Everything that makes no sense, a text each."""
    problems = [
        f"alerts.{key} must be above 0, not {getattr(alerts, key)}"
        for key in ("rate", "rate_window_s", "lag_s", "feed_s")
        if getattr(alerts, key) <= 0
    ]
    problems += [
        f"alerts.{key} must be 0 (none) or more, not {getattr(alerts, key)}"
        for key in ("quiet_s", "min_free_bytes")
        if getattr(alerts, key) < 0
    ]
    if not alerts.channels:
        problems.append("alerts.channels is empty: nobody would be told; add one, or leave it out")
    for name, channel in alerts.channels.items():
        where = f"alerts.channels.{name}"
        if not _NAME.fullmatch(name):
            problems.append(
                f"{where}: a channel's name is 1 to 32 lower case letters, digits and '_', "
                "beginning with a letter"
            )
        problems += [f"{where}{words}" for words in _channel_problems(channel)]
    return problems


def _channel_problems(channel: ChannelSettings) -> list[str]:
    problems = []
    kind = channel.type
    if channel.timeout_s <= 0:
        problems.append(f".timeout_s must be above 0, not {channel.timeout_s}")
    for other, keys in _OF_TYPE.items():
        for key in keys:
            if other is not kind and getattr(channel, key):
                name = _WRITTEN.get(key, key)
                problems.append(f'.{name} is for type = "{other.value}" only; take it out')
    if kind is ChannelType.COMMAND and not (channel.command and channel.command[0]):
        problems.append(".command is empty: name the program, and its arguments one by one")
    if kind is ChannelType.WEBHOOK and channel.url:
        problems += _url_problems(channel.url)
    if kind is ChannelType.MAIL:
        problems += _mail_problems(channel)
    return problems


def _url_problems(url: str) -> list[str]:
    """What is wrong with an address. It is not repeated: it may hold a token."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return [".url: not an address; write it like https://127.0.0.1:8080/hook"]
    if parts.scheme not in ("http", "https") or not host:
        return [".url: not an address; write it like https://127.0.0.1:8080/hook"]
    if parts.username is not None or parts.query or parts.fragment:
        return [
            ".url may hold neither a user and password nor a query: settings are written to the "
            "session's folder; put such an address into the variable LOGOS_ALERTS_NAME_URL"
        ]
    if any(looks_like_key(part) for part in parts.path.split("/")):
        return [
            ".url holds what looks like a key: settings are written to the session's folder; put "
            "such an address into the variable LOGOS_ALERTS_NAME_URL"
        ]
    if not may_be_plain(url):
        return [".url: alerts would travel unencrypted; use https"]
    return []


def _mail_problems(channel: ChannelSettings) -> list[str]:
    problems = []
    if not channel.host:
        problems.append(".host is empty: name the mail server")
    if not 0 <= channel.port <= _PORT_MAX:
        problems.append(f".port is 0 to {_PORT_MAX}, not {channel.port}")
    if not channel.to:
        problems.append(".to is empty: name at least one address")
    problems += [
        f".to: not an address: {each!r}; write it like ann@example.com"
        for each in channel.to
        if not _ADDRESS.fullmatch(each)
    ]
    if not _ADDRESS.fullmatch(channel.sender):
        problems.append(f".from: not an address: {channel.sender!r}; write it like ann@example.com")
    if channel.security is MailSecurity.NONE and not is_loopback(channel.host):
        problems.append(
            '.security = "none" is for a mail server on this machine only; use "starttls" or "tls"'
        )
    return problems
