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


class Revealable(Protocol):
    """A credential that shows itself only when asked."""

    def reveal(self) -> str: ...


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
