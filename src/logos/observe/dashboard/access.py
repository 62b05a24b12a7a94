"""Who may read the dashboard: a token, the cookie that stands for it, and the hosts it answers to.

Equity and positions are nobody else's business. Without a token the dashboard listens on this
machine alone. With one, everything but the empty page itself is behind it. A browser cannot send a
header with a link, so the page takes the token from the address's fragment, which no server and no
log ever gets, or from its own field, and exchanges it in one GET, as a header, for a cookie. The
cookie holds a time and a code over it that only the token can make: it says nothing of the token,
outlives a restart of the dashboard, and ends by itself or when the token is changed.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from collections.abc import Callable, Collection
from typing import Final

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.errors import ConfigError
from logos.loopback import is_loopback
from logos.observe.serving import (
    Certificate,
    check_address,
    is_address,
    is_equal,
    named_host,
)

TOKEN: Final = "LOGOS_DASHBOARD_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_CHARACTERS_MIN: Final = 16
COOKIE_S: Final = 12 * 3600
"""How long a cookie is good."""
_PURPOSE: Final = "logos dashboard until"


def read_token(environment: Environment) -> Secret | None:
    """The token, from the environment or `.env`; None when none is set.

    Raises ConfigError for one that is too short to be a secret.
    """
    found = environment.find(TOKEN)
    if found is None:
        return None
    if len(found.value) < TOKEN_CHARACTERS_MIN:
        raise ConfigError(
            f"{TOKEN} (from {found.place}) has {len(found.value)} characters, and whoever guesses "
            f"it sees everything: give it {TOKEN_CHARACTERS_MIN} or more, as `openssl rand -hex 24`"
        )
    return Secret(found.value)


class Access:
    """Whom the dashboard answers."""

    def __init__(
        self,
        token: Secret | None = None,
        names: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`names` are hosts by which it may be called besides; `clock` gives seconds since 1970."""
        self.token = token
        self._names = {name.lower() for name in names}
        self._clock = clock

    @property
    def is_open(self) -> bool:
        """Whether no token is asked for."""
        return self.token is None

    def answers_to(self, host_header: str) -> bool:
        """Whether a request that names this host is meant for us.

        A name that somebody made point to this address is not: a page of theirs would be allowed
        to read what is shown here. A plain address cannot be made to point elsewhere.
        """
        host = named_host(host_header)
        if not host:
            return False
        if is_loopback(host) or host in self._names:
            return True
        return not self.is_open and (is_address(host) or host == socket.gethostname().lower())

    def allows(self, authorization: str, cookies: Collection[str]) -> bool:
        """Whether a request with this header `Authorization` and these cookies' values may pass."""
        if self.token is None:
            return True
        return self.has_token(authorization) or any(map(self._is_good, cookies))

    def has_token(self, authorization: str) -> bool:
        """Whether the header is the token's, as a bearer."""
        scheme, _, given = authorization.partition(" ")
        if self.token is None or scheme.lower() != "bearer":
            return False
        return is_equal(given.strip(), self.token.reveal())

    def new_cookie(self) -> str:
        """The value of a cookie that is good for `COOKIE_S`."""
        until = str(int(self._clock()) + COOKIE_S)
        return f"{until}.{self._code(until)}"

    def _is_good(self, cookie: str) -> bool:
        until, _, code = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 20):
            return False
        return is_equal(code, self._code(until)) and int(until) > self._clock()

    def _code(self, until: str) -> str:
        assert self.token is not None
        key = self.token.reveal().encode(errors="surrogateescape")
        return hmac.new(key, f"{_PURPOSE} {until}".encode(), hashlib.sha256).hexdigest()


def check_listening(
    host: str, access: Access, certificate: Certificate | None, *, is_plain: bool
) -> None:
    """Raise ConfigError unless it is safe to listen on `host`; `is_plain`: without TLS, on a
    network that is trusted, as the operator says."""
    check_address(host, TOKEN, certificate, is_open=access.is_open, is_plain=is_plain)
