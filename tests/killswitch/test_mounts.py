"""On which kind of file system a folder lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from logos.killswitch import mounts
from logos.killswitch.mounts import network_problem

ROOT = "22 27 0:21 / / rw - ext4 /dev/vda rw"


def mount(point: str, kind: str, optional: str = "") -> str:
    return f"36 35 98:0 / {point} rw {optional}- {kind} device rw"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([ROOT], ""),
        (["22 27 0:21 / / rw - ext4"], ""),
        ([ROOT, "22 27 0:21 / / rw -", "22 27 0:21 / / rw", "x"], ""),
        ([ROOT, mount("/", "nfs4")], "(nfs4, mounted at /)"),
        ([mount("/", "nfs4"), ROOT], ""),
        ([ROOT, mount("HERE", "nfs", "master:1 shared:2 ")], "(nfs, mounted at HERE)"),
        ([mount("HERE", "9p"), ROOT], "(9p, mounted at HERE)"),
        ([mount("HERE/switch", "9p"), ROOT], "(9p, mounted at HERE/switch)"),
        ([mount("HERE/swi", "9p"), mount("HERE/other", "9p"), ROOT], ""),
        ([ROOT, mount("HERE/switch\\040one", "cifs")], ""),
        ([ROOT, mount("HERE", "fuse.sshfs")], "(fuse.sshfs, mounted at HERE)"),
        ([ROOT, mount("HERE", "fuse.fuse-overlayfs")], ""),
        ([mount("HERE/other", "ext4")], "is on no mount that"),
        ([], "is on no mount that"),
    ],
)
def test_the_mount_of_the_folder_decides(tmp_path: Path, lines: list[str], words: str) -> None:
    table = tmp_path / "mounts"
    table.write_text("".join(line.replace("HERE", str(tmp_path)) + "\n" for line in lines))
    problem = network_problem(tmp_path / "switch", table)
    words = words.replace("HERE", str(tmp_path))
    assert words in problem
    assert isinstance(problem, str)
    assert bool(problem) is bool(words)


def test_a_mount_with_a_space_in_its_name_is_found(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text(f"{ROOT}\n{mount(str(tmp_path) + '/a' + chr(92) + '040b', 'cifs')}\n")
    assert "(cifs, mounted at" in network_problem(tmp_path / "a b" / "switch", table)


@pytest.mark.parametrize(("platform", "is_trusted"), [("linux", False), ("darwin", True)])
def test_only_where_there_is_no_such_table_nobody_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, is_trusted: bool
) -> None:
    monkeypatch.setattr(mounts.sys, "platform", platform)  # type: ignore[attr-defined]
    problem = network_problem(tmp_path, tmp_path / "none")
    assert (problem == "") is is_trusted
    assert is_trusted or "cannot be read (No such file or directory)" in problem
