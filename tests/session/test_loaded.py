"""What a session on recorded data loads before it begins."""

from __future__ import annotations

import subprocess
import sys

LIVE = ("asyncio", "http.client", "ssl", "logos.session.drive", "logos.session.connections")


def test_a_session_on_recorded_data_loads_nothing_that_only_live_ones_need() -> None:
    code = "import sys, logos.session.entry; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "logos.session.entry" in loaded
    assert [name for name in LIVE if name in loaded] == []
