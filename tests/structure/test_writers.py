"""Every file and folder is made in one place, `logos.files`, which makes it its owner's alone."""

from __future__ import annotations

import ast

import pytest
from import_graph import SOURCE as PROJECT_SOURCE

SOURCE = PROJECT_SOURCE / "logos"

MAKES_FILES = {
    "files.py": "the place",
    "killswitch/files.py": "the switch's own layer of system calls, with the same modes",
    "testing/": "what a user's tests make lies where those say",
}
"""Who may make files and folders by itself, and why."""

_MAKING = {"mkdir", "makedirs", "write_text", "write_bytes", "touch"}


def makings(source: str) -> list[int]:
    """Lines that make a file or folder without saying for whom."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        is_plain_open = isinstance(node.func, ast.Name) and node.func.id == "open"
        of_os = name == "open" and isinstance(node.func, ast.Attribute)
        of_os = of_os and ast.unparse(node.func) == "os.open"
        if name in _MAKING and not (name == "write_text" and len(node.args) == 2):
            found.append(node.lineno)  # of two arguments it is that of a session's folder
        elif of_os and "O_CREAT" in ast.unparse(node):
            found.append(node.lineno)
        elif is_plain_open or (name == "open" and not of_os):
            words = [*node.args[1 if is_plain_open else 0 :], *(k.value for k in node.keywords)]
            modes = [w.value for w in words if isinstance(w, ast.Constant)]
            if any(isinstance(mode, str) and set(mode) & set("wxa") for mode in modes[:1]):
                found.append(node.lineno)
    return found


@pytest.mark.long
def test_whoever_makes_a_file_or_folder_does_it_through_files() -> None:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        lines = makings(path.read_text(encoding="utf-8"))
        if lines and not any(name.startswith(each) for each in MAKES_FILES):
            found[name] = lines
    assert found == {}, "use files.make_folder, open_new, replace_file or AppendFile"


@pytest.mark.parametrize(
    "bad",
    [
        'open(path, "w")', 'open(path, "ab")', 'path.open("x", encoding="utf-8")',
        "path.mkdir(parents=True)", "path.write_text(text)", "os.makedirs(path)",
        "os.open(path, os.O_CREAT | os.O_WRONLY)", "path.touch()", 'open(path, mode="w")',
    ],
)  # fmt: skip
def test_another_writer_is_seen(bad: str) -> None:
    assert makings(f"import os\n{bad}\n") == [2]


@pytest.mark.parametrize("good", ['open(path, "rb")', "path.open()", "os.open(path, os.O_RDONLY)"])
def test_a_reader_is_none(good: str) -> None:
    assert makings(good) == []
