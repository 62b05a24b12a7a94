"""Nothing grows beyond its limit, and what is larger today only shrinks."""

from __future__ import annotations

from pathlib import Path

import pytest
import ratchet
from ratchet import LIMITS, REFRESH, Sizes


@pytest.mark.long
@pytest.mark.timeout(600)  # a busy machine
def test_nothing_is_larger_than_its_limit_or_than_the_table_lists() -> None:
    listed = ratchet.read(ratchet.TABLE.read_text(encoding="utf-8"))
    sizes = ratchet.measure()
    assert sum(kind == "file lines" for kind, _ in sizes) > 200
    found = ratchet.problems(sizes, listed)
    assert found == [], "\n" + "\n".join(found) + f"\n(refresh with: {REFRESH})"


def project_of(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_what_is_measured(tmp_path: Path) -> None:
    source = (
        "class Kind:\n"
        "    def method(self, a, /, b, *rest, c=1, **more):\n"
        "        def inner(self):\n"
        "            return 1\n"
        "        return inner\n"
    )
    files = {"src/logos/room/__init__.py": "", "src/logos/room/kind.py": source, "tests/t.py": "\n"}
    assert ratchet.measure(project_of(tmp_path, files)) == {
        ("file lines", "src/logos/room/__init__.py"): 0,
        ("file lines", "src/logos/room/kind.py"): 5,
        ("file lines", "tests/t.py"): 1,
        ("function lines", "src/logos/room/kind.py::Kind.method"): 4,
        ("function lines", "src/logos/room/kind.py::Kind.method.inner"): 2,
        ("parameters", "src/logos/room/kind.py::Kind.method"): 5,
        ("parameters", "src/logos/room/kind.py::Kind.method.inner"): 0,
        ("modules", "src/logos/room"): 1,
    }


@pytest.mark.parametrize("kind", sorted(LIMITS))
@pytest.mark.parametrize(
    ("above_limit", "listed_above_limit", "words"),
    [
        (0, None, None),
        (1, None, "and the limit is"),
        (5, 5, None),
        (6, 5, "which may only shrink: split it"),
        (4, 5, "lower it"),
        (0, 5, "within the limit: unlist it"),
        (0, 0, "within the limit: unlist it"),
        (1, 0, "which may only shrink: split it"),
        (None, 5, "gone: unlist it"),
    ],
)
def test_every_disagreement_is_a_finding(
    kind: str, above_limit: int | None, listed_above_limit: int | None, words: str | None
) -> None:
    key = (kind, "thing")
    sizes = {} if above_limit is None else {key: LIMITS[kind] + above_limit}
    listed = {} if listed_above_limit is None else {key: LIMITS[kind] + listed_above_limit}
    found = ratchet.problems(sizes, listed)
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_a_refresh_lowers_removes_and_follows_but_lets_nothing_grow() -> None:
    listed: Sizes = {
        ("file lines", "src/shrank.py"): 500,
        ("file lines", "src/fine.py"): 500,
        ("file lines", "src/grew.py"): 500,
        ("file lines", "src/old/moved.py"): 500,
        ("file lines", "src/old/moved_and_grew.py"): 500,
        ("function lines", "src/old/moved.py::Kind.run"): 90,
    }
    sizes: Sizes = {
        ("file lines", "src/shrank.py"): 450,
        ("file lines", "src/fine.py"): 400,
        ("file lines", "src/grew.py"): 501,
        ("file lines", "src/new/moved.py"): 499,
        ("file lines", "src/new/moved_and_grew.py"): 501,
        ("file lines", "src/new/unheard_of.py"): 450,
        ("function lines", "src/new/moved.py::Other.run"): 80,
    }
    refreshed = ratchet.refreshed(sizes, listed)
    assert refreshed == {
        ("file lines", "src/shrank.py"): 450,
        ("file lines", "src/grew.py"): 500,
        ("file lines", "src/new/moved.py"): 499,
        ("function lines", "src/new/moved.py::Other.run"): 80,
    }
    found = ratchet.problems(sizes, refreshed)
    assert [line.split(":")[0] for line in found] == [
        "src/grew.py",
        "src/new/moved_and_grew.py",
        "src/new/unheard_of.py",
    ]
    assert ratchet.read(ratchet.written(refreshed)) == refreshed


def test_of_two_numbers_that_a_merge_left_the_smaller_counts() -> None:
    text = "# a remark\n\nmodules | 20 | src/a\nmodules | 18 | src/a\nmodules | 19 | src/a\n"
    assert ratchet.read(text) == {("modules", "src/a"): 18}


@pytest.mark.parametrize(
    "line", ["<<<<<<< HEAD", "modules | 20", "modules | many | src/a", "rooms | 3 | src/a"]
)
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"ratchet\.txt:2: not `kind \| number \| name`"):
        ratchet.read(f"# head\n{line}\n")
