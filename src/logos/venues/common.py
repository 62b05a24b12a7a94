"""What the adapters share: what is known after a failure, exact conversions, ids, and secrecy.

Every library fails in its own words. An adapter sorts each failure into one of three kinds of
knowledge (`Knowledge`) and leaves the rest to this module: `order_error` for a request that could
change something, `question_error` for one that could not. Errors are raised outside the `except`
block that caught the library's own, because a library's exception holds on to the request, and a
request holds the key: no chain of exceptions leads back to it.

Words of a venue or library go through `Redactor` before anyone sees them.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol
from urllib.parse import quote, quote_plus

import msgspec

from logos.core.fixed import parse_units, to_decimal
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_SECOND
from logos.errors import LogosError
from logos.venues.contract import (
    CheckLine,
    NotSent,
    OutcomeUnknown,
    Refused,
    Unavailable,
    VenueError,
    VenueOrder,
)

REDACTED: Final = "[hidden]"
WORDS_MAX: Final = 300
"""Characters of a venue's own words that are passed on."""

_READ_MAX: Final = 4_000
"""Characters that are looked at: an error page may be long, and the event loop waits for us."""

_PART_MIN: Final = 6
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_OURS: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})-([0-9]{1,19})", re.ASCII)


class Revealable(Protocol):
    """A credential that shows itself only when asked."""

    def reveal(self) -> str: ...


class Unreadable(LogosError):
    """A venue's answer does not hold what it should, or not in numbers that can be exact here."""


# ---- what is known after a failure ----


class Knowledge(enum.Enum):
    """What a failed request is known to have done."""

    REFUSED = "the venue said no"
    NOT_SENT = "it was never handled"
    UNKNOWN = "it may have been handled"


class Failure(msgspec.Struct, frozen=True):
    """One failed request: what is known, in words for a person, and when to come back."""

    knowledge: Knowledge
    words: str
    retry_after_s: float = 0.0


def order_error(what: str, failure: Failure) -> VenueError:
    """The error of a request that could change something (`what` was to be done)."""
    if failure.knowledge is Knowledge.REFUSED:
        return Refused(f"{what}: refused: {failure.words}")
    if failure.knowledge is Knowledge.NOT_SENT:
        return NotSent(f"{what}: not handled: {failure.words}", failure.retry_after_s)
    return OutcomeUnknown(
        f"{what}: the outcome is not known; ask the venue, do not send again: {failure.words}"
    )


def question_error(what: str, failure: Failure) -> Unavailable:
    """The error of a question: it stays open, whatever the reason."""
    return Unavailable(f"{what}: no answer: {failure.words}", failure.retry_after_s)


# ---- secrecy ----


