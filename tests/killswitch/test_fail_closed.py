"""The fail-closed matrix: whatever is wrong with the files, the very next check says ENGAGED."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from switch_helpers import FaultyLayer, Workspace

from logos.core.types import SwitchState
from logos.killswitch.records import SwitchError, decode_line, encode_line

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED
Damage = Callable[[Workspace], None]


def rewrite(path: str, content: bytes) -> Damage:
    return lambda workspace: put(workspace.home / path, content)


def put(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def change(path: str, edit: Callable[[bytes], bytes]) -> Damage:
    return lambda workspace: put(workspace.home / path, edit((workspace.home / path).read_bytes()))


def in_place(path: str, edit: Callable[[bytes], bytes]) -> Damage:
    """The same inode and length, other bytes."""

    def damage(workspace: Workspace) -> None:
        file = workspace.home / path
        content = edit(file.read_bytes())
        with file.open("r+b") as stream:
            stream.write(content)

    return damage


def replaced(path: str, make: Callable[[Path], object]) -> Damage:
    def damage(workspace: Workspace) -> None:
        file = workspace.home / path
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink(missing_ok=True)
        make(file)

    return damage


def link_to_valid(file: Path) -> None:
    """A link to a record that is valid in itself."""
    good = file.with_name("elsewhere")
    shutil.copy(file.parent.parent.parent / ".state-kill-switch.witness", good)
    file.symlink_to(good)


def bind_socket(file: Path) -> None:
    here = os.getcwd()
    os.chdir(file.parent)  # the address of a socket has little room
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(file.name)
    finally:
        os.chdir(here)


def removed(path: str) -> Damage:
    return replaced(path, lambda file: None)


def forged(**fields: object) -> Damage:
    """A record with a good checksum and other content, in all three places."""

    def damage(workspace: Workspace) -> None:
        transition = decode_line(workspace.arm_file.read_bytes())
        body = msgspec.json.encode({**msgspec.structs.asdict(transition), **fields})
        line = b'{"body":' + body + b',"crc32":' + str(zlib.crc32(body)).encode() + b"}\n"
        for path in (workspace.arm_file, workspace.witness, workspace.history_file):
            put(path, line)

    return damage


ARM = "state/kill-switch/armed.json"
WITNESS = ".state-kill-switch.witness"
HISTORY = "state/kill-switch/history.jsonl"
KILL = "state/kill-switch/KILL"
FLAG = "state/kill-switch/flag"

MATRIX: dict[str, Damage] = {
    "folder missing": removed("state/kill-switch"),
    "state folder missing": removed("state"),
    "folder is a file": replaced("state/kill-switch", lambda file: file.write_bytes(b"")),
    "folder is a dangling link": replaced("state/kill-switch", lambda f: f.symlink_to("gone")),
    "record missing": removed(ARM),
    "record empty": rewrite(ARM, b""),
    "record is a newline": rewrite(ARM, b"\n"),
    "record truncated": change(ARM, lambda content: content[:-20]),
    "record without its newline": change(ARM, lambda content: content[:-1]),
    "record followed by more": change(ARM, lambda content: content + b"x"),
    "record twice": change(ARM, lambda content: content * 2),
    "record oversized": rewrite(ARM, b" " * 100_000),
    "record oversized but valid": change(ARM, lambda content: b" " * 9_000 + content),
    "record of zeros": change(ARM, lambda content: bytes(len(content))),
    "record not UTF-8": rewrite(ARM, b'{"body":{"schema":"\xff\xfe"},"crc32":1}\n'),
    "record is other JSON": rewrite(ARM, b'{"armed": true}\n'),
    "record is not JSON": rewrite(ARM, b"armed\n"),
    "record with one bit flipped": change(
        ARM, lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:]
    ),
    "record edited in place": in_place(ARM, lambda c: c.replace(b"here", b"hexe")),
    "record is a directory": replaced(ARM, lambda file: file.mkdir()),
    "record is a FIFO": replaced(ARM, lambda file: os.mkfifo(file)),
    "record is a socket": replaced(ARM, bind_socket),
    "record is a link to a valid one": replaced(ARM, link_to_valid),
    "record is a dangling link": replaced(ARM, lambda file: file.symlink_to("gone")),
    "record is a link to itself": replaced(ARM, lambda file: file.symlink_to(file)),
    "record of another program": forged(schema="other.kill-switch/1"),
    "record of a later format": forged(schema="logos.kill-switch/2"),
    "record with an unknown field": forged(extra=1),
    "record with an unknown state": forged(state="MAYBE"),
    "record of epoch zero": forged(epoch=0, granted_epoch=0, engaged_epoch=0),
    "record of a negative epoch": forged(epoch=-1, granted_epoch=-1),
    "record of an endless epoch": forged(epoch=2**60),
    "record granted in its future": forged(granted_epoch=99),
    "record from the future": forged(time_ns=2**62),
    "witness missing": removed(WITNESS),
    "witness empty": rewrite(WITNESS, b""),
    "witness corrupt": change(WITNESS, lambda content: content[:-9] + b"}\n"),
    "witness is a directory": replaced(WITNESS, lambda file: file.mkdir()),
    "witness is a FIFO": replaced(WITNESS, lambda file: os.mkfifo(file)),
    "history missing": removed(HISTORY),
    "history empty": rewrite(HISTORY, b""),
    "history torn": change(HISTORY, lambda content: content + b'{"body":'),
    "history cut": change(HISTORY, lambda content: content[:-5]),
    "history garbage at its end": change(HISTORY, lambda content: content + b"garbage\n"),
    "history is a directory": replaced(HISTORY, lambda file: file.mkdir()),
    "history is a FIFO": replaced(HISTORY, lambda file: os.mkfifo(file)),
    "marker touched": rewrite(KILL, b""),
    "marker with garbage": rewrite(KILL, b"\x00\xff" * 3_000),
    "marker is a directory": replaced(KILL, lambda file: file.mkdir()),
    "marker is a FIFO": replaced(KILL, lambda file: os.mkfifo(file)),
    "marker is a dangling link": replaced(KILL, lambda file: file.symlink_to("gone")),
    "flag is a directory": replaced(FLAG, lambda file: file.mkdir()),
    "flag is a FIFO": replaced(FLAG, lambda file: os.mkfifo(file)),
    "flag is a link": replaced(FLAG, lambda file: file.symlink_to("armed.json")),
    "flag of a later epoch": replaced(FLAG, lambda file: file.write_bytes(b"\0" * 8 + b"\7" * 56)),
    "flag hints at an unrecorded engagement": in_place(
        FLAG, lambda content: struct.pack("<B7xQ", 2, 1) + content[16:]
    ),
    "flag of an impossible state": in_place(
        FLAG, lambda content: struct.pack("<B7xQ", 77, 1) + content[16:]
    ),
}  # fmt: skip

RECORD_UNTOUCHED = {name for name in MATRIX if name.startswith(("witness", "history", "flag"))}
"""What a running session need not notice: its kept answer rests on the record and the markers."""


@pytest.mark.parametrize("row", MATRIX)
def test_a_session_that_starts_finds_it_engaged(workspace: Workspace, row: str) -> None:
    workspace.armed().close()
    MATRIX[row](workspace)
    breaker = workspace.breaker()
    with contextlib.suppress(SwitchError):  # there may be no folder to arm in
        assert not breaker.arm_if_new()
    assert breaker.authority() is ENGAGED
    assert breaker.flag[0] == ENGAGED
    assert not breaker.is_safe()
    status = breaker.status()
    assert status.state is ENGAGED
    assert status.causes
    assert f"--epoch {status.epoch}" in status.clear_command
    assert breaker.authority() is ENGAGED


@pytest.mark.parametrize("row", sorted(set(MATRIX) - RECORD_UNTOUCHED))
def test_a_running_session_is_engaged_at_its_next_check(workspace: Workspace, row: str) -> None:
    breaker = workspace.armed()
    assert breaker.authority() is SAFE
    MATRIX[row](workspace)
    assert breaker.authority() is ENGAGED
    assert breaker.flag[0] == ENGAGED
    assert breaker.authority() is ENGAGED


UNCLEARABLE = {
    "folder is a file",
    "folder is a dangling link",
    "marker is a directory",
    "flag is a directory",
    "flag is a FIFO",
    "flag is a link",
}
"""Rows that a person has to repair by hand first. The reset says so, or stays ENGAGED and why."""


@pytest.mark.parametrize("row", sorted(set(MATRIX) - set(UNCLEARABLE)))
def test_the_command_it_names_clears_it(workspace: Workspace, row: str) -> None:
    workspace.armed().close()
    MATRIX[row](workspace)
    breaker = workspace.breaker()
    status = breaker.reset("ann", "looked at it", breaker.status().epoch)
    assert (status.state, status.causes) == (SAFE, ())
    assert (breaker.authority(), breaker.flag[0]) == (SAFE, SAFE)
    assert workspace.breaker().authority() is SAFE
    assert breaker.monitor().problem() == ""


@pytest.mark.parametrize("row", sorted(set(MATRIX) - set(UNCLEARABLE)))
def test_putting_it_right_by_hand_does_not_clear_it(workspace: Workspace, row: str) -> None:
    workspace.armed().close()
    kept = workspace.home / "kept"
    shutil.copytree(workspace.folder, kept)
    witness = workspace.witness.read_bytes()
    MATRIX[row](workspace)
    running = workspace.breaker()
    assert running.authority() is ENGAGED
    recorded = workspace.witness.read_bytes()
    if workspace.folder.is_symlink():
        workspace.folder.unlink()
    shutil.rmtree(workspace.folder, ignore_errors=True)
    shutil.copytree(kept, workspace.folder)
    assert running.authority() is ENGAGED
    assert workspace.breaker().authority() is ENGAGED
    assert recorded != witness


@pytest.mark.parametrize("call", ["open", "lstat", "pread"])
@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.EMFILE, errno.ESTALE])
def test_what_cannot_be_read_counts_as_engaged(workspace: Workspace, call: str, code: int) -> None:
    workspace.armed().close()
    layer = FaultyLayer()
    breaker = workspace.breaker(layer=layer)
    assert breaker.authority() is SAFE

    def refuse(made: str, name: str) -> None:
        if made == call:
            raise OSError(code, os.strerror(code))

    layer.read_rule = refuse
    breaker._sensor._fast = None  # a kept answer rests on calls that did succeed
    assert breaker.authority() is ENGAGED
    assert breaker.flag[0] == ENGAGED
    assert errno.errorcode[code] in breaker.status().causes[0]
    layer.read_rule = lambda made, name: None
    assert breaker.authority() is ENGAGED, "that it can be read again is no reset"


@pytest.mark.parametrize("path", ["state/kill-switch", ARM, HISTORY, WITNESS, FLAG])
def test_permission_denied_counts_as_engaged(path: str) -> None:
    with tempfile.TemporaryDirectory() as home:  # pytest's own folders are closed to others
        os.chmod(home, 0o777)
        workspace = Workspace(Path(home))
        workspace.armed().close()
        os.chmod(workspace.home / path, 0o000)
        said = as_nobody(
            lambda: f"{(b := workspace.breaker()).authority().name} {b.flag[0]} {b.why()}"
        )
    assert said.startswith("ENGAGED 2 ENGAGED")
    assert "permission denied" in said


def as_nobody(ask: Callable[[], str]) -> str:
    """What `ask` answers in a process without any permission of its own."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:  # root may read what nobody may; anyone else is refused already
                os.setuid(65534)
            os.write(into, ask().encode())
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


