"""The core is wholly compiled or wholly interpreted, and the tests know which one they test."""

from __future__ import annotations

import ast
import importlib
import os
from importlib.machinery import EXTENSION_SUFFIXES

from places import PROJECT

SETUP = PROJECT / "setup.py"


def listed_modules() -> list[str]:
    """The names in COMPILED of setup.py."""
    for node in ast.parse(SETUP.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COMPILED":
            return list(ast.literal_eval(node.value))
    raise AssertionError("setup.py has no list COMPILED")


def test_all_modules_of_the_core_are_of_the_expected_kind() -> None:
    # `make test-compiled` sets the variable; a stale extension in a plain run fails here.
    expected = os.environ.get("LOGOS_EXPECT_COMPILED") == "1"
    files = {
        name: str(importlib.import_module(f"logos.core.{name}").__file__)
        for name in listed_modules()
    }
    assert len(files) >= 10
    wrong = [
        path for path in files.values() if path.endswith(tuple(EXTENSION_SUFFIXES)) is not expected
    ]
    assert wrong == [], "run `make interpreted`, or `make test-compiled` for the extensions"
