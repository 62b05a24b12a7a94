"""What is taken for a key or password where it should not be: by its name, or by how it looks.

Keys of venues are variables (docs/CONFIGURATION.md), never settings. But a strategy may need a key
of its own, and people paste keys where they do not belong. Settings are shown, hashed and written
into every session's folder, so whatever here is taken for a secret is replaced by a mask there. A
text that is none and is masked costs a look at the settings file; one that is shown costs the key.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

MASK: Final = "***"

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ALWAYS: Final = frozenset(
    (
        *("secret", "secrets", "password", "passwd", "passphrase", "pwd", "apikey", "secretkey"),
        *("privatekey", "accesskey", "mnemonic", "credential", "credentials"),
    )
)
_WITH_KEY: Final = frozenset(
    ("api", "private", "secret", "access", "signing", "encryption", "auth", "client")
)
_IF_LONG: Final = frozenset(["key", "keys", "token", "tokens", "auth", "bearer", "signature"])
_LONG: Final = 8
"""Characters from which the value of `token` or `key` is one: "BTC" and "close" are none."""

_LOOKS: Final = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abprs]|pypi|npm)[_-][\w-]{16,}"),
    re.compile(r"(?:AKIA|ASIA|AIza|PK|AK|CK)[A-Z0-9]{16,}"),
    re.compile(r"(?:0x)?[0-9a-fA-F]{32,}"),
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")
_WORD: Final = re.compile(r"[A-Za-z0-9+/_=.-]{16,}")
_PADDED: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={1,2}")


def is_secret_name(name: str) -> bool:
    """Whether what has this name is a secret, whatever it looks like."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if any(word in _ALWAYS for word in words):
        return True
    return any(
        first in _WITH_KEY and second in ("key", "token")
        for first, second in itertools.pairwise(words)
    )


def looks_like_key(text: str) -> bool:
    """Whether a text looks like a key: one that a provider marks, or long and without meaning."""
    text = text.strip()
    if any(pattern.match(text) for pattern in _LOOKS):
        return True
    if _PADDED.fullmatch(text):
        return True
    # Paths and names of classes have points, colons or words; a key has letters and digits mixed.
    mixed = all(any(test(letter) for letter in text) for test in (str.isupper, str.islower))
    digits = sum(letter.isdigit() for letter in text)
    return bool(_BASE64.fullmatch(text)) and mixed and digits >= 4 and text.count("/") <= 2


def is_secret(name: str, value: object) -> bool:
    """Whether a setting is a secret: by its name, or because its text looks like a key."""
    if not isinstance(value, str) or not value or value == MASK:
        return False
    if is_secret_name(name) or looks_like_key(value):
        return True
    last = [word.lower() for word in _WORDS.findall(name)][-1:]
    return len(value) >= _LONG and bool(last) and last[0] in _IF_LONG


def masked(name: str, value: Any) -> Any:
    """`value` with every secret in it replaced by `***`; `name` is what it is called."""
    if not any(secrets_in(name, value)):
        return value
    if isinstance(value, Mapping):
        return {key: masked(str(key), each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(name, each) for each in value]
    return MASK if is_secret(name, value) else value


def without_keys(text: str) -> str:
    """`text` with every word that looks like a key replaced: what an error says of settings."""
    return _WORD.sub(_masked_word, text)


def _masked_word(match: re.Match[str]) -> str:
    word = match[0]
    # A path of the machine is no key, however long it is.
    return word if word.startswith("/") or not looks_like_key(word) else MASK


def secrets_in(name: str, value: object) -> Iterator[str]:
    """The texts that `masked` would replace."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from secrets_in(str(key), each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from secrets_in(name, each)
    elif isinstance(value, str) and is_secret(name, value):
        yield value


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with `***` in place of each of `secrets`."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
