"""A text that cannot be shown by accident.

Keys leak through logs, tracebacks, f-strings, JSON and pickles of whatever holds them. So to
everything but `reveal` a Secret *is* the mask: a str whose text is `***`, which no formatter,
encoder or concatenation can look behind. The real text is in a slot that copies do not take along.
"""

from __future__ import annotations

import hmac
from typing import Any, Final, NoReturn, final

MASK: Final = "***"


@final
class Secret(str):
    """A key or password. Only `reveal()` gives its text; it must not be empty."""

    __slots__ = ("_text",)

    _text: str | None

    def __new__(cls, text: str) -> Secret:
        if not text:
            raise ValueError("a secret may not be empty")
        secret = super().__new__(cls, MASK)
        secret._text = text
        return secret

    def reveal(self) -> str:
        """The text. Raises ValueError when this is a pickled copy, which has only the mask."""
        if self._text is None:
            raise ValueError("this secret was pickled, which keeps only its mask: look it up anew")
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __eq__(self, other: object) -> bool:
        """Equal to another Secret of the same text, and to nothing else."""
        if not isinstance(other, Secret) or self._text is None or other._text is None:
            return self is other
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> NoReturn:
        raise TypeError("a secret has no hash: it could be guessed from it")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce_ex__(self, _: object) -> tuple[Any, ...]:
        return (_masked, ())


def _masked() -> Secret:
    """What is left of a secret after pickling."""
    secret = Secret(MASK)
    secret._text = None
    return secret
