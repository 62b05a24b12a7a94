"""The attack shares no code with what it attacks, nor with the tests beside it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from places import TESTS

ATTACK = TESTS / "attack"
OWN = {path.stem for path in ATTACK.glob("*.py")}
# What a user writes a strategy with, and the function behind the command `logos`.
PUBLIC = {"attack_desk.py": {"logos"}, "attack_damage.py": {"logos.cli.main"}}


def foreign_imports(tree: ast.AST, allowed: set[str]) -> set[str]:
    """The modules that are neither the standard library's, the attack's own, nor allowed."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    ours = OWN | allowed
    return {
        name
        for name in found
        if name not in ours and name.partition(".")[0] not in sys.stdlib_module_names
    }


@pytest.mark.parametrize("path", sorted(ATTACK.glob("*.py")), ids=lambda path: path.name)
def test_the_attack_imports_nothing_that_it_attacks(path: Path) -> None:
    allowed = PUBLIC.get(path.name, set())
    if path.name.startswith("test_"):
        allowed = {"pytest"}
    assert foreign_imports(ast.parse(path.read_text(encoding="utf-8")), allowed) == set()


@pytest.mark.parametrize(
    "line", ["import logos.audit.verify", "from kill_helpers import logos", "import tqdm"]
)
def test_an_import_from_outside_is_seen(line: str) -> None:
    assert foreign_imports(ast.parse(line), {"logos", "pytest"}) != set()
