"""Keys of venues, looked up where they belong: the environment, or `.env` of the workspace.

They are never settings: those are hashed, written to session folders and shown. Keys of a test
environment have names of their own, or say what they are (Alpaca's), so that a real key cannot go
to a test server, nor a test key be taken for leave to trade. What is missing is named, with where
to put it and where to get it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.config.tables.live import VenueName, VenueSettings
from logos.errors import ConfigError

ALPACA_KEY: Final = "APCA_API_KEY_ID"
ALPACA_SECRET: Final = "APCA_API_SECRET_KEY"  # noqa: S105 - the name of a variable
_OUR_NAME: Final = re.compile(r"LOGOS_CCXT_\w+_(KEY|SECRET|PASSWORD)|APCA_API_(KEY_ID|SECRET_KEY)")
_ALPACA_PREFIXES: Final = {True: "PK", False: "AK"}
"""What the ids of paper keys and of live keys begin with."""

_SANDBOX_PAGES: Final = {
    "binance": "https://testnet.binance.vision",
    "bybit": "https://testnet.bybit.com",
    "deribit": "https://test.deribit.com",
}
_KEYS_ARE_ELSEWHERE: Final = {
    VenueName.PAPER: "the paper venue needs none",
    VenueName.MT5: "the terminal is logged in by itself",
    VenueName.MT5_NATIVE: "the terminal is logged in by itself",
    VenueName.IB: "the gateway is logged in by itself",
}


class CredentialsError(ConfigError):
    """Keys are missing, or are not for this environment; the message says what to do."""


class Credentials(msgspec.Struct, frozen=True):
    """The keys of one venue. `names` are the variables they came from, key first."""

    key: Secret
    secret: Secret
    password: Secret | None
    is_sandbox: bool
    names: tuple[str, ...]


def has_credentials(venue: VenueSettings) -> bool:
    """Whether a venue takes keys from here at all."""
    return venue.name not in _KEYS_ARE_ELSEWHERE


def credential_names(venue: VenueSettings) -> list[tuple[str, ...]]:
    """The variables a venue's keys may stand in: sets of key, secret and perhaps password.

    The first set of which anything is there counts.
    """
    if venue.name is VenueName.ALPACA:
        return [(ALPACA_KEY, ALPACA_SECRET)]
    if venue.name is not VenueName.CCXT:
        return []
    exchange = re.sub(r"[^A-Z0-9]", "_", venue.exchange.upper())
    stem = f"{exchange}_SANDBOX" if venue.sandbox else exchange
    ours = (f"LOGOS_CCXT_{stem}_KEY", f"LOGOS_CCXT_{stem}_SECRET", f"LOGOS_CCXT_{stem}_PASSWORD")
    return [ours, (f"{stem}_API_KEY", f"{stem}_API_SECRET")]


def credentials(
    venue: VenueSettings, environment: Environment | Mapping[str, str] | None = None
) -> Credentials:
    """The keys of `venue`, from the environment or `.env`.

    `environment`: an Environment, or variables in place of the process's; None: this process.
    Raises CredentialsError when keys are missing, are for the other of sandbox and live, or the
    venue takes none; ConfigError when `.env` cannot be read.
    """
    if not isinstance(environment, Environment):
        environment = Environment.read(environment)
    if not has_credentials(venue):
        raise CredentialsError(
            f"venue {venue.name.value} takes no keys: {_KEYS_ARE_ELSEWHERE[venue.name]}"
        )
    for names in credential_names(venue):
        found = {name: environment.find(name) for name in names}
        there = {name: Secret(each.value) for name, each in found.items() if each is not None}
        if not there:
            continue
        if names[0] not in there or names[1] not in there:
            missing = [name for name in names[:2] if name not in there]
            raise CredentialsError(_missing(venue, environment, missing))
        password = there.get(names[2]) if len(names) > 2 else None
        _check_kind(venue, names[0], there[names[0]])
        return Credentials(there[names[0]], there[names[1]], password, venue.sandbox, tuple(there))
    raise CredentialsError(_missing(venue, environment, list(credential_names(venue)[0][:2])))


def market_data_credentials(
    environment: Environment | Mapping[str, str] | None = None,
) -> Credentials:
    """Alpaca's keys for its market data: those of a paper account do, and those of a live one.

    Raises CredentialsError when there are none, ConfigError when `.env` cannot be read.
    """
    if not isinstance(environment, Environment):
        environment = Environment.read(environment)
    found = environment.find(ALPACA_KEY)
    is_live = found is not None and found.value.upper().startswith(_ALPACA_PREFIXES[False])
    return credentials(VenueSettings(name=VenueName.ALPACA, sandbox=not is_live), environment)


def variables_set(venue: VenueSettings, environment: Environment) -> list[tuple[str, str]]:
    """The variables with keys of `venue`, or of any venue by their name, and where they are set."""
    names = [name for names in credential_names(venue) for name in names]
    known = {*environment.process, *environment.dotenv}
    names += sorted(name for name in known if _OUR_NAME.fullmatch(name) and name not in names)
    return _places(names, environment)


def _places(names: Iterable[str], environment: Environment) -> list[tuple[str, str]]:
    found = [(name, environment.find(name)) for name in names]
    return [(name, each.place) for name, each in found if each is not None]


def _check_kind(venue: VenueSettings, name: str, key: Secret) -> None:
    """Refuse a key that says itself that it is for the other environment."""
    if venue.name is not VenueName.ALPACA:
        return
    wrong, right = _ALPACA_PREFIXES[not venue.sandbox], _ALPACA_PREFIXES[venue.sandbox]
    kind, needed = ("live", "paper") if venue.sandbox else ("paper", "live")
    if key.reveal().upper().startswith(wrong):
        raise CredentialsError(
            f'{name} is a {kind} key (it begins with "{wrong}"), and venue.sandbox = '
            f'{str(venue.sandbox).lower()} needs a {needed} key (one with "{right}"): set the '
            "right key, or venue.sandbox"
        )


def _missing(venue: VenueSettings, environment: Environment, missing: list[str]) -> str:
    who = venue.name.value + (f" ({venue.exchange})" if venue.exchange else "")
    kind = "sandbox" if venue.sandbox else "live"
    text = (
        f"no {kind} keys for venue {who}: set {' and '.join(missing)} in the environment or in "
        f"{environment.path} (readable by you alone: chmod 600); get them at {_page(venue)}"
    )
    other = VenueSettings(name=venue.name, exchange=venue.exchange, sandbox=not venue.sandbox)
    there = _places((name for names in credential_names(other) for name in names), environment)
    if venue.name is VenueName.CCXT and there:
        text += f". {there[0][0]} is set, but is for venue.sandbox = {str(other.sandbox).lower()}"
    return text


def _page(venue: VenueSettings) -> str:
    if venue.name is VenueName.ALPACA:
        account = "the paper account" if venue.sandbox else "the live account"
        return f"https://app.alpaca.markets, {account}, API keys"
    page = _SANDBOX_PAGES.get(venue.exchange) if venue.sandbox else None
    place = "sandbox (test) account" if venue.sandbox else "account"
    return page or f"the API key page of your {place} at {venue.exchange}"
