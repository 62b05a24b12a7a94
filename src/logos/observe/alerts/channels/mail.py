"""Mail by SMTP: STARTTLS, TLS, or unencrypted to a server on this machine."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from logos.config.secret import Secret
from logos.config.tables.alerts import ChannelSettings, MailSecurity
from logos.observe.alerts.alert import Message
from logos.observe.alerts.channels.base import DeliveryError
from logos.shown import plain

_PORTS: Final = {MailSecurity.STARTTLS: 587, MailSecurity.TLS: 465, MailSecurity.NONE: 25}


class MailChannel:
    """Sends one mail for each message."""

    def __init__(self, settings: ChannelSettings, password: Secret | None) -> None:
        self._settings = settings
        self._password = password

    def deliver(self, message: Message) -> None:
        """Hand the mail to the server. Raises DeliveryError unless every address was taken."""
        settings = self._settings
        try:
            with self._connect() as server:
                server.ehlo()
                if settings.security is MailSecurity.STARTTLS:
                    server.starttls(context=ssl.create_default_context())
                    server.ehlo()
                if self._password is not None:
                    server.login(settings.user, self._password.reveal())
                refused = server.send_message(self._mail(message))
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryError(
                f"{settings.host} refused the login of {settings.user} (code {error.smtp_code})"
            ) from None
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(f"{settings.host} answered SMTP code {error.smtp_code}") from None
        except (OSError, ValueError) as error:  # smtplib's errors are OSErrors
            words = getattr(error, "strerror", None) or type(error).__name__
            raise DeliveryError(f"{settings.host} did not take it: {words}") from None
        if refused:
            raise DeliveryError(f"{settings.host} refused {', '.join(sorted(refused))}")

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        port = settings.port or _PORTS[settings.security]
        if settings.security is MailSecurity.TLS:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(
                settings.host, port, timeout=settings.timeout_s, context=context
            )
        return smtplib.SMTP(settings.host, port, timeout=settings.timeout_s)

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._settings.sender
        mail["To"] = ", ".join(self._settings.to)
        mail["Subject"] = plain(message.title)
        mail["Date"] = formatdate(usegmt=True)
        # The same for the same alert: a mail program shows a repeated one once.
        digest = hashlib.sha256(message.id.encode()).hexdigest()[:32]
        mail["Message-ID"] = f"<{digest}@{self._settings.sender.partition('@')[2]}>"
        mail["X-Logos-Alert-Id"] = plain(message.id)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body)
        return mail
