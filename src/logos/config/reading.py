"""Read a settings file: TOML, its numbers exact, and an error that names the line.

The parser says what it dislikes and where, but of a key that stands twice only the line. The key is
named here, and never its value: somebody may have put a password there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from logos.errors import ConfigError

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
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    try:
        # With a line end of its own the last line has a number in errors too.
        return tomllib.loads(text + "\n", parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}{_twice(str(error), text)}") from None


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
    key = _KEY.match(text.split("\n")[int(line[1]) - 1].strip())
    named = key[1] if key and (key[2] == "=" or key[1].startswith("[")) else "what ends there"
    return f": line {line[1]} names {named} a second time; keep one of the two"
