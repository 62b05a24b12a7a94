"""What the servers of `observe` share: whom they answer, on which address, with which certificate.

A page of a browser that a foreign name was bound to must not read what listens on this machine, so
a request says by its `Host` which machine it means, and that is compared. Off this machine a server
wants credentials, and TLS under them.
"""

from __future__ import annotations

import hmac
import ipaddress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from logos.errors import ConfigError
from logos.loopback import is_loopback


class Certificate(NamedTuple):
    """Files of a TLS certificate (its chain with it) and its key, PEM."""

    certificate: Path
    key: Path


def is_equal(given: str, wanted: str) -> bool:
    """Whether two secrets are the same. Takes as long for a near miss as for any."""
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode(errors="replace"))


def named_host(header: str) -> str:
    """The host that a `Host` header names, in small letters and without its port; "" for none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def is_address(host: str) -> bool:
    """Whether `host` is an address, which no name service was asked for."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_named_here(header: str) -> bool:
    """Whether a `Host` header names this machine's loopback."""
    host = named_host(header)
    return bool(host) and is_loopback(host)


def check_address(
    host: str, credentials: str, certificate: Certificate | None, *, is_open: bool, is_plain: bool
) -> None:
    """Raise ConfigError unless it is safe to listen on `host`.

    `credentials` are the variables that hold them, in words; `is_open`: none is set. `is_plain`:
    without TLS, on a network that is trusted, as the operator says.
    """
    if is_loopback(host):
        return
    if is_open:
        raise ConfigError(
            f"--listen {host} can be reached from other machines, and nobody is asked who they "
            f"are: set {credentials}, in the environment or in .env, or listen on 127.0.0.1"
        )
    if certificate is None and not is_plain:
        raise ConfigError(
            f"--listen {host} can be reached from other machines, and credentials would cross the "
            "network unencrypted: give --tls-cert and --tls-key, or --plain-http where the "
            "network itself is trusted"
        )