def test_damage_further_up_in_the_history_is_found_and_moved_aside(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.set_reduce_only("careful", "ann")
    breaker.reset("ann", "fine", 2)
    lines = workspace.history_file.read_bytes().splitlines(keepends=True)
    workspace.history_file.write_bytes(lines[0] + lines[2])
    fresh = workspace.breaker()
    assert fresh.authority() is ENGAGED
    assert "history.jsonl:2: the line does not follow" in fresh.status().why
    fresh.reset("ann", "restored from backup", fresh.epoch)
    assert fresh.authority() is SAFE
    assert [entry.why for entry in fresh.monitor().history()] == ["restored from backup"]
    assert len(list(workspace.folder.glob("history.damaged-*"))) == 1


@pytest.mark.parametrize("row", ["KILL", "REDUCE_ONLY"])
def test_a_record_that_was_forged_safe_while_a_marker_stands_is_not_believed(
    workspace: Workspace, row: str
) -> None:
    breaker = workspace.armed()
    good = workspace.arm_file.read_bytes()
    (workspace.folder / row).touch()
    assert breaker.authority() is not SAFE
    for path in (workspace.arm_file, workspace.witness):
        put(path, good)
    assert workspace.breaker().authority() is ENGAGED
    assert breaker.authority() is ENGAGED


def test_lines_read_back_or_not_at_all(workspace: Workspace) -> None:
    workspace.armed()
    line = workspace.arm_file.read_bytes()
    assert encode_line(decode_line(line)) == line
