"""What the local Alpaca refuses with stands in docs/VENUES.md, row by row, with its source."""

from __future__ import annotations

import ast
import re

from places import PROJECT

FOLDER = PROJECT / "src" / "logos" / "simulators" / "alpaca"
HEADING = "| HTTP | code | words | source |\n|---|---|---|---|\n"


def words_of(node: ast.expr, known: dict[str, ast.expr]) -> str:
    """The words of an expression; what is put into them is an ellipsis."""
    if isinstance(node, ast.Name):
        return words_of(known[node.id], known)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values
        )
    assert isinstance(node, ast.Constant)
    return str(node.value)


def refusals() -> set[tuple[str, str, str]]:
    """HTTP status (empty on a stream), code and words of everything that is refused."""
    found = set()
    for path in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        known = {
            node.targets[0].id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Denied":
                status, code = (str(ast.literal_eval(each)) for each in node.args[:2])
                found.add((status, "" if code == "0" else code, words_of(node.args[2], known)))
            elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_ERRORS":
                assert node.value is not None
                errors: dict[int, str] = ast.literal_eval(node.value)
                found |= {("", str(code), words) for code, words in errors.items()}
    return found


def rows() -> list[list[str]]:
    text = (PROJECT / "docs" / "VENUES.md").read_text(encoding="utf-8")
    _, _, table = text.partition(HEADING)
    lines = table.partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_refusal_of_the_local_alpaca_has_its_row_and_no_row_is_too_many() -> None:
    answered = refusals()
    assert len(answered) >= 25
    assert sorted(tuple(row[:3]) for row in rows()) == sorted(answered)


def test_each_row_says_where_it_is_from() -> None:
    for *_, source in rows():
        assert re.search(r"\]\(https://[^)]+\)", source) or source == "the words are ours"


def test_the_words_of_a_refusal_are_read_with_what_is_put_into_them() -> None:
    tree = ast.parse('f"asset {name} is not there"', mode="eval")
    assert words_of(tree.body, {}) == "asset ... is not there"
