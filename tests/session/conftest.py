"""What tests of whole sessions share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import judge_sessions


@pytest.fixture(autouse=True)
def every_session_is_judged(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """See `judging`."""
    with judge_sessions(monkeypatch, request.path.name):
        yield
