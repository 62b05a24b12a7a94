"""What the local gateway says stands in docs/VENUES.md, row by row, with its source."""

from __future__ import annotations

import ast
import re

from places import PROJECT

from logos.simulators.ib.codes import WORDS

FOLDER = PROJECT / "src" / "logos" / "simulators" / "ib"
HEADING = "| code | words of the local gateway | when | source |\n|---|---|---|---|\n"


def rows() -> list[list[str]]:
    text = (PROJECT / "docs" / "VENUES.md").read_text(encoding="utf-8")
    _, _, table = text.partition(HEADING)
    lines = table.partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def used_codes() -> set[int]:
    """Every code that the gateway's source says something with."""
    found: set[int] = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Told", "error"):
                place = 0 if ast.unparse(node.func) == "Told" else 1
                for part in ast.walk(node.args[place]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, int):
                        found.add(part.value)
    return found


def test_every_code_of_the_local_gateway_has_its_row_and_no_row_is_too_many() -> None:
    told = [
        (str(code), words.replace("{}", "...").replace("\n", "\\n"))
        for code, words in WORDS.items()
    ]
    assert [tuple(row[:2]) for row in rows()] == sorted(told, key=lambda each: int(each[0]))


def test_each_row_says_when_and_where_it_is_from() -> None:
    assert len(rows()) >= 25
    for _, _, when, source in rows():
        assert when
        assert re.search(r"\]\(https://[^)]+\)", source)


def test_no_code_stands_there_unused() -> None:
    notices = {2104, 2106, 2158}  # told in one loop, behind a connection
    assert used_codes() | notices == set(WORDS)
