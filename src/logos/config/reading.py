"""Read a settings file: TOML, its numbers exact, and an error that names the line.

The parser says what it dislikes and where, but of a key that stands twice only the line. The key is
named here, and never its value: somebody may have put a password there. What is no settings file by
its kind, size or depth is refused before anything is made of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from logos.errors import ConfigError
from logos.files import cut_words, is_cut, read_whole
from logos.secrecy import looks_like_key

BYTES_MAX: Final = 4 << 20
"""Of a settings file: thousands of symbols with all that can be said of each."""
DEPTH_MAX: Final = 32
"""Of tables in tables; the deepest setting is at 4, parameters of strategies may go deeper."""

LIVE_NEEDS_FLAGS: Final = (
    "venue.live = true may not stand here: live orders are asked for each time, on the command "
    "line, with --live --i-acknowledge-risk; take it out"
)

_TWICE: Final = re.compile(r"overwrite a value|twice|Duplicate|immutable")
_KEY: Final = re.compile(r"""(\[+[^\]=]+\]+|[\w."'\- ]+?)\s*(=|$|#)""")
_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dict, its floats as exact Decimals.

    Raises ConfigError when it cannot be read, is not TOML, or asks for live orders.
    """
    tables = parse_file(path)
    if asks_for_live(tables):
        raise ConfigError(f"{path}: {LIVE_NEEDS_FLAGS}")
    return tables


def parse_file(path: Path) -> dict[str, Any]:
    """As `read_toml`, whatever the file asks for. Raises ConfigError."""
    try:
        text = read_whole(path, BYTES_MAX).decode()
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read: {error}; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if is_cut(text):
        raise ConfigError(f"{path}:{text.count(chr(10)) + 1}: {cut_words(path)}")
    try:
        # With a line end of its own the last line has a number in errors too.
        tables = tomllib.loads(text + "\n", parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}{_twice(str(error), text)}") from None
    if is_too_deep(tables):
        raise ConfigError(f"{path}: tables and lists are nested deeper than {DEPTH_MAX} levels")
    return tables


def is_too_deep(value: object) -> bool:
    """Whether tables and lists are nested deeper than DEPTH_MAX."""
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        inner: list[object] = []
        for each in level:
            if isinstance(each, Mapping):
                inner += each.values()
            elif isinstance(each, (list, tuple)):
                inner += each
        level = inner
        if not level:
            return False
    return True


def asks_for_live(tables: Mapping[str, Any]) -> bool:
    """Whether `venue.live` is true in these tables."""
    venue = tables.get("venue")
    return isinstance(venue, Mapping) and venue.get("live") is True


def _twice(error: str, text: str) -> str:
    """Which key or table stands twice, and what to do; nothing when it is something else."""
    line = _LINE.search(error)
    if not (line and _TWICE.search(error)):
        return ""
    # The last line of a long value has no key to name, and the value is not repeated.
    content = text.split("\n")[int(line[1]) - 1].strip()
    key = _KEY.match(content)
    is_key = key is not None and (key[2] == "=" or key[1].startswith("["))
    # The last line of a long text may look like a key and be one: of another kind.
    is_key = is_key and not re.search("\"{3}|'{3}", content)
    named = (
        key[1] if key is not None and is_key and not looks_like_key(key[1]) else "what ends there"
    )
    return f": line {line[1]} names {named} a second time; keep one of the two"
