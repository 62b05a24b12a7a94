"""Makes the channel of some settings, with its secrets."""

from __future__ import annotations

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.config.tables.alert_rules import (
    PASSWORD,
    SIGNING,
    URL,
    find_secret,
    may_be_plain,
    needed_secret,
    variable,
)
from logos.config.tables.alerts import ChannelSettings, ChannelType
from logos.errors import ConfigError
from logos.observe.alerts.channels.base import Channel
from logos.observe.alerts.channels.command import CommandChannel
from logos.observe.alerts.channels.mail import MailChannel
from logos.observe.alerts.channels.services import AppriseChannel
from logos.observe.alerts.channels.webhook import WebhookChannel


def make_channel(name: str, settings: ChannelSettings, environment: Environment) -> Channel:
    """The channel `name`. Raises ConfigError when a secret or a library is missing."""
    if settings.type is ChannelType.COMMAND:
        return CommandChannel(settings.command, settings.timeout_s)
    if settings.type is ChannelType.MAIL:
        password = needed_secret(name, PASSWORD, environment) if settings.user else None
        return MailChannel(settings, password)
    if settings.type is ChannelType.APPRISE:
        return AppriseChannel(needed_secret(name, URL, environment))
    secret_url = find_secret(name, URL, environment)
    if secret_url is None:
        url = Secret(settings.url) if settings.url else needed_secret(name, URL, environment)
    else:
        url = secret_url
    text = url.reveal()
    if not text.startswith(("https://", "http://")) or not may_be_plain(text):
        raise ConfigError(
            f"alerts.channels.{name}: {variable(name, URL)} is not an address, or is one to which "
            "alerts would travel unencrypted: use https"
        )
    return WebhookChannel(url, find_secret(name, SIGNING, environment), settings.timeout_s)


def missing_secrets(
    channels: dict[str, ChannelSettings], environment: Environment
) -> list[tuple[str, str]]:
    """The channels that cannot be made, and why."""
    found = []
    for name, settings in channels.items():
        try:
            make_channel(name, settings, environment)
        except ConfigError as error:
            found.append((name, str(error)))
    return found
