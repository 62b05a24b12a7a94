"""Fixtures of the kill switch's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from switch_helpers import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)
