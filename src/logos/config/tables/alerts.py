"""`[alerts]`: who is told of what, and by which channel.

Nothing here is secret: addresses with tokens, passwords and signing keys are variables (see
`config.alerts`). A session without this table has none, and its settings are what they were.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from logos.config.tables.base import Settings


class ChannelType(enum.Enum):
    """How a channel delivers."""

    COMMAND = "command"
    WEBHOOK = "webhook"
    MAIL = "mail"
    APPRISE = "apprise"


class MailSecurity(enum.Enum):
    """How the connection to a mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class AlertKind(enum.Enum):
    """What an alert is about."""

    SWITCH = "switch"
    HALT = "halt"
    CRASH = "crash"
    STRATEGY = "strategy"
    FAILED = "failed"
    FEED = "feed"
    DIFFERENCE = "difference"
    REFUSALS = "refusals"
    LAG = "lag"
    DISK = "disk"


class ChannelSettings(Settings, frozen=True, kw_only=True):
    """`[alerts.channels.NAME]`: one way to tell people; NAME in lower case letters, digits, '_'."""

    type: ChannelType
    """command, webhook, mail or apprise."""
    kinds: list[AlertKind] = []
    """Only alerts of these kinds: switch, halt, crash, strategy, failed, feed, difference,
    refusals, lag, disk; empty: all."""
    timeout_s: int = 10
    """Seconds that one delivery may take; above 0."""
    command: list[str] = []
    """The program and its arguments, no shell; it reads one JSON object; "command" only."""
    url: str = ""
    """Where to POST; "webhook" only. One with a token in it is the variable
    LOGOS_ALERTS_NAME_URL instead."""
    host: str = ""
    """The mail server; "mail" only."""
    port: int = 0
    """Of the mail server; 0: 587, with security "tls" 465, with "none" 25."""
    security: MailSecurity = MailSecurity.STARTTLS
    """starttls, tls or none; none only to this machine."""
    user: str = ""
    """Who logs in at the mail server; the password is the variable LOGOS_ALERTS_NAME_PASSWORD.
    Empty: nobody."""
    sender: str = msgspec.field(default="", name="from")
    """The address that mails come from; "mail" only."""
    to: list[str] = []
    """The addresses that mails go to; "mail" only."""


class AlertSettings(Settings, frozen=True, kw_only=True):
    """`[alerts]`: what is told, and how often; see docs/ALERTS.md."""

    rate: int = 10
    """How many alerts one channel may get in any `rate_window_s`; what is more comes as one
    summary. Urgent ones (switch, halt, crash, strategy, failed) may be twice as many."""
    rate_window_s: int = 60
    """Seconds, sliding; above 0."""
    quiet_s: int = 300
    """After an alert, more of the same session, kind and cause wait so many seconds, and come as
    one summary; 0: none wait."""
    lag_s: Decimal = Decimal(5)
    """How old the heartbeat of a running session may be, in seconds, at least three of its
    live.heartbeat_ms; above 0."""
    feed_s: Decimal = Decimal(30)
    """How long a feed may be RETRYING, in MAINTENANCE or in a GAP, in seconds; above 0."""
    min_free_bytes: int = 1_000_000_000
    """An alert when the file system of the workspace has less free; 0: none."""
    channels: dict[str, ChannelSettings] = {}
    """By name."""
