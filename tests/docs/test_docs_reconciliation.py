"""Every test that docs/RECONCILIATION.md names is there."""

from __future__ import annotations

import re

import pytest
from places import PROJECT, TESTS

DOCUMENT = PROJECT / "docs" / "RECONCILIATION.md"
LINK_FILES = "test_venue_link.py test_link_cancels.py test_link_lists.py"
"""Where a test is of which no file is named."""


def named_tests(text: str) -> list[tuple[str, str]]:
    """File and beginning of the name of each test in the last column of the table."""
    found = []
    for row in re.findall(r"^\|.*\|$", text, re.MULTILINE):
        file = LINK_FILES
        for name in re.findall(r"`([^`]+)`", row.split("|")[-2]):
            if ": " in name:
                file, name = name.split(": ")
            found.append((file, name.removesuffix("...")))
    return found


NAMED = named_tests(DOCUMENT.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_the_document_names_exists(file: str, name: str) -> None:
    texts = [next(TESTS.rglob(each)).read_text(encoding="utf-8") for each in file.split()]
    assert any(f"def test_{name}" in text for text in texts)


def test_the_document_names_a_test_for_nearly_every_fault() -> None:
    assert len(NAMED) > 25
