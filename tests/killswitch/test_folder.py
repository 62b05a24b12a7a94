"""The folder of the switch: system calls, reading, swapping files, and the lock."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from switch_evidence import descriptor_count
from switch_helpers import FaultyLayer, QuickLayer

from logos.killswitch import files as switch_files
from logos.killswitch.files import Folder, OsLayer, UntrustedFileError, describe, kind_of
from logos.killswitch.records import SwitchBusyError

Place = tuple[FaultyLayer, Folder, Path]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A layer that can fail, and a folder open through it; no descriptor is left of it."""
    layer = FaultyLayer()
    before = descriptor_count()
    with Folder(layer, tmp_path) as folder:
        yield layer, folder, tmp_path
    assert descriptor_count() == before


# ---- the system calls ----


def test_the_layer_reserves_and_syncs_what_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = OsLayer()
    path = tmp_path / "file"
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with path.open("wb") as stream:
        layer.allocate(stream.fileno(), 64)
        layer.fsync(stream.fileno())
        assert synced == [stream.fileno()]
    assert path.stat().st_size == 64


def test_what_the_layer_makes_is_its_owners_to_write_and_everybodys_to_read(
    tmp_path: Path,
) -> None:
    layer = OsLayer()
    before = os.umask(0)
    try:
        for _ in range(2):
            layer.make_folder(os.fspath(tmp_path / "a"))
        opened = layer.open(os.fspath(tmp_path / "f"), os.O_CREAT | os.O_WRONLY, dir_fd=None)
    finally:
        os.umask(before)
    os.close(opened)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "f")]
    assert modes == [0o700, 0o600]


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    layer = OsLayer()
    with (tmp_path / "lock").open("wb") as first, (tmp_path / "lock").open("rb") as second:
        assert layer.try_lock(first.fileno()) is True
        assert layer.try_lock(second.fileno()) is False


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UntrustedFileError("is a FIFO, not a file"), "f is a FIFO, not a file"),
        (OSError(errno.ELOOP, "Too many links"), "f is a symbolic link, not a file"),
        (OSError(errno.EIO, "Bad Disk"), "f cannot be used: bad disk (EIO)"),
        (OSError("Odd"), "f cannot be used: odd (no code)"),
    ],
)
def test_an_error_of_the_disk_is_told_in_words(error: OSError, words: str) -> None:
    assert describe(error, "f") == words


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (stat.S_IFREG, ""),
        (stat.S_IFDIR, "a directory"),
        (stat.S_IFLNK, "a symbolic link"),
        (stat.S_IFIFO, "a FIFO"),
        (stat.S_IFSOCK, "a socket"),
        (stat.S_IFCHR, "a device"),
    ],
)
def test_what_stands_under_a_name_is_told_in_words(kind: int, words: str) -> None:
    assert kind_of(kind | 0o644) == words


# ---- reading ----


