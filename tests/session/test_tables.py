"""The tables of a session: what a failed write leaves of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from logos.files import AppendFile
from logos.session.artifacts import tables


def test_rows_after_a_failed_write_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays a beginning of what it should be, also when the disk has room again."""
    path = tmp_path / "rows.csv"
    rows = tables._Table(path, ["a", "b"], is_there=False)
    rows.add("1,2\n")
    rows.flush()
    write, full = AppendFile.write, [True]

    def refuse(self: AppendFile, content: bytearray) -> None:
        if full[0]:
            del content[3:]
            write(self, content)  # a part of it arrives
            raise OSError(28, "No space left on device", str(path))
        write(self, content)

    monkeypatch.setattr(AppendFile, "write", refuse)
    rows.add("3,4\n")
    with pytest.raises(OSError, match="No space left"):
        rows.flush()
    full[0] = False
    rows.add("5,6\n")
    rows.flush()
    rows.add("7,8\n")
    rows.close()
    assert path.read_bytes() == b"a,b\n1,2\n3,4"
