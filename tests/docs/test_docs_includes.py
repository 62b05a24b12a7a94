"""Code blocks that show a file of examples/ are that file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from places import PROJECT


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "tools"))
        import include_examples  # type: ignore[import-not-found,unused-ignore]

        yield include_examples


def test_every_block_is_what_its_file_gives_now(tool: ModuleType) -> None:
    marked = 0
    for path in tool.documents():
        text = path.read_text(encoding="utf-8")
        marked += text.count("<!-- include: ")
        assert tool.expand(text, path.name) == text, f"{path.name}: run `{tool.COMMAND}`"
    assert marked >= 2


def test_a_block_is_written_anew_and_the_text_around_it_kept(
    tool: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("import os\n\n\nif __name__:\n    pass\n")
    old = "one\n\n<!-- include: a.py -->\n```python\nold\n```\n\ntwo\n```\nother\n```\n"
    new = "one\n\n<!-- include: a.py -->\n```python\nimport os\n\n\nif __name__:\n    pass\n```\n"
    assert tool.expand(old, "d.md", tmp_path) == new + "\ntwo\n```\nother\n```\n"
    part = old.replace("a.py", "a.py until: if __name__")
    assert "```python\nimport os\n```\n\ntwo" in tool.expand(part, "d.md", tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!-- include: b.py -->\n```python\n```\n", "there is no such file"),
        ("<!-- include: a.py -->\n\ntext\n", "no code block follows"),
        ("<!-- include: a.py until: class -->\n```python\n```\n", "nothing is left"),
    ],
)
def test_a_marker_that_cannot_be_followed_is_an_error(
    tool: ModuleType, tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    with pytest.raises(tool.IncludeError, match=rf"^d\.md: .*{reason}|^d\.md: {reason}"):
        tool.expand(text, "d.md", tmp_path)
