"""The outbox: what is in it is there after a kill at any byte, and no line is believed half."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from alert_helpers import alert

from logos.files import AppendFile
from logos.observe.alerts import outbox as module
from logos.observe.alerts.outbox import (
    OUTBOX_FILE,
    Cleared,
    Failed,
    Outbox,
    OutboxDamagedError,
    Taken,
    read_state,
)


def filled(folder: Path) -> None:
    outbox = Outbox(folder)
    outbox.add([alert(1, condition="disk"), alert(2, channels=("desk", "mail"))])
    outbox.take(Taken("desk", ("desk-1:1", "desk-1:2"), "summary", 5))
    outbox.take(Failed("mail", "desk-1:2", "refused", 6))
    outbox.take(Cleared("disk", 7))
    outbox.close()


def test_what_was_noted_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    filled(tmp_path)
    outbox = Outbox(tmp_path)
    assert [each.id for each in outbox.pending("mail")] == ["desk-1:2"]
    assert outbox.pending("desk") == []
    assert outbox.active == {}
    assert [taken.outcome for _, taken in outbox.deliveries("desk")] == ["summary", "summary"]
    assert read_state(tmp_path).failed["desk-1:2"]["mail"].error == "refused"
    outbox.close()


def test_an_alert_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    filled(tmp_path)
    outbox = Outbox(tmp_path)
    size = (tmp_path / OUTBOX_FILE).stat().st_size
    assert outbox.add([alert(1), alert(2)]) == []
    assert [each.id for each in outbox.add([alert(2), alert(3)])] == ["desk-1:3"]
    outbox.close()
    assert (tmp_path / OUTBOX_FILE).stat().st_size > size


def test_a_kill_at_any_byte_leaves_whole_notes_and_the_next_line_is_whole(tmp_path: Path) -> None:
    filled(tmp_path / "whole")
    content = (tmp_path / "whole" / OUTBOX_FILE).read_bytes()
    for size in range(0, len(content) + 1, 7):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / OUTBOX_FILE).write_bytes(content[:size])
        lines = content[:size].count(b"\n")
        outbox = Outbox(folder)
        outbox.add([alert(9)])
        outbox.close()
        written = (folder / OUTBOX_FILE).read_bytes()
        assert written.startswith(b"".join(content.splitlines(keepends=True)[:lines]))
        assert "desk-1:9" in read_state(folder).alerts


def test_a_reader_leaves_out_a_line_that_is_being_written(tmp_path: Path) -> None:
    filled(tmp_path)
    with open(tmp_path / OUTBOX_FILE, "ab") as file:
        file.write(b'{"note":"al')
    assert len(read_state(tmp_path).alerts) == 2


def test_a_line_that_is_no_note_is_told_with_its_place(tmp_path: Path) -> None:
    filled(tmp_path)
    with open(tmp_path / OUTBOX_FILE, "ab") as file:
        file.write(b"nonsense\n")
    with pytest.raises(OutboxDamagedError, match=rf"{OUTBOX_FILE}:6: not a note.*move the file"):
        Outbox(tmp_path)


def test_a_large_file_is_written_anew_with_the_latest_and_all_that_is_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(tmp_path)
    outbox.add([alert(1), alert(2, condition="lag:desk-1"), *(alert(n) for n in range(3, 30))])
    outbox.take(Taken("desk", tuple(f"desk-1:{n}" for n in range(2, 30)), "sent", 5))
    outbox.close()
    monkeypatch.setattr(module, "COMPACT_BYTES", 100)
    monkeypatch.setattr(module, "KEPT_MAX", 5)
    outbox = Outbox(tmp_path)
    kept = [each.id for each in outbox.pending("desk")]
    assert kept == ["desk-1:1"]
    assert list(read_state(tmp_path).alerts) == [
        f"desk-1:{number}" for number in (1, 2, *range(25, 30))
    ]
    assert outbox.active == {"lag:desk-1": "desk-1:2"}
    outbox.take(Cleared("lag:desk-1", 9))
    outbox.close()
    assert Outbox(tmp_path).active == {}


def test_while_the_disk_is_full_notes_wait_in_memory_and_are_written_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(tmp_path)
    is_full = True
    write = AppendFile.write

    def fail(file: AppendFile, buffer: bytearray) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file.path))
        write(file, buffer)

    monkeypatch.setattr(AppendFile, "write", fail)
    outbox.add([alert(1)])
    assert "No space left on device" in outbox.problem
    assert [each.id for each in outbox.pending("desk")] == ["desk-1:1"]
    assert read_state(tmp_path).alerts == {}
    is_full = False
    outbox.add([alert(2)])
    assert outbox.problem == ""
    assert list(read_state(tmp_path).alerts) == ["desk-1:1", "desk-1:2"]
    outbox.close()


def test_another_failure_of_the_disk_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(tmp_path)

    def fail(file: AppendFile, buffer: bytearray) -> None:
        raise OSError(errno.EIO, "Input/output error", str(file.path))

    monkeypatch.setattr(AppendFile, "write", fail)
    with pytest.raises(OSError, match="Input/output error"):
        outbox.add([alert(1)])
    monkeypatch.undo()
    outbox.close()
