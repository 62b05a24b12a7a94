"""Read a `.env` file: `NAME=value` lines, strictly.

A line that is read differently by this parser, a shell and another tool is a wrong key sent to a
venue. So the grammar is small, nothing is expanded, and what could be meant in two ways is
refused with the number of its line. No message repeats any part of a line: a key that was pasted
without its name looks like a name.

    # a comment
    NAME=value            unquoted: no spaces, quotes or backslashes inside
    export NAME=value     the word export is allowed, and means nothing
    NAME='any $text'      taken as it stands
    NAME="a \\"b\\" \\\\ \\n"   the escapes are \\" \\\\ \\n \\r and \\t
    NAME=value # a comment, after a space
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from logos.errors import ConfigError
from logos.files import cut_words, is_cut, read_whole

_ASSIGNMENT: Final = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.S)
_UNQUOTED: Final = re.compile(r"([^\s'\"\\]*)")
_SINGLE: Final = re.compile(r"'([^']*)'")
_DOUBLE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_REST: Final = re.compile(r"\s*|\s+#.*")
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_SECRET_NAME: Final = re.compile(r"(^|_)(KEY|KEY_ID|SECRET|PASSWORD|PASSPHRASE|TOKEN)$", re.I)
_NOT_A_SETTING: Final = (
    "not a setting; write NAME=value, the name in letters, digits and '_', with no space around ="
)
_BYTES_MAX: Final = 1 << 20
"""Of a whole file."""


def read_dotenv(path: Path) -> dict[str, str]:
    """The names and values of a `.env` file; nothing when there is no such file.

    Raises ConfigError, which lists every line that cannot be read.
    """
    try:
        text = read_whole(path, _BYTES_MAX).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        # A workspace that is no folder is reported when a file is written there.
        return {}
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    values, problems = parse_dotenv(text, str(path))
    if is_cut(text):
        problems.append(f"{path}:{text.count(chr(10)) + 1}: {cut_words(path)}")
    if problems:
        raise ConfigError("; ".join(problems), problems)
    return values


def parse_dotenv(text: str, where: str) -> tuple[dict[str, str], list[str]]:
    """The names and values of `text`, and what cannot be read, each with `where` and its line."""
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(content)
        if match is None:
            problems.append(f"{where}:{number}: {_NOT_A_SETTING}")
            continue
        name, value = match[1], _value(match[2])
        if name in lines:
            problems.append(
                f"{where}:{number}: its name is set already in line {lines[name]}; keep one"
            )
        elif value is None:
            problems.append(
                f"{where}:{number}: the value cannot be read; put it in single quotes if it has "
                "spaces, quotes or backslashes, and close what is opened on the same line"
            )
        else:
            values[name] = value
        lines.setdefault(name, number)
    return values, problems


def open_to_others(path: Path, names: list[str]) -> str:
    """A warning when others on this machine can read the secrets in `path`; else nothing."""
    if os.name != "posix" or not any(_SECRET_NAME.search(name) for name in names):
        return ""
    if not path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    return f"{path} holds secrets and others on this machine can read it: chmod 600 {path}"


def _value(text: str) -> str | None:
    """What stands behind the `=`; None when it cannot be read."""
    if text.startswith("'"):
        match = _SINGLE.match(text)
    elif text.startswith('"'):
        match = _DOUBLE.match(text)
    else:
        match = _UNQUOTED.match(text)
    if match is None or not _REST.fullmatch(text[match.end() :]):
        return None
    if not text.startswith('"'):
        return match[1]
    if any(letter not in _ESCAPES for letter in _ESCAPE.findall(match[1])):
        return None
    return _ESCAPE.sub(lambda escape: _ESCAPES[escape[1]], match[1])
