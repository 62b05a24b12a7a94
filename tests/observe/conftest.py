"""A desk of made-up sessions for the tests of the metrics page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from metrics_helpers import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "desk"
    home.mkdir()
    with Desk(home) as made:
        yield made
