"""Holds the tables of docs/TROUBLESHOOTING.md to the code: every code, exit code, warning, error.

Problem: a page of "what went wrong" that lacks the one code a reader has met is worth nothing, and
a code is added in another file. Method: a line `<!-- held: NAME -->` stands above a table, and the
code says which rows it has and what of them it knows: the cures, the meanings of exit codes, the
kinds of defects. What only a person can say is kept, and is `?` in a row that is new: a test
refuses that until it is written.

Run: python tools/make_troubleshooting.py
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from manual_commands import parsers, plain

from logos.cli.exit_codes import SESSION_CODES
from logos.cli.run_command import _CODES as ERROR_CODES
from logos.core.types import Code, ReportKind
from logos.data.defects import KINDS
from logos.errors import LogosError
from logos.feeds.contract import FeedState
from logos.session.artifacts.cures import CURES

PROJECT = Path(__file__).resolve().parent.parent
DOCUMENT = PROJECT / "docs" / "TROUBLESHOOTING.md"
SOURCES = PROJECT / "src" / "logos"
UNKNOWN = "?"
"""What stands in a cell that a person has not written yet."""

Row = tuple[str | None, ...]
"""The cells of a row; None: a person's words, which stay as they are."""

_HELD = re.compile(r"^<!-- held: (?P<name>[a-z ]+) -->\n(?P<table>(?:\|[^\n]*\n)+)", re.M)
_CELL = re.compile(r"(?<!\\)\|")
_EXIT = re.compile(r"^  (\d+)  (.+(?:\n {4,}.+)*)", re.M)


def with_tables(text: str) -> str:
    """The document with the rows of today. Raises KeyError for a table that is not known."""
    return _HELD.sub(lambda found: _held(found["name"], found["table"]), text)


def _held(name: str, table: str) -> str:
    head, rule, *lines = table.splitlines()
    written = {cells[0]: cells for cells in map(_cells, lines)}
    made = [f"<!-- held: {name} -->", head, rule]
    width = len(_cells(head))
    for row in TABLES[name]():
        old = written.get(str(row[0]), [UNKNOWN] * width)
        cells = [before if cell is None else cell for cell, before in zip(row, old, strict=True)]
        made.append(f"| {' | '.join(cells)} |")
    return "\n".join(made) + "\n"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL.split(line)[1:-1]]


# ---- what the code knows ----


def refusals() -> Iterator[Row]:
    """The codes that refuse what a strategy asked for, with what cures each."""
    for code in list(Code)[: _first_ending()]:
        yield f"`{code.value}`", None, plain(CURES[code])


def endings() -> Iterator[Row]:
    """The codes of orders that ended without their fill, with what cures each."""
    for code in list(Code)[_first_ending() :]:
        yield f"`{code.value}`", None, plain(CURES[code])


def _first_ending() -> int:
    """Where in the codes those of orders begin that were sent; see `logos.core.types.Code`."""
    return list(Code).index(Code.IOC_REMAINDER)


def session_exits() -> Iterator[Row]:
    """The exit codes of the commands that run sessions."""
    for code, meaning in SESSION_CODES.items():
        yield str(code), plain(meaning), None


def other_exits() -> Iterator[Row]:
    """The exit codes of every other command, as its help has them."""
    for command, codes in exits_by_command().items():
        if not set(codes.items()) <= set(SESSION_CODES.items()):
            words = "; ".join(f"{code}: {plain(meaning)}" for code, meaning in codes.items())
            yield f"`{command}`", words


def exits_by_command() -> dict[str, dict[int, str]]:
    """The exit codes that the help of each command names."""
    found = {}
    for parser, _ in parsers():
        named = _EXIT.findall(parser.epilog or "")
        codes = {int(code): " ".join(words.split()) for code, words in named}
        if codes:
            found[parser.prog] = codes
    return found


def warnings() -> Iterator[Row]:
    """The codes of warnings."""
    for code in sorted(warning_codes()):
        yield f"`{code}`", None, None


def defects() -> Iterator[Row]:
    """The defects of market data."""
    for kind, meaning in KINDS.items():
        yield f"`{kind}`", plain(meaning), None


def feed_states() -> Iterator[Row]:
    """What a feed says of itself."""
    for state in FeedState:
        yield f"`{state.value}`", None, None