class Redactor:
    """Takes credentials, and any piece of six characters or more of one, out of text.

    Also as base64 (at any of its three alignments), as hexadecimal and percent-encoded, because
    that is how headers, signatures and addresses carry them.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        pieces: set[str] = set()
        for secret in secrets:
            for form in _forms(secret):
                length = min(_PART_MIN, len(form))
                pieces.update(form[at : at + length] for at in range(len(form) - length + 1))
        self._pieces = frozenset(piece for piece in pieces if piece)
        self._lengths = sorted({len(piece) for piece in self._pieces})

    def clean(self, text: str) -> str:
        """`text` on one line, without credentials or the queries of addresses, and not too long."""
        text = re.sub(r"(https?://[^\s?]*)\?\S*", r"\1", text[:_READ_MAX])
        text = "".join(letter if letter.isprintable() else " " for letter in text)
        # Cutting comes last: half a credential at the end would be too short to be recognised.
        return self.hide(text)[:WORDS_MAX].strip()

    def hide(self, text: str) -> str:
        """`text` with every piece of a credential replaced."""
        hidden = bytearray(len(text))
        for length in self._lengths:
            for at in range(len(text) - length + 1):
                if text[at : at + length] in self._pieces:
                    hidden[at : at + length] = b"\1" * length
        parts: list[str] = []
        for letter, is_hidden in zip(text, hidden, strict=True):
            if not is_hidden:
                parts.append(letter)
            elif not parts or parts[-1] != REDACTED:
                parts.append(REDACTED)
        return "".join(parts)

    def __repr__(self) -> str:
        return "Redactor()"


def _forms(secret: str) -> list[str]:
    """A credential as it may appear in text."""
    raw = secret.encode()
    encoded = quote(secret, safe="")
    forms = [secret, raw.hex(), raw.hex().upper(), encoded, encoded.lower(), quote_plus(secret)]
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # The first characters mix with what stands before it.
            forms.append(encode(b"\0" * offset + raw).decode().rstrip("=")[(0, 2, 3)[offset] :])
    return [form for form in forms if form]


# ---- client order ids ----


class IdRule(msgspec.Struct, frozen=True):
    """What a venue takes as a client order id: its length, and whether `-` and `_` may be in it."""

    length_max: int
    takes_punctuation: bool


class ClientIds:
    """Client order ids as a venue takes them, and back.

    Ours are `SESSION-N`. One that the venue takes as it stands stays as it is. Otherwise it
    becomes `lg`, sixteen hexadecimal digits of the SHA-256 of SESSION, `x`, and N: always the
    same, letters and digits only, at most 38 characters for any N and 32 for N below 10**13. The
    way back needs the session's name, so an id is ours if its session is `session_id` or one that
    has been asked about here; every other order is somebody else's.
    """

    def __init__(self, rule: IdRule, session_id: str = "") -> None:
        self._rule = rule
        self._sessions: dict[str, str] = {}
        if session_id:
            self._sessions[_digest(session_id)] = session_id

    def to_venue(self, client_order_id: str) -> str:
        """The id as the venue gets it. Raises Refused when it is not one of ours."""
        session_id, number = split_id(client_order_id)
        self._sessions[_digest(session_id)] = session_id
        rule = self._rule
        if len(client_order_id) <= rule.length_max and rule.takes_punctuation:
            return client_order_id
        short = f"lg{_digest(session_id)}x{number}"
        if len(short) > rule.length_max:
            raise Refused(f"client order id {client_order_id!r} is too long for this venue")
        return short

    def to_ours(self, venue_id: str) -> str:
        """The client order id behind a venue's, or an empty text when it is not one of ours."""
        if venue_id.startswith("lg") and "x" in venue_id:
            digest, _, number = venue_id[2:].partition("x")
            session_id = self._sessions.get(digest, "")
            if session_id and number.isdecimal():
                return f"{session_id}-{number}"
        match = _OURS.fullmatch(venue_id)
        if match is not None and match[1] in self._sessions.values():
            return venue_id
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


def asked_for(order: VenueOrder, client_order_id: str) -> VenueOrder:
    """`order`, when it is the one that was asked for. Raises Unreadable."""
    if order.client_order_id != client_order_id:
        raise Unreadable("the answer is about another order")
    return order


# ---- numbers and times ----


def quantity_units(instrument: Instrument, text: object, what: str) -> int:
    """Decimal text of a venue as quantity units. Raises Unreadable when that is not exact."""
    return _units(instrument, text, instrument.quantity_decimals, what, "lot")


def price_units(instrument: Instrument, text: object, what: str) -> int:
    """Decimal text of a venue as price units. Raises Unreadable when that is not exact."""
    return _units(instrument, text, instrument.price_decimals, what, "tick")


def _units(instrument: Instrument, text: object, decimals: int, what: str, step: str) -> int:
    if not isinstance(text, str):
        raise Unreadable(f"{instrument.symbol}: {what} is missing")
    try:
        return parse_units(text, decimals)
    except ValueError as error:
        raise Unreadable(
            f"{instrument.symbol}: {what}: {str(error)[:80]}; if the number is right, set a finer "
            f"{step} for the instrument"
        ) from None


def decimal_of(text: object, what: str) -> Decimal:
    """Decimal text of a venue, exactly. Raises Unreadable."""
    try:
        number = Decimal(text) if isinstance(text, str) else None
    except ArithmeticError:
        number = None
    if number is None or not number.is_finite():
        raise Unreadable(f"{what} is not a decimal number")
    return number


