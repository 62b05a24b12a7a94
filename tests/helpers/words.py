"""The words with which the sources refuse, warn and judge, and those that the tests quote.

A message is the text of a raised error, of a problem in a list, of a line of a check or of a
finding. Its fixed parts are what stands between the figures. It counts as quoted when a string of
a test (what is compared, or matched) holds a good piece of one of them: `PIECE` characters in a
row, or a whole fixed part if all are shorter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from import_graph import statements
from places import PROJECT

PIECE: Final = 14
"""Characters in a row that no two messages share by chance."""

_SAYING: Final = re.compile(
    r"(Error|Refused|NotSent|Unknown|Unavailable|Unreadable|Denied|Trouble)$"
)
_MAKERS: Final = frozenset({"CheckLine", "Finding", "append", "Objection", "Problem", "say"})


class Message(NamedTuple):
    """A text that the sources say; `parts` are its fixed parts, longest first."""

    file: str
    line: int
    function: str
    parts: tuple[str, ...]


def messages_of(files: Iterable[Path]) -> Iterator[Message]:
    """Every message of these files that has at least two words."""
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        name = str(file.relative_to(PROJECT / "src" / "logos"))
        for function, node in _texts(tree, ""):
            parts = tuple(sorted(fixed_parts(node), key=len, reverse=True))
            if parts and " " in parts[0].strip() and len(parts[0]) >= PIECE // 2:
                yield Message(name, node.lineno, function, parts)


def _texts(node: ast.AST, function: str) -> Iterator[tuple[str, ast.expr]]:
    """The texts of raised errors, of lists of problems and of findings, with their functions."""
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inside = f"{function}.{child.name}".lstrip(".")
        if isinstance(child, ast.Call) and _says(child):
            for argument in child.args:
                yield from ((inside, text) for text in _leaves(argument))
        elif isinstance(child, ast.Return) and isinstance(child.value, ast.List):
            for element in child.value.elts:
                yield from ((inside, text) for text in _leaves(element))
        yield from _texts(child, inside)


def _says(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.func.id if isinstance(call.func, ast.Name) else name
    return name in _MAKERS or bool(_SAYING.search(name))


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """The texts among which an expression chooses."""
    if isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    ):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from _leaves(node.body)
        yield from _leaves(node.orelse)


def fixed_parts(node: ast.expr) -> list[str]:
    """What stands between the figures of a text."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    assert isinstance(node, ast.JoinedStr)
    return [str(each.value) for each in node.values if isinstance(each, ast.Constant)]


@cache
def quoted() -> str:
    """Every string that a test holds, in one text; escapes of patterns are taken off."""
    found = []
    for file in sorted((PROJECT / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        skipped = {id(node.value) for node in statements(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if type(node) is ast.Constant and type(node.value) is str and id(node) not in skipped:
                found.append(re.sub(r"\\(.)", r"\1", node.value))
    return "\0".join(found)


def is_quoted(message: Message) -> bool:
    """Whether some test holds a good piece of it."""
    corpus = quoted()
    longest = message.parts[0]
    for part in message.parts:
        if len(part) < PIECE and part is not longest:
            continue
        for start in range(max(1, len(part) - PIECE + 1)):
            piece = part[start : start + PIECE]
            if piece.strip() and piece in corpus:
                return True
    return False
