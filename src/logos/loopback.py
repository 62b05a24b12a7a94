"""Who may be talked to without encryption: this machine, and nobody else.

Some protocols know no authentication: anyone who reaches their ports can trade. Anything but this
machine itself is therefore refused, unless both ends have CURVE keys.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from logos.errors import LogosError


class EndpointError(LogosError, ValueError):
    """An endpoint, or its keys, cannot be used as configured; the message says what to change."""


def check_host(host: str, is_encrypted: bool) -> None:
    """Raise EndpointError unless `host` is this machine, or the connection is encrypted."""
    if is_encrypted or is_loopback(host):
        return
    raise EndpointError(
        f"{host!r} is not this machine, and the bridge has no authentication of its own: "
        "give CURVE keys for both ends, or use 127.0.0.1 (through a tunnel, if need be)"
    )


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine and nothing else, without asking anybody."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_keys(path: Path) -> tuple[str, str]:
    """The public CURVE key of a file, and its secret one, "" where there is none.

    The file is one that `zmq.auth.create_certificates` writes. Raises EndpointError when it cannot
    be read or holds no key, ImportError without the library `zmq`.
    """
    import zmq.auth

    try:
        public, secret = zmq.auth.load_certificate(path)
    except (OSError, ValueError) as error:
        raise EndpointError(f"{path}: no CURVE key file ({type(error).__name__})") from None
    return public.decode("ascii"), (secret or b"").decode("ascii")
