"""Telegram, Slack and the rest, through the library `apprise` (the extra `alerts`).

Its addresses hold tokens, so they are a variable as a whole, several with spaces between. What the
library logs repeats them: it is not shown.
"""

from __future__ import annotations

import logging
from typing import Any

from logos.config.secret import Secret
from logos.errors import ConfigError
from logos.installation import install_command
from logos.observe.alerts.alert import Message
from logos.observe.alerts.channels.base import DeliveryError


class AppriseChannel:
    """Tells every service of a list of apprise addresses."""

    def __init__(self, urls: Secret) -> None:
        """Raises ConfigError without the library, or for an address that it does not know."""
        try:
            import apprise
        except ImportError:
            raise ConfigError(
                f'type = "apprise" needs the library apprise: {install_command("alerts")}'
            ) from None
        logging.getLogger("apprise").disabled = True
        self._types = apprise.NotifyType
        self._services: Any = apprise.Apprise()
        for number, url in enumerate(urls.reveal().split(), start=1):
            if not self._services.add(url):
                raise ConfigError(f"apprise does not know address {number} of the variable")

    def deliver(self, message: Message) -> None:
        """Tell all. Raises DeliveryError unless each of them took it."""
        kinds = {"critical": self._types.FAILURE, "warning": self._types.WARNING}
        kind = kinds.get(message.severity, self._types.INFO)
        try:
            is_told = self._services.notify(
                body=message.body, title=message.title, notify_type=kind
            )
        except Exception as error:  # a plugin's defect is this channel's failure, no more
            raise DeliveryError(f"apprise failed with {type(error).__name__}") from None
        if not is_told:
            raise DeliveryError(f"not every one of {len(self._services)} services took it")
