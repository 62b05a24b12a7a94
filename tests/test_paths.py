"""The workspace's folders, session ids and the seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos import paths


def test_home_is_the_working_directory_unless_logos_home_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LOGOS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert paths.home() == tmp_path
    monkeypatch.setenv("LOGOS_HOME", "elsewhere")
    assert paths.home() == tmp_path / "elsewhere"
    assert paths.home().is_absolute()


def test_every_folder_hangs_off_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    assert paths.session_dir("a-1") == tmp_path / "runs" / "live" / "sessions" / "a-1"
    assert paths.logs_dir() == tmp_path / "logos" / "logs"
    assert paths.cache_dir() == tmp_path / "data" / "cache"
    assert paths.state_dir() == tmp_path / "state"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("session_id", ["a", "0", "20260105-a_b", "Z" * 64])
def test_a_plain_session_id_is_accepted(session_id: str) -> None:
    assert paths.session_dir(session_id).name == session_id


@pytest.mark.parametrize(
    "session_id",
    ["", "..", "../x", "a/../b", "/etc", "-a", "_a", "a b", "a\n", "a.b", "é", "a\x00", "Z" * 65],
)
def test_anything_else_is_refused_with_the_rule(session_id: str) -> None:
    with pytest.raises(ValueError, match=r"not a session id.*letters, digits"):
        paths.session_dir(session_id)


@pytest.mark.long
@given(st.text(max_size=70))
def test_no_text_leads_out_of_the_sessions_folder(session_id: str) -> None:
    sessions = paths.home() / "runs" / "live" / "sessions"
    try:
        folder = paths.session_dir(session_id)
    except ValueError:
        return
    assert folder.resolve().parent == sessions.resolve()


def test_the_seed_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGOS_SEED", raising=False)
    assert paths.env_seed() == paths.SEED_DEFAULT == 20260101
    assert paths.env_seed(default=5) == 5
    monkeypatch.setenv("LOGOS_SEED", "0")
    assert paths.env_seed() == 0
    monkeypatch.setenv("LOGOS_SEED", "42")
    assert paths.env_seed(default=5) == 42


@pytest.mark.parametrize("text", ["-1", "1.5", "x", " 7", "²", "1_000", "٣"])
def test_a_seed_that_is_no_whole_number_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("LOGOS_SEED", text)
    with pytest.raises(ValueError, match="LOGOS_SEED must be a whole number"):
        paths.env_seed()
