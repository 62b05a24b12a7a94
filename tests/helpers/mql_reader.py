"""Reads an MQL5 source without a compiler: texts and comments apart, brackets, names, calls.

No more than a reader: it finds what is not closed, and names that nobody defines. Whether types
fit, only a compiler says.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CLOSES = {")": "(", "]": "[", "}": "{"}
_KEYWORDS = frozenset(("if", "for", "while", "switch", "return", "sizeof", "delete", "new", "else"))
_TYPES = "void|bool|int|uint|long|ulong|double|string|datetime|ushort|ENUM_[A-Z_]+|Socket"


class Source(NamedTuple):
    """A source taken apart."""

    code: str
    """Without comments, and with empty texts."""
    texts: list[str]
    """What stands between quotes, escapes as they are written."""
    problems: list[str]
    """What is not closed, or closed by another bracket, with its line."""


def read_source(text: str) -> Source:
    """Take a source apart. It never raises."""
    code: list[str] = []
    texts: list[str] = []
    problems: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith("//", at):
            at = _end(text, at, "\n")
        elif text.startswith("/*", at):
            end = text.find("*/", at)
            if end < 0:
                problems.append(f"line {_line(text, at)}: a comment that does not end")
                break
            at = end + 2
        elif text[at] in "\"'":
            end = _end_of_text(text, at)
            if end < 0:
                problems.append(f"line {_line(text, at)}: a text that does not end")
                break
            if text[at] == '"':
                texts.append(text[at + 1 : end])
            code.append('""' if text[at] == '"' else "' '")
            at = end + 1
        else:
            code.append(text[at])
            at += 1
    whole = "".join(code)
    return Source(whole, texts, problems + _unbalanced(whole))


def _end(text: str, at: int, what: str) -> int:
    end = text.find(what, at)
    return len(text) if end < 0 else end


def _end_of_text(text: str, at: int) -> int:
    """Where the text that begins here ends; -1: not in its line."""
    quote = text[at]
    place = at + 1
    while place < len(text) and text[place] != "\n":
        if text[place] == "\\":
            place += 1
        elif text[place] == quote:
            return place
        place += 1
    return -1


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _unbalanced(code: str) -> list[str]:
    problems = []
    opened: list[tuple[str, int]] = []
    for at, letter in enumerate(code):
        if letter in "([{":
            opened.append((letter, at))
        elif letter in ")]}":
            if not opened or opened[-1][0] != _CLOSES[letter]:
                problems.append(f"a {letter!r} closes nothing that is open")
                return problems
            opened.pop()
    return problems + [f"a {letter!r} is never closed" for letter, _ in opened]


def defined(code: str) -> set[str]:
    """The functions that a source defines."""
    return set(re.findall(rf"^(?:{_TYPES})\s+\*?(\w+)\s*\([^;{{]*?\)\s*\{{", code, re.M))


def called(code: str) -> set[str]:
    """Functions that are called, methods without."""
    made = r"(?:ZmqMsg|Context|Socket)\s+\*?\w+\("
    plain = re.sub(rf"{made}|\bnew\s+\w+\(", "", code)
    return set(re.findall(r"(?<![\w.])([A-Za-z_]\w*)\s*\(", plain)) - _KEYWORDS


def methods(code: str) -> set[str]:
    """Methods that are called."""
    return set(re.findall(r"\.(\w+)\s*\(", code))


def constants(code: str) -> set[str]:
    """Names in capitals that are used, those of `#define` without."""
    names = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", code))
    return names - set(re.findall(r"#define\s+(\w+)", code))


def names_in(text: str) -> frozenset[str]:
    """Words as a set."""
    return frozenset(text.split())


def protocol_rows(guide: str) -> list[tuple[list[str], list[str], list[str]]]:
    """Of docs/MT5.md's table of messages: each one's names, the fields it reads and it writes."""
    rows = guide.partition("| message | fields read | fields written |\n|---|---|---|\n")[2]
    found = []
    for row in rows.partition("\n\n")[0].splitlines():
        _, *cells, _ = row.split("|")
        message, reads, writes = (re.findall(r"`(\w+)`", cell) for cell in cells)
        found.append((message, reads, writes))
    return found
