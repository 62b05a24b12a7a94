"""Keeps the code blocks of README.md and docs/ equal to the files that they show.

Problem: code in a document that is a copy of a file grows old. Method: a marker stands above the
block, and this tool writes the block anew from the file:

    <!-- include: examples/breakout.py -->
    <!-- include: examples/breakout.py until: if __name__ -->

The second form stops before the first line that begins with the words given. `--check` changes
nothing and names the documents that are out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
COMMAND = "python tools/include_examples.py"

_LANGUAGES = {".py": "python", ".toml": "toml", ".csv": "csv"}
_MARKER = re.compile(r"^<!-- include: (?P<name>\S+)(?: until: (?P<until>.+?))? -->$", re.M)
_BLOCK = re.compile(r"\A\n```[^\n]*\n.*?^```$", re.M | re.S)


class IncludeError(Exception):
    """A marker cannot be followed; the message says where and why."""


def expand(text: str, name: str, project: Path = PROJECT) -> str:
    """`text`, the document called `name`, with every marked block as its file is now."""
    parts, end = [], 0
    for marker in _MARKER.finditer(text):
        block = _BLOCK.match(text[marker.end() :])
        if block is None:
            raise IncludeError(f"{name}: no code block follows {marker[0]}")
        file = project / marker["name"]
        if not file.is_file():
            raise IncludeError(f"{name}: {marker[0]}: there is no such file")
        shown = _shown(file.read_text(encoding="utf-8"), marker["until"])
        if not shown:
            raise IncludeError(f"{name}: {marker[0]}: nothing is left to show")
        language = _LANGUAGES.get(file.suffix, "")
        parts += [text[end : marker.end()], f"\n```{language}\n{shown}```"]
        end = marker.end() + block.end()
    return "".join([*parts, text[end:]])


def _shown(text: str, until: str | None) -> str:
    lines = text.splitlines()
    if until is not None:
        stop = next((number for number, line in enumerate(lines) if line.startswith(until)), 0)
        lines = lines[:stop]
    kept = "\n".join(lines).rstrip()
    return kept + "\n" if kept else ""


def documents(project: Path = PROJECT) -> list[Path]:
    """README.md and the documents of docs/."""
    return [project / "README.md", *sorted((project / "docs").glob("*.md"))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the blocks anew; with `--check` only compare. Returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    status = 0
    for path in documents():
        text = path.read_text(encoding="utf-8")
        try:
            made = expand(text, path.name)
        except IncludeError as error:
            print(error, file=sys.stderr)
            return 1
        if made == text:
            continue
        if "--check" in given:
            print(f"{path.name} shows old examples: run `{COMMAND}`", file=sys.stderr)
            status = 1
        else:
            path.write_text(made, encoding="utf-8")
            print(path.name)
    return status


if __name__ == "__main__":
    sys.exit(main())
