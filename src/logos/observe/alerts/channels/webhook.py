"""HTTP POST of the message as JSON, signed where a signing key is set.

The signature is HMAC-SHA256 over the time header, a point and the body; so a receiver can refuse
what it did not get from us, and what is old. Redirects are not followed: the body would go to
somewhere that nobody named.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
import time
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from logos import __version__
from logos.config.secret import Secret
from logos.observe.alerts.alert import Message
from logos.observe.alerts.channels.base import DeliveryError

ID_HEADER: Final = "X-Logos-Alert-Id"
TIME_HEADER: Final = "X-Logos-Timestamp"
SIGNATURE_HEADER: Final = "X-Logos-Signature"
_ANSWER_MAX: Final = 1 << 16


class WebhookChannel:
    """Posts to one address; the address may be secret as a whole."""

    def __init__(self, url: Secret, signing_key: Secret | None, timeout_s: float) -> None:
        self._url = url
        self._signing_key = signing_key
        self._timeout_s = timeout_s

    def deliver(self, message: Message) -> None:
        """Post it. Raises DeliveryError unless the answer is 2xx."""
        parts = urlsplit(self._url.reveal())
        body = msgspec.json.encode(message)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"logos/{__version__}",
            ID_HEADER: message.id,
        }
        if self._signing_key is not None:
            sent = str(int(time.time()))
            headers[TIME_HEADER] = sent
            headers[SIGNATURE_HEADER] = signature(self._signing_key, sent, body)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = _connection(parts, self._timeout_s)
            try:
                connection.request("POST", target, body, headers)
                answer = connection.getresponse()
                answer.read(_ANSWER_MAX)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The words of some of these errors repeat the address.
            words = getattr(error, "strerror", None) or type(error).__name__
            raise DeliveryError(f"{parts.hostname} did not take it: {words}") from None
        if not 200 <= answer.status < 300:
            raise DeliveryError(f"{parts.hostname} answered HTTP {answer.status}")


def signature(signing_key: Secret, sent: str, body: bytes) -> str:
    """The value of the signature header, for the time header `sent` (Unix seconds)."""
    text = sent.encode() + b"." + body
    digest = hmac.new(signing_key.reveal().encode(), text, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
