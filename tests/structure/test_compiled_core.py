"""The core is wholly compiled or wholly interpreted, and the tests know which one they test."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from places import PROJECT

SETUP = PROJECT / "setup.py"


def listed_modules() -> list[str]:
    """The modules in the list of setup.py."""
    for node in ast.parse(SETUP.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COMPILED":
            return list(ast.literal_eval(node.value))
    raise AssertionError("setup.py has no list COMPILED")


def test_all_modules_of_the_core_are_of_the_expected_kind() -> None:
    # `make test-compiled` sets the variable; a stale extension in a plain run fails here.
    expected = os.environ.get("LOGOS_EXPECT_COMPILED") == "1"
    files = {name: str(importlib.import_module(name).__file__) for name in listed_modules()}
    assert len(files) >= 50
    wrong = [
        path for path in files.values() if path.endswith(tuple(EXTENSION_SUFFIXES)) is not expected
    ]
    assert wrong == [], "run `make interpreted`, or `make test-compiled` for the extensions"


def test_extensions_that_were_built_elsewhere_are_taken_and_a_folder_without_any_is_an_error(
    tmp_path: Path,
) -> None:
    """As `.ci/run` does it: the old ones go, and what cannot be had is no success."""
    core = tmp_path / "src" / "logos" / "core"
    core.mkdir(parents=True)
    built = tmp_path / "built" / "logos" / "core"
    built.mkdir(parents=True)
    (core / "old.so").touch()
    (built / "engine.so").write_text("new")

    def compiled(folder: str) -> int:
        command = [
            *("make", "-s", f"--file={PROJECT / 'Makefile'}", "-o", "env"),
            *("compiled", f"EXTENSIONS={tmp_path / folder}"),
        ]
        plain = {**os.environ, "MAKEFLAGS": ""}
        return subprocess.run(command, cwd=tmp_path, env=plain, check=False).returncode

    assert compiled("built") == 0
    assert [path.name for path in core.iterdir()] == ["engine.so"]
    assert (core / "engine.so").read_text() == "new"
    assert compiled("gone") != 0
    assert list(core.iterdir()) == []
    (tmp_path / "empty").mkdir()
    assert compiled("empty") != 0
