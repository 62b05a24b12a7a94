"""A broker's side of a login: PLAIN (RFC 4616) and SCRAM (RFC 5802, RFC 7677), a message at a time.

The server's side of SCRAM is the library `scramp`; what it answers to the RFCs' own examples is in
`test_kafka_logins.py`. That a failed exchange says nothing but the phase and the mechanism is after
`SaslServerAuthenticator.handleSaslToken` of Apache Kafka.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from scramp import ScramException, ScramMechanism


class Denied(Exception):
    """Who logs in is refused; the words are those of Apache Kafka, for this mechanism."""

    def __init__(self, mechanism: str) -> None:
        super().__init__(
            "Authentication failed during authentication due to invalid credentials with SASL "
            f"mechanism {mechanism}"
        )


@dataclass(frozen=True)
class Login:
    """Who may log in, and how; `is_honest`: the broker can prove that it knows the password."""

    user: str
    password: str
    mechanism: str = "PLAIN"
    is_honest: bool = True


class Exchange:
    """One login. `salt` and `nonce` are for examples with known ones."""

    def __init__(self, login: Login, salt: bytes | None = None, nonce: str | None = None) -> None:
        self.is_over = False
        """Whether the client is in."""
        self._login = login
        self._server: Any = None
        self._salt, self._nonce = salt, nonce

    def answer(self, said: bytes) -> bytes:
        """What the broker says to that. Raises Denied."""
        login = self._login
        if login.mechanism == "PLAIN":
            if said != f"\0{login.user}\0{login.password}".encode():
                raise Denied(login.mechanism)
            self.is_over = True
            return b""
        try:
            return self._scram(said.decode()).encode()
        except ScramException as error:
            raise Denied(login.mechanism) from error

    def _scram(self, said: str) -> str:
        if self._server is None:
            mechanism = ScramMechanism(self._login.mechanism)
            known = mechanism.make_auth_info(self._login.password, 4_096, self._salt)

            def known_of(user: str) -> Any:
                if user != self._login.user:
                    raise ScramException("unknown user", "unknown-user")
                return known

            self._server = mechanism.make_server(known_of, s_nonce=self._nonce)
            self._server.set_client_first(said)
            return str(self._server.get_server_first())
        self._server.set_client_final(said)
        self.is_over = True
        final = str(self._server.get_server_final())
        return final if self._login.is_honest else forged(final)


def forged(final: str) -> str:
    """The last message of a server, with a signature of nobody."""
    signature = base64.b64decode(final.removeprefix("v="))
    return "v=" + base64.b64encode(bytes(len(signature))).decode()
