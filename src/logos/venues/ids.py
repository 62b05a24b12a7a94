"""Client order ids as a venue takes them, and back to those of the session."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from logos.venues.contract import Refused

_UUID: Final = re.compile(r"([0-9a-f]{12})4([0-9a-f]{3})8([0-9a-f]{15})", re.ASCII)
_UUID_DIGITS: Final = 15
"""Digits of the session, and of the number, in an id of 32 hexadecimal digits."""

_OURS: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})-([0-9]{1,19})", re.ASCII)


class IdRule(msgspec.Struct, frozen=True):
    """What a venue takes as a client order id: its length, and whether `-` and `_` may be in it.

    `prefix` stands before every id there and counts into the length. `is_uuid` is for venues that
    take 32 hexadecimal digits only.
    """

    length_max: int
    takes_punctuation: bool
    prefix: str = ""
    is_uuid: bool = False


class ClientIds:
    """Client order ids as a venue takes them, and back.

    Ours are `SESSION-N`. One that the venue takes as it stands stays as it is. Otherwise it
    becomes `lg`, sixteen hexadecimal digits of the SHA-256 of SESSION, `x`, and N: always the
    same, letters and digits only, at most 38 characters for any N and 32 for N below 10**13.
    Where a venue takes hexadecimal digits only, it becomes fifteen of those digits and N in fifteen
    digits, with the marks of a random UUID (RFC 9562, version 4) between them. The
    way back needs the session's name, so an id is ours if its session is `session_id` or one that
    has been asked about here; every other order is somebody else's.
    """

    def __init__(self, rule: IdRule, session_id: str = "") -> None:
        self._rule = rule
        self._sessions: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        """The same the other way round: a session has one, its orders are many."""
        if session_id:
            self._digest_of(session_id)

    def to_venue(self, client_order_id: str) -> str:
        """The id as the venue gets it. Raises Refused when it is not one of ours."""
        session_id, number = split_id(client_order_id)
        digest = self._digest_of(session_id)
        rule = self._rule
        if rule.is_uuid:
            return rule.prefix + _uuid(digest, int(number), client_order_id)
        if len(rule.prefix + client_order_id) <= rule.length_max and rule.takes_punctuation:
            return rule.prefix + client_order_id
        short = f"{rule.prefix}lg{digest}x{number}"
        if len(short) > rule.length_max:
            raise Refused(f"client order id {client_order_id!r} is too long for this venue")
        return short

    def to_ours(self, venue_id: str) -> str:
        """The client order id behind a venue's, or an empty text when it is not one of ours."""
        if not venue_id.startswith(self._rule.prefix):
            return ""
        venue_id = venue_id.removeprefix(self._rule.prefix)
        if self._rule.is_uuid:
            return self._from_uuid(venue_id)
        if venue_id.startswith("lg") and "x" in venue_id:
            digest, _, number = venue_id[2:].partition("x")
            session_id = self._sessions.get(digest, "")
            if session_id and number.isdecimal():
                return f"{session_id}-{number}"
        match = _OURS.fullmatch(venue_id)
        if match is not None and match[1] in self._digests:
            return venue_id
        return ""

    def _digest_of(self, session_id: str) -> str:
        """What stands for a session, whose orders are ours from here on."""
        digest = self._digests.get(session_id)
        if digest is None:
            digest = self._digests[session_id] = _digest(session_id)
            self._sessions[digest] = session_id
        return digest

    def _from_uuid(self, text: str) -> str:
        # Some venues write one back with the hyphens of a UUID.
        match = _UUID.fullmatch(text.replace("-", "").lower())
        if match is None:
            return ""
        for digest, session_id in self._sessions.items():
            if match[1] + match[2] == digest[:_UUID_DIGITS]:
                return f"{session_id}-{int(match[3], 16)}"
        return ""


def split_id(client_order_id: str) -> tuple[str, str]:
    """Session and number of an id of ours. Raises Refused for any other, an empty one above all.

    A stranger's order has an empty id here, so an empty one must never be looked for.
    """
    match = _OURS.fullmatch(client_order_id)
    if match is None:
        raise Refused(f"client order id {client_order_id!r} is not of the form SESSION-NUMBER")
    return match[1], match[2]


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()[:16]


def _uuid(digest: str, number: int, client_order_id: str) -> str:
    if number >= 16**_UUID_DIGITS:
        raise Refused(f"client order id {client_order_id!r} is too long for this venue")
    return f"{digest[:12]}4{digest[12:_UUID_DIGITS]}8{number:0{_UUID_DIGITS}x}"


def require_named(what: str, name: str, *texts: str) -> None:
    """Raise Refused unless a request about one order, which is in `texts`, says which one.

    Every adapter asks this of what is about to leave. A request without an order's id is taken for
    one about all orders at some venues: at Gate and at Alpaca the address of a cancel with an empty
    id is the address of cancelling everything, whatever else the request holds. So the id must
    stand in the request, and no part of its address may be empty. An address is a text that
    begins as one: a signature in a header may hold any `/`.
    """
    paths = [urlsplit(text).path for text in texts if text.startswith(("/", "http:", "https:"))]
    is_hollow = any("//" in path or path.endswith("/") for path in paths)
    if not name or is_hollow or not any(name in text for text in texts):
        raise Refused(f"{what}: not sent: the request does not say which order it is about")
