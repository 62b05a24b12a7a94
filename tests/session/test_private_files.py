"""Whatever a session writes is its owner's alone, whatever the umask of the process."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from wrong_sessions import GOOD, workspace_with_a_session


def _set_umask(umask: int) -> None:
    os.umask(umask)


@pytest.mark.long
@pytest.mark.parametrize("umask", [0, 0o027])
def test_every_file_and_folder_of_a_session_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    workspace = workspace_with_a_session(tmp_path)
    workspace.home = tmp_path / "made anew" / "home"
    done = workspace.spawn(*GOOD, "--quiet", before=lambda: _set_umask(umask))
    assert done.returncode == 0, done.stderr
    found = {
        str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "made anew").rglob("*")
    }
    assert any(name.endswith("state.jsonl") for name in found)
    assert any("/kill-switch/" in name for name in found)
    open_to_others = {name: oct(mode) for name, mode in found.items() if mode & 0o077}
    assert open_to_others == {}
    folders = {mode for name, mode in found.items() if (tmp_path / name).is_dir()}
    files = {mode for name, mode in found.items() if (tmp_path / name).is_file()}
    assert (folders, files) == ({0o700}, {0o600})
