"""Keeps credentials out of text: a venue's or library's words pass here before anyone sees them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Final, Protocol
from urllib.parse import quote, quote_plus

REDACTED: Final = "[hidden]"
WORDS_MAX: Final = 300
"""Characters of a venue's own words that are passed on."""

_READ_MAX: Final = 4_000
"""Characters that are looked at: an error page may be long, and the event loop waits for us."""

_PART_MIN: Final = 6
"""Characters of a credential that are worth hiding, where no word looks like them."""

_WORD_MIN: Final = 12
"""The same of a piece that is a plain word or number: shorter ones stand in harmless text."""

_WORD: Final = re.compile(r"[A-Za-z _-]?[a-z _-]+|[A-Z _-]+|[0-9]+")


class Revealable(Protocol):
    """A credential that shows itself only when asked."""

    def reveal(self) -> str: ...


class Redactor:
    """Takes credentials, and any piece of six characters or more of one, out of text.

    Also as base64 (at any of its three alignments), as hexadecimal and percent-encoded, because
    that is how headers, signatures and addresses carry them.

    Harmless text stays: a piece that is a plain word or number is hidden from twelve characters on
    (a passphrase "trading-2024" takes no "trading" out of text), and a whole credential of fewer
    than six characters, or one that is a word itself, only where it stands alone.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        pieces: set[str] = set()
        alone: set[str] = set()
        for secret in filter(None, secrets):
            is_word = len(secret) < _PART_MIN or _WORD.fullmatch(secret) is not None
            (alone if is_word and len(secret) < _WORD_MIN else pieces).add(secret)
            encoded = quote(secret, safe="")
            for form in (secret, encoded, encoded.lower(), quote_plus(secret)):
                pieces |= _pieces(form)
            for form, length in _encoded(secret):
                pieces.update(form[at : at + length] for at in range(len(form) - length + 1))
                if len(secret) >= _PART_MIN:
                    pieces.add(form)
        self._pieces = frozenset(filter(None, pieces))
        self._lengths = sorted({len(piece) for piece in self._pieces})
        words = "|".join(re.escape(each) for each in sorted(alone, key=len, reverse=True))
        self._alone = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])") if alone else None

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
        for found in () if self._alone is None else self._alone.finditer(text):
            hidden[found.start() : found.end()] = b"\1" * (found.end() - found.start())
        parts: list[str] = []
        for letter, is_hidden in zip(text, hidden, strict=True):
            if not is_hidden:
                parts.append(letter)
            elif not parts or parts[-1] != REDACTED:
                parts.append(REDACTED)
        return "".join(parts)

    def __repr__(self) -> str:
        return "Redactor()"


def _pieces(form: str) -> set[str]:
    """The pieces of a credential, as it stands in text, that are hidden wherever they are."""
    found = set()
    for at in range(len(form)):
        short = form[at : at + _PART_MIN]
        if len(short) == _PART_MIN and not _WORD.fullmatch(short):
            found.add(short)
        elif len(long := form[at : at + _WORD_MIN]) == _WORD_MIN:
            found.add(long)
    return found


def _encoded(secret: str) -> list[tuple[str, int]]:
    """Forms in which nobody reads it, each with how many characters hold six of the secret's."""
    raw = secret.encode()
    forms = [(raw.hex(), 2 * _PART_MIN), (raw.hex().upper(), 2 * _PART_MIN)]
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # The first characters mix with what stands before it.
            text = encode(b"\0" * offset + raw).decode().rstrip("=")[(0, 2, 3)[offset] :]
            forms.append((text, 8))
    return forms
