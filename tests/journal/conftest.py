"""One small session, and copies of it to be tampered with."""

from __future__ import annotations

from pathlib import Path

import pytest
from journal_helpers import copy_of, spot


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished session's folder; tests change copies of it."""
    return spot(tmp_path_factory.mktemp("home")).folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    return copy_of(original, tmp_path)