def errors() -> Iterator[Row]:
    """Every family of errors that a user can meet: its base, and the exit code that it gives."""
    families: dict[type[LogosError], list[type[LogosError]]] = {}
    for kind in sorted(error_classes(), key=lambda each: each.__name__):
        families.setdefault(family_of(kind), []).append(kind)
    for base in sorted(families, key=lambda each: each.__name__):
        if base is LogosError or base.__name__ in INSIDE:
            continue
        others = ", ".join(f"`{kind.__name__}`" for kind in families[base] if kind is not base)
        codes = {int(code) for error, code in ERROR_CODES if issubclass(base, error)}
        codes |= {
            int(code) for kind in families[base] for error, code in ERROR_CODES if kind is error
        }
        codes |= {6} if issubclass(base, OSError) else set()
        shown = ", ".join(map(str, sorted(codes))) or None
        yield f"`{base.__name__}`", others, shown, None


INSIDE = frozenset(
    [
        "DrillError",
        "FrameError",
        "LostPlace",
        "NoLimitSet",
        "NotThisCore",
        "PageError",
        "QueueFullError",
        "RecordDamagedError",
        "SnapshotError",
        "SymbolGoneError",
        "Trouble",
        "Unreadable",
        "UnreadableRules",
        "UnreadableTrades",
        "ValueDamagedError",
    ]
)
"""Errors that are caught where they are raised: their words stand in another's message."""


def family_of(kind: type[LogosError]) -> type[LogosError]:
    """The class directly below LogosError that `kind` belongs to."""
    above = [each for each in kind.__mro__ if issubclass(each, LogosError)]
    return above[-2] if len(above) > 1 else LogosError


def error_classes() -> set[type[LogosError]]:
    """Every subclass of LogosError, but those of simulators."""
    found = set()
    for path in sorted(SOURCES.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCES.parent).with_suffix("").parts)
        if module.startswith("logos.simulators"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.bases:
                kind = getattr(importlib.import_module(module), node.name, None)
                if isinstance(kind, type) and issubclass(kind, LogosError):
                    found.add(kind)
    return found


TABLES: Mapping[str, Callable[[], Iterator[Row]]] = {
    "refusals": refusals,
    "endings": endings,
    "exit codes of sessions": session_exits,
    "exit codes of other commands": other_exits,
    "warnings": warnings,
    "defects": defects,
    "feed states": feed_states,
    "errors": errors,
}


# ---- the codes of warnings, which no table of the code has ----


def warning_codes() -> set[str]:
    """Every code that a warning is made with: the places that make one are read.

    Raises ValueError for a place whose code cannot be read.
    """
    found: set[str] = set()
    for path in sorted(SOURCES.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "warn" not in text and "Warning" not in text and "Notice(" not in text:
            continue
        tree = ast.parse(text)
        for node in ast.walk(tree):
            argument = _code_argument(node)
            if argument is not None:
                found |= _values(argument, tree, f"{path.name}:{argument.lineno}")
    return found


def _code_argument(node: ast.AST) -> ast.expr | None:
    """The code in a call that makes a warning; None for any other node."""
    if not isinstance(node, ast.Call):
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    called = called or (node.func.id if isinstance(node.func, ast.Name) else "")
    place = {"warn": 1, "WarningRecord": 3, "Notice": 0}.get(called)
    if place is None or len(node.args) <= place:
        return None
    return node.args[place]


def _values(code: ast.expr, tree: ast.Module, where: str) -> set[str]:
    if isinstance(code, ast.Constant) and isinstance(code.value, str):
        return {code.value}
    if isinstance(code, ast.Name):
        return _named(code.id, tree, where)
    raise ValueError(f"{where}: the code of this warning cannot be read: {ast.unparse(code)}")


def _named(name: str, tree: ast.Module, where: str) -> set[str]:
    """What is assigned to a name, or given for the parameter `code`, in the module."""
    given = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name
    ]
    values = {
        value.value
        for value in given
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }
    if values:
        return values
    if where.startswith("reports.py"):  # what a venue says of an order, by its kind
        return {kind.value for kind in ReportKind if kind not in _NEVER_WARNED}
    if where.startswith(("order_manager.py", "seal.py")):
        return set()  # made from the code that was given to `warn`, or that a Notice has
    raise ValueError(f"{where}: nothing says what {name} is")


_NEVER_WARNED = (ReportKind.FILLED, ReportKind.CHARGED, ReportKind.DIFFERENCE)
"""Reports that are booked, or trip RECONCILIATION, before any warning."""


def main() -> int:
    """Write the document's tables; with `--check` only compare. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Hold docs/TROUBLESHOOTING.md to the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if it is stale")
    text = DOCUMENT.read_text(encoding="utf-8")
    made = with_tables(text)
    if parser.parse_args().check:
        return int(made != text)
    DOCUMENT.write_text(made, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
