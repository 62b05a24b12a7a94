"""Where the terminal is, how patient the gateway is, and the keys of an encrypted connection.

The protocol knows no authentication; see `logos.loopback` for who may be talked to without keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from logos.loopback import EndpointError, load_keys

CURVE_KEY_LENGTH: Final = 40


class GatewayConfigError(EndpointError):
    """The gateway cannot be used as it is configured; the message says what to change."""


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """The terminal's four ports on one host."""

    host: str = "127.0.0.1"
    system: int = 15555
    data: int = 15556
    live: int = 15557
    streaming: int = 15558

    def address(self, port: int) -> str:
        """The ZeroMQ address of one port."""
        host = "127.0.0.1" if self.host == "localhost" else self.host
        return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how much. These are the defaults; docs/MT5.md explains each."""

    reply_timeout_s: float = 2.0
    """A request not answered for this long is lost. The lock is held no longer than this."""
    heartbeat_s: float = 5.0
    """After this long without an answered request, the terminal is asked for its balance."""
    dead_after_s: float = 15.0
    """The terminal is dead when it left requests unanswered and answered none for this long."""
    forget_after_s: float = 60.0
    """Without echoes: after this long without a loss, nothing late is expected any more."""
    renew_after_s: float = 60.0
    """A port that brought nothing for this long is connected anew."""
    waiting_max: int = 64
    """Requests that may wait for the lock, for each symbol."""
    reply_bytes_max: int = 8 * 1024 * 1024
    """The longest answer that is read; 50,000 candles take about three million bytes."""
    push_bytes_max: int = 64 * 1024
    """The longest candle or transaction that is read."""
    push_frames_max: int = 10_000
    """Candles, and transactions, that may wait in memory to be read."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not getattr(self, name) > 0:
                raise GatewayConfigError(f"gateway: {name} must be more than 0")


class CurveKeys:
    """The keys of an encrypted connection, as ZeroMQ writes them (Z85, 40 characters each).

    The secret key shows itself in no text.
    """

    __slots__ = ("_secret", "public", "server_public")

    def __init__(self, *, public: str, secret: str, server_public: str) -> None:
        """Raises GatewayConfigError when one is no key."""
        for name, key in (("public", public), ("secret", secret), ("server_public", server_public)):
            if len(key) != CURVE_KEY_LENGTH or not key.isascii():
                raise GatewayConfigError(f"CURVE: the {name} key is not {CURVE_KEY_LENGTH} letters")
        self.public = public
        self.server_public = server_public
        self._secret = secret

    def reveal(self) -> str:
        """The secret key."""
        return self._secret

    def __repr__(self) -> str:
        return f"CurveKeys(public={self.public!r}, server_public={self.server_public!r})"

    @classmethod
    def from_files(cls, own_secret: Path, server: Path) -> CurveKeys:
        """Keys from the files that `zmq.auth.create_certificates` writes.

        `own_secret` is this client's `.key_secret`, `server` the terminal's `.key`. Raises
        EndpointError for a file that cannot be read or holds no key.
        """
        public, secret = load_keys(own_secret)
        server_public, _ = load_keys(server)
        if not secret:
            raise GatewayConfigError(f"{own_secret}: no secret key in it; use the .key_secret file")
        return cls(public=public, secret=secret, server_public=server_public)