def text_of(record: Mapping[str, object], name: str) -> str:
    """A field of a venue's record that must be there. Raises Unreadable."""
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"the answer has no {name}")
    return value


def time_ns(text: object) -> int:
    """An ISO-8601 moment with up to nine decimals of a second, exactly. Raises Unreadable."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Unreadable("the answer holds no time that can be read")
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone == 'Z' else zone}")
    except ValueError:
        raise Unreadable("the answer holds no time that can be read") from None
    span = moment - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = span.days * 86_400 + span.seconds
    return seconds * NS_PER_SECOND + int((fraction or "").ljust(9, "0"))


def iso_time(ts_ns: int) -> str:
    """Nanoseconds since 1970 as an ISO-8601 moment in UTC, exactly."""
    seconds, rest = divmod(ts_ns, NS_PER_SECOND)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


# ---- the rules of a market, ours and the venue's ----


class MarketRules(msgspec.Struct, frozen=True):
    """What a venue says of one market; None where it says nothing."""

    tick: Decimal | None = None
    lot: Decimal | None = None
    min_quantity: Decimal | None = None
    min_notional: Decimal | None = None


def compare_rules(instrument: Instrument, venue: MarketRules) -> list[CheckLine]:
    """A line for each rule: equal, or what to write into the settings.

    A coarser tick or lot than the venue's is a difference too: fills may then come at prices and
    quantities that the session cannot hold. A higher minimum is the session's own choice.
    """
    symbol = instrument.symbol
    ours = {
        "tick": to_decimal(instrument.tick, instrument.price_decimals),
        "lot": to_decimal(instrument.lot, instrument.quantity_decimals),
        "min_quantity": to_decimal(instrument.minimum_quantity, instrument.quantity_decimals),
        "min_notional": to_decimal(instrument.minimum_notional, instrument.value_decimals),
    }
    lines = []
    for name, mine in ours.items():
        theirs: Decimal | None = getattr(venue, name)
        if theirs is None:
            lines.append(
                CheckLine(f"{symbol} {name}", True, f"{_plain(mine)}; the venue says none")
            )
            continue
        is_minimum = name.startswith("min_")
        if mine == theirs or (is_minimum and mine > theirs):
            detail = f"{_plain(mine)}" + ("" if mine == theirs else f", venue {_plain(theirs)}")
            lines.append(CheckLine(f"{symbol} {name}", True, detail))
            continue
        words = f"session {_plain(mine)}, venue {_plain(theirs)}"
        advice = f'set instruments.{symbol}.{name} = "{_plain(theirs)}"'
        lines.append(CheckLine(f"{symbol} {name}", False, f"{words}: {advice}"))
    return lines


def names_lines(instrument: Instrument, base: str, quote_currency: str) -> list[CheckLine]:
    """A line for each of base and quote that the venue names differently."""
    symbol = instrument.symbol
    lines = []
    for name, ours, theirs in (
        ("base", instrument.base, base),
        ("quote", instrument.quote, quote_currency),
    ):
        if ours != theirs:
            words = f'session {ours}, venue {theirs}: set instruments.{symbol}.{name} = "{theirs}"'
            lines.append(CheckLine(f"{symbol} {name}", False, words))
    return lines


def _plain(number: Decimal) -> str:
    """Without exponent and trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock_line(before_ns: int, venue_ns: int, after_ns: int, skew_ns_max: int) -> CheckLine:
    """Compare clocks by a question asked at `before_ns` and answered at `after_ns` (ours)."""
    skew_ns = venue_ns - (before_ns + after_ns) // 2
    doubt_ns = (after_ns - before_ns) // 2
    skew_ms, doubt_ms = skew_ns // 1_000_000, doubt_ns // 1_000_000
    detail = f"the venue's clock is {skew_ms:+d} ms from ours (give or take {doubt_ms} ms)"
    is_ok = abs(skew_ns) <= skew_ns_max + doubt_ns
    advice = "" if is_ok else f"; at most {skew_ns_max // 1_000_000} ms: set this machine's clock"
    return CheckLine("clock", is_ok, detail + advice)
