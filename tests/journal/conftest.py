"""What tests of recordings in several files share."""

from __future__ import annotations

from pathlib import Path

import pytest
from segment_helpers import BATCHES, write


@pytest.fixture
def one_file(tmp_path: Path) -> bytes:
    """The same recording without segments."""
    folder = tmp_path / "one"
    folder.mkdir()
    return write(folder, BATCHES, 0).read_bytes()
