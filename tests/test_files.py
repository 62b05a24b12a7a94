"""Files are replaced whole or appended to, and whatever fails names the file and loses nothing."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logos.core.messages import TimePassed
from logos.files import (
    AppendFile,
    JsonLines,
    make_folder,
    open_new,
    open_regular,
    read_whole,
    replace_file,
    replace_json,
)


class Disk:
    """Takes so many bytes, a few at a time, and then is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, space: int, at_once: int) -> None:
        self.space = space
        self.at_once = at_once
        self.written: list[bytes] = []
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, descriptor: int, content: bytes) -> int:
        size = min(len(content), self.at_once, self.space)
        if not size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.space -= size
        self.written.append(bytes(content[:size]))
        return self._write(descriptor, bytes(content[:size]))


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(
    tmp_path: Path, durable: bool
) -> None:
    path = tmp_path / "state.json"
    replace_file(path, b"first", durable=durable)
    replace_file(path, b"2", durable=durable)
    assert path.read_bytes() == b"2"
    assert list(tmp_path.iterdir()) == [path]


def test_only_what_is_durable_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    replace_json(tmp_path / "a.json", {}, durable=False)
    assert synced == []
    replace_json(tmp_path / "a.json", {})
    assert len(synced) == 2, "the content, and the name in its folder"


def test_a_disk_that_fails_leaves_what_was_there_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    replace_file(path, b"there")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=r"state\.json") as caught:
        replace_file(path, b"new")
    assert caught.value.errno == errno.EIO
    assert path.read_bytes() == b"there"


def test_json_is_indented_for_people_and_short_for_programs(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    replace_json(path, {"ä": TimePassed(5)})
    assert path.read_text(encoding="utf-8") == '{\n  "ä": {\n    "ts_ns": 5\n  }\n}\n'
    replace_json(path, {"ä": TimePassed(5)}, durable=False)
    assert path.read_text(encoding="utf-8") == '{"ä":{"ts_ns":5}}\n'


def test_a_file_to_append_to_is_new_there_or_either(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log"
    with pytest.raises(FileNotFoundError):
        AppendFile(path, is_new=False)
    for is_new in (None, False, None):
        file = AppendFile(path, is_new=is_new)
        file.write(bytearray(b"x"))
        assert not file.is_closed
        file.close()
        file.close()
        assert file.is_closed
    with pytest.raises(FileExistsError):
        AppendFile(path, is_new=True)
    assert path.read_bytes() == b"xxx"


def test_a_full_disk_keeps_the_rest_in_the_buffer_and_nothing_is_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    file = AppendFile(path, is_new=True)
    disk = Disk(monkeypatch, space=7, at_once=3)
    buffer = bytearray(b"0123456789")
    with pytest.raises(OSError, match="log") as caught:
        file.write(buffer)
    assert caught.value.errno == errno.ENOSPC
    assert (path.read_bytes(), bytes(buffer)) == (b"0123456", b"789")
    disk.space = 100
    file.write(buffer)
    file.close()
    assert (path.read_bytes(), bytes(buffer)) == (b"0123456789", b"")


@pytest.mark.long
@given(whole=st.sampled_from([b"", b"a\n", b"a\nb\n", b"x" * 70_000 + b"\n"]), torn=st.binary())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_line_is_cut_off_and_whole_ones_stay(
    tmp_path: Path, whole: bytes, torn: bytes
) -> None:
    path = tmp_path / "log"
    path.write_bytes(whole + torn.replace(b"\n", b"") * 400)
    file = AppendFile(path)
    file.cut_torn_line()
    file.write(bytearray(b"next\n"))
    file.close()
    assert path.read_bytes() == whole + b"next\n"


def test_each_json_line_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "logs" / "gateway.jsonl"
    log = JsonLines(path)
    disk = Disk(monkeypatch, space=1_000, at_once=1_000)
    log({"a": 1})
    log({"b": "ä"})
    log.close()
    assert disk.written == [b'{"a":1}\n', '{"b":"ä"}\n'.encode()]
    assert path.read_bytes() == b"".join(disk.written)


# ---- its owner's alone ----


@pytest.fixture(params=[0, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    found = sorted(folder.rglob("*"))
    return {str(each.relative_to(folder)): stat.S_IMODE(each.stat().st_mode) for each in found}


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    replace_file(tmp_path / "a" / "replaced", b"x")
    replace_json(tmp_path / "a" / "state.json", {}, durable=False)
    AppendFile(tmp_path / "a" / "new", is_new=True).close()
    AppendFile(tmp_path / "a" / "c" / "appended").close()
    with open_new(tmp_path / "a" / "text", "x", encoding="utf-8") as file:
        file.write("x")
    found = modes(tmp_path)
    folders = {name for name, mode in found.items() if (tmp_path / name).is_dir()}
    assert folders == {"a", "a/b", "a/c"}
    assert {found.pop(name) for name in folders} == {0o700}
    assert set(found.values()) == {0o600}
    assert len(found) == 5


def test_what_a_crash_left_open_to_others_is_closed_when_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".state.json.tmp").write_bytes(b"")
    (tmp_path / ".state.json.tmp").chmod(0o666)
    replace_file(tmp_path / "state.json", b"x")
    assert modes(tmp_path) == {"state.json": 0o600}


def test_modes_that_an_operator_chose_stay(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "log").write_bytes(b"")
    (tmp_path / "log").chmod(0o640)
    make_folder(tmp_path / "shared")
    AppendFile(tmp_path / "log").close()
    assert modes(tmp_path) == {"log": 0o640, "shared": 0o755}


def test_a_folder_that_must_be_new_is_not_taken_twice(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b", is_new=True)
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "a" / "b", is_new=True)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "file" / "below")


# ---- only files are read ----


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (os.mkfifo, "it is a named pipe, not a file"),
        (os.mkdir, "it is a folder, not a file"),
        (lambda path: os.symlink("/dev/zero", path), "it is a device, not a file"),
    ],
)
def test_only_a_regular_file_is_read_and_nothing_waits(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    make(tmp_path / "data.csv")
    with pytest.raises(OSError, match=words) as refused:
        open_regular(tmp_path / "data.csv")
    assert refused.value.filename == str(tmp_path / "data.csv")


def test_a_file_is_read_to_its_limit_and_not_beyond(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"x" * 1000)
    assert read_whole(path, 1000) == b"x" * 1000
    with pytest.raises(OSError, match="it is larger than 999 bytes") as refused:
        read_whole(path, 999)
    assert refused.value.filename == str(path)
    with pytest.raises(FileNotFoundError):
        read_whole(tmp_path / "none", 1)
