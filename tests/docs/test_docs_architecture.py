"""docs/ARCHITECTURE.md names every room and every module of the core, and no other."""

from __future__ import annotations

import re

from places import PROJECT

TEXT = (PROJECT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
SOURCE = PROJECT / "src" / "logos"


def first_column(heading: str) -> list[str]:
    """The names in the first cells of the table under a heading."""
    section = TEXT.partition(f"\n{heading}\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.M)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_every_room_is_explained_once_and_no_other() -> None:
    modules = {path.name for path in SOURCE.glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in SOURCE.glob("*/__init__.py")}
    named = first_column("## Rooms")
    assert sorted(named) == sorted(modules | folders)


def test_every_module_of_the_core_is_explained_once_and_no_other() -> None:
    modules = {path.stem for path in (SOURCE / "core").glob("*.py")} - {"__init__"}
    folders = {f"core/{path.parent.name}/" for path in (SOURCE / "core").glob("*/__init__.py")}
    named = first_column("### Inside the core")
    assert sorted(named) == sorted(modules | folders)
