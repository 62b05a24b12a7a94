"""The screen in a terminal of 80x24, as a person has it: colours, and no line that is broken."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_commands import files, make_workspace
from places import absent
from waiting import wait_until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(180)]
SERVER = ("tmux", "-L", f"logos-screen-{os.getpid()}")
PATHS = ("folder", "report")
"""Lines whose only word is never cut."""
TIME = r"\d\d:\d\d:\d\d  "
COLOUR = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The workspace of the runbook, and a server of terminals for it."""
    if shutil.which("tmux") is None:
        absent("no tmux here")
    make_workspace(tmp_path, monkeypatch)
    settings = files("docs/LIVE-RUNBOOK.md")["live.toml"]
    (tmp_path / "live.toml").write_text(settings, encoding="utf-8")
    yield tmp_path
    subprocess.run([*SERVER, "kill-server"], check=False, capture_output=True)


def captured(desk: Path, command: str) -> list[str]:
    """All that the terminal has shown once the command has ended; lines that the terminal had to
    break are whole again."""
    over = desk / "over"
    shell = f"{command}; touch {over}; sleep 600"
    subprocess.run(
        [*SERVER, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", shell],
        check=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    wait_until(over.exists, "the command has ended", patience_s=150)
    done = subprocess.run(
        [*SERVER, "capture-pane", "-p", "-e", "-J", "-S", "-2000"],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.rstrip() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("colours", ["", "NO_COLOR=1 "])
def test_a_live_session_in_80_columns(desk: Path, colours: str) -> None:
    logos = Path(sys.executable).parent / "logos"
    shown = captured(
        desk, f"{colours}{logos} trade --config live.toml --speed 30 --session-id desk"
    )
    plain = [COLOUR.sub("", line) for line in shown]
    begin = next(number for number, line in enumerate(plain) if line.startswith("logos 0"))
    wide = [line for line in plain[begin:] if len(line) > 80 and not line.startswith(PATHS)]
    assert wide == []
    text = "\n".join(plain)
    assert re.search(rf"^{TIME}ETHUSDT 3,.* day -\d.* drawdown ", text, re.M)
    assert re.search(r"^ +orders \d+, fills \d+, refused \d+$", text, re.M)
    assert "session   desk   ENDED: all events processed" in text
    whole = "\n".join(shown)
    assert ("\x1b[36mFILL" in whole) is (not colours)
    assert ("\x1b[33mREFUSED" in whole) is (not colours)