def test_a_folder_that_is_a_link_is_opened_only_on_demand(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(NotADirectoryError):
        Folder(QuickLayer(), tmp_path / "link")
    with Folder(QuickLayer(), tmp_path / "link", follow=True) as folder:
        assert folder.status("nothing") is None
        assert folder.path == tmp_path / "link"


def test_a_link_to_nowhere_is_there(place: Place) -> None:
    _, folder, path = place
    (path / "KILL").symlink_to("nowhere")
    found = folder.status("KILL")
    assert found is not None
    assert stat.S_ISLNK(found.st_mode)


def test_only_a_regular_file_of_bounded_size_is_read(place: Place) -> None:
    _, folder, path = place
    os.mkfifo(path / "pipe")
    (path / "file").write_bytes(b"12345")
    assert folder.read("nothing", 5) is None
    assert folder.read("file", 5) == b"12345"
    with pytest.raises(UntrustedFileError, match="is larger than 4 bytes"):
        folder.read("file", 4)
    with pytest.raises(UntrustedFileError, match="is a FIFO, not a file"):
        folder.read("pipe", 5)


# ---- writing ----


SWAP = ["open .f.tmp", "write", "fsync", "replace f", "fsync"]


def test_a_file_is_swapped_whole_and_durable_in_this_order(place: Place) -> None:
    layer, folder, path = place
    folder.replace("f", b"new")
    assert (path / "f").read_bytes() == b"new"
    assert layer.calls == SWAP
    layer.calls.clear()
    folder.replace("f", b"hint", durable=False)
    assert (path / "f").read_bytes() == b"hint"
    assert layer.calls == ["open .f.tmp", "write", "replace f"]
    assert os.listdir(path) == ["f"]


def test_what_a_crash_left_of_a_swap_is_in_nobodys_way(place: Place) -> None:
    layer, folder, path = place
    (path / ".f.tmp").write_bytes(b"half")
    folder.replace("f", b"new")
    assert (path / "f").read_bytes() == b"new"
    assert layer.calls == ["unlink .f.tmp", *SWAP]


def test_a_folder_in_a_files_place_is_moved_aside(place: Place) -> None:
    _, folder, path = place
    (path / "f").mkdir()
    folder.replace("f", b"new")
    assert (path / "f").read_bytes() == b"new"
    (moved,) = [each for each in path.iterdir() if each.name.startswith("f.moved-")]
    assert moved.is_dir()


def test_a_new_file_is_made_once_and_durable(place: Place) -> None:
    layer, folder, path = place
    folder.create("KILL", b"why")
    assert (path / "KILL").read_bytes() == b"why"
    assert layer.calls == ["open KILL", "write", "fsync", "fsync"]
    with pytest.raises(FileExistsError):
        folder.create("KILL", b"other")
    assert (path / "KILL").read_bytes() == b"why"


def test_a_disk_that_takes_one_byte_at_a_time_gets_them_all(tmp_path: Path) -> None:
    class Slow(QuickLayer):
        def write(self, fd: int, data: bytes) -> int:
            return os.write(fd, data[:1])

    with Folder(Slow(), tmp_path) as folder:
        folder.create("f", b"12345")
    assert (tmp_path / "f").read_bytes() == b"12345"


# ---- the lock ----


class Contended(QuickLayer):
    """A lock that somebody else has for the first `busy` attempts."""

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.attempts = 0

    def try_lock(self, fd: int) -> bool:
        self.attempts += 1
        return self.attempts > self.busy


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses somebody makes; more than ten end the test."""
    made: list[float] = []

    def pause(seconds: float) -> None:
        made.append(seconds)
        assert len(made) < 10

    monkeypatch.setattr(switch_files.time, "sleep", pause)  # type: ignore[attr-defined]
    return made


def test_a_lock_is_waited_for_and_let_go_of(tmp_path: Path, pauses: list[float]) -> None:
    layer = Contended(busy=3)
    before = descriptor_count()
    held = False
    with Folder(layer, tmp_path) as folder:
        with folder.locked("lock", 60):
            held = True
        assert (layer.attempts, pauses) == (4, [0.002] * 3)
    assert held
    assert descriptor_count() == before


def test_a_lock_that_is_not_to_be_had_is_given_up_at_once_when_nobody_waits(
    tmp_path: Path, pauses: list[float]
) -> None:
    before = descriptor_count()
    with (
        pytest.raises(SwitchBusyError, match=r"lock is held by another process \(see `fuser lock"),
        Folder(Contended(busy=99), tmp_path) as folder,
        folder.locked("lock", 0),
    ):
        raise AssertionError("it is not ours")
    assert pauses == []
    assert descriptor_count() == before


@pytest.mark.parametrize("takes_its_place", [False, True])
def test_a_lock_on_a_file_that_is_gone_guards_nothing(
    tmp_path: Path, pauses: list[float], takes_its_place: bool
) -> None:
    class Removed(QuickLayer):
        locked_inode = 0

        def try_lock(self, fd: int) -> bool:
            if not self.locked_inode:
                (tmp_path / "lock").rename(tmp_path / "gone")
                if takes_its_place:
                    (tmp_path / "lock").touch()
            self.locked_inode = os.fstat(fd).st_ino
            return True

    layer = Removed()
    with Folder(layer, tmp_path) as folder, folder.locked("lock", 60):
        assert layer.locked_inode == (tmp_path / "lock").stat().st_ino
    assert len(pauses) == 1
