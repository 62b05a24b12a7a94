"""Where the gateway is: `venue.url` or `live.url`, as `tcp://127.0.0.1:PORT/CLIENT/ACCOUNT`.

Each part may be missing: the port is that of IB Gateway for a paper or a live account (4002, 4001;
TWS has 7497, 7496: interactivebrokers.github.io/tws-api/initial_setup.html), the client id 1 (of a
feed 2: one id is connected once), the account the only one of the login.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from logos.adapters.ib.connection import Address
from logos.loopback import EndpointError, check_host
from logos.venues.contract import Refused

FEED_CLIENT: Final = 2
"""The client id of a feed that is given none."""
_PORTS: Final = {True: 4002, False: 4001}
_FORM: Final = "write tcp://127.0.0.1:4002/CLIENT/ACCOUNT, such as tcp://127.0.0.1:4002/7/DU1234567"


def address_of(
    url: str, sandbox: bool, setting: str = "venue.url", client_id: int = 1
) -> tuple[Address, str]:
    """The address, and the account ("": the only one). `client_id` is that of an address without
    one. Raises Refused, with the name of the setting."""
    if not url:
        return Address("127.0.0.1", _PORTS[sandbox], client_id), ""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[sandbox]
    except ValueError:
        raise Refused(f"{setting}: {_FORM}") from None
    names = [part for part in parts.path.split("/") if part]
    client = names[0] if names else str(client_id)
    is_good = parts.scheme == "tcp" and len(names) <= 2 and client.isascii() and client.isdecimal()
    if not is_good or not 0 < int(client) < 2**31:
        raise Refused(
            f"{setting}: {_FORM}; the client id is from 1 on (0 takes over orders made by hand)"
        )
    try:
        check_host(parts.hostname or "", False)
    except EndpointError:
        raise Refused(
            f"{setting}: {parts.hostname!r} is not this machine, and the protocol knows no "
            "authentication: use 127.0.0.1 (through a tunnel, if need be)"
        ) from None
    account = names[1] if len(names) > 1 else ""
    return Address(parts.hostname or "", port, int(client)), account
