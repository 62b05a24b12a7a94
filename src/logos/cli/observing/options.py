"""Options that the commands share which serve something: where, and with which certificate."""

from __future__ import annotations

import argparse
from pathlib import Path

from logos.errors import ConfigError
from logos.observe.serving import Certificate


def address(text: str) -> tuple[str, int]:
    """A host and a port. Raises argparse.ArgumentTypeError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"not HOST:PORT: {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def add_tls(parser: argparse.ArgumentParser) -> None:
    """Add the options of TLS, and of doing without."""
    add = parser.add_argument
    add("--tls-cert", type=Path, metavar="FILE", help="certificate with its chain, PEM")
    add("--tls-key", type=Path, metavar="FILE", help="its key, PEM")
    plain = "no TLS off this machine, where the network itself is trusted"
    add("--plain-http", action="store_true", help=plain)


def certificate_of(options: argparse.Namespace) -> Certificate | None:
    """The files of TLS, if they are named. Raises ConfigError for one without the other."""
    if (options.tls_cert is None) != (options.tls_key is None):
        raise ConfigError("--tls-cert and --tls-key belong together: give both, or neither")
    return None if options.tls_cert is None else Certificate(options.tls_cert, options.tls_key)
