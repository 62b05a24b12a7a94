"""Every file, folder and module that a text of the project names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from import_graph import SOURCE
from named_paths import (
    OF_A_USER,
    TEXTS,
    dead_modules,
    dead_names,
    dead_paths,
    names_in,
    prose_of,
)
from places import PROJECT

NAMED = [path for pattern in TEXTS for path in sorted(PROJECT.glob(pattern))]


def test_the_texts_are_there() -> None:
    missing = [pattern for pattern in TEXTS if not any(PROJECT.glob(pattern))]
    assert missing == []
    assert len(NAMED) > 20


@pytest.mark.parametrize("path", NAMED, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_text_names_what_is_not_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert dead_paths(text, path.parent) == []
    assert dead_modules(text) == []


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("run tests/core/test_gone.py first", ["tests/core/test_gone.py"]),
        ("`core/gone.py`, `core/fixed.py`", ["core/gone.py"]),
        ("TARGETS = ('core/gone.py',)", ["core/gone.py"]),
        ("see [this](docs/GONE.md) and [that](docs/DATA.md).", ["docs/GONE.md"]),
        ("a room `gone/` beside `core/`", ["gone/"]),
        ("src/logos/session/gone.toml", ["src/logos/session/gone.toml"]),
        ("examples/session.toml and examples/gone.toml", ["examples/gone.toml"]),
        ("`test_gone.py` in `tests/core`", ["test_gone.py"]),
        ("a pattern: docs/*.md, docs/*.gone", ["docs/*.gone"]),
        ("tests/gone/test_a.py::test_it", ["tests/gone/test_a.py"]),
        ("logos/core/gone.py and logos/core/fixed.py", ["logos/core/gone.py"]),
    ],
)
def test_a_dead_path_is_found(text: str, dead: list[str]) -> None:
    assert dead_paths(text) == dead


@pytest.mark.parametrize(
    "text",
    [
        "and/or, 1/2, https://example.org/docs/gone.md",
        "runs/live/sessions/a/state.jsonl in `runs/`",
        "$(BIN)/pytest, src/logos/core/*.so, .venv-$version/bin/python",
        "`tests/core`, `core/fixed.py`, `test_ratchet.py`, `bench/`, README.md",
        " ".join(sorted(OF_A_USER)),
    ],
)
def test_what_is_there_or_is_no_path_of_the_project_passes(text: str) -> None:
    assert dead_paths(text) == []


def test_a_link_of_a_document_starts_at_its_folder() -> None:
    assert dead_paths("[x](tests/../README.md) `docs/../README.md`", PROJECT / "docs") == []
    assert dead_paths("`../GONE.md` `DATA.md`", PROJECT / "docs") == ["../GONE.md"]


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("`logos.core.gone`", ["logos.core.gone"]),
        ("python -m logos.gone", ["logos.gone"]),
        ("`logos.core.strategy.Gone`", ["logos.core.strategy.Gone"]),
        ("`logos.core.strategy.Strategy`, logos.core.fixed. logos.__version__", []),
        ("`logos kill`, my.logos.thing, https://logos.example", []),
    ],
)
def test_a_dead_module_is_found(text: str, dead: list[str]) -> None:
    assert dead_modules(text) == dead


def test_the_table_of_the_core_names_its_modules() -> None:
    text = (PROJECT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("### Inside the core")[2].partition("\n## ")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    named = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert len(named) > 15
    assert named - {path.stem for path in (SOURCE / "logos" / "core").glob("*.py")} == set()


@pytest.mark.long
def test_what_the_code_says_of_itself_names_what_is_there() -> None:
    """A docstring or a comment that names a module, a class or a function of long ago misleads."""
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))}
    known = {part for path in sources for part in (*path.parts, path.stem)}
    known = known.union(*map(names_in, sources.values()))
    dead = {
        str(path.relative_to(SOURCE)): names
        for path, source in sources.items()
        if (names := dead_names(prose_of(source), known))
    }
    assert dead == {}


def test_a_dead_name_is_found() -> None:
    source = '''"""See `old_module` and `OldClass`, `there`, `NAN`, `is_there`."""
is_there = "`only_words`"
"""`gone_too`"""
def f(a_name):
    return a_name  # as `a_name`, not as `the_other`
'''
    found = dead_names(prose_of(source), names_in(source))
    assert found == ["old_module", "OldClass", "gone_too", "the_other"]
