"""The disk says no at every file operation: the session ends there and says where, and resumes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crash_helpers import Bench, operations_of, truth
from crash_sessions import first_difference, has_begun, session_folder
from file_faults import Fail, at, from_on
from places import PROJECT
from sampling import first_quick
from session_helpers import DERIVED
from tiny_disk import tiny_disk

from logos.config.tables.disk import DiskSettings
from logos.session import ExitCode, disk
from logos.session.presence.page import metrics_path

# The process ends after such an error, and what it had open is closed with it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE)


def problem_with(name: str, number: int, code: int, *, lasting: bool) -> str:
    """Fail one operation (and all after it, if lasting); what was wrong with what came of it."""
    with TemporaryDirectory() as folder:
        bench = Bench(name, Path(folder))
        fault = Fail(code)
        try:
            result = bench.go((from_on if lasting else at)(number, fault))
        except OSError as error:
            if error.errno != code or not error.filename:
                return f"{error!r} does not tell what and where"
        else:
            # Its page of figures, and what is made of its tables, are for whoever looks on: the
            # session goes on without them.
            figures = metrics_path(result.session_id, bench.home) if result else bench.home
            made = made_of(bench.home, truth(name))
            if len(made) < len(truth(name)) or (not lasting and not figures.exists()):
                return first_difference(bench.home, made)
            return f"it went on to {result}"
        before = _journal(bench.home)
        bench.finish()
        after = _journal(bench.home)
        if not after.startswith(before[: before.rfind(b"\n") + 1]) and b'"sealed"' not in before:
            return "the journal was changed"
        return first_difference(bench.home, truth(name))


def made_of(home: Path, expected: dict[str, bytes]) -> dict[str, bytes]:
    """`expected` without what is made of the tables and was not made here."""
    folder = session_folder(home)
    return {
        name: content
        for name, content in expected.items()
        if name not in DERIVED or (folder / name).exists()
    }


def _journal(home: Path) -> bytes:
    path = session_folder(home) / "state.jsonl"
    return path.read_bytes() if has_begun(home) else b""


@pytest.mark.long
@pytest.mark.parametrize("code", first_quick(ERRORS), ids=lambda code: errno.errorcode[code])
def test_an_error_at_any_operation_ends_the_session_and_it_resumes(code: int) -> None:
    problems = {}
    first = ERRORS.index(code) % 2
    for number in range(1 + first, operations_of("trading") + 1, 2):
        problems[number] = problem_with("trading", number, code, lasting=number % 4 < 2)
    assert {number: text for number, text in problems.items() if text} == {}


@pytest.mark.campaign
def test_an_error_around_a_snapshot_ends_the_session_and_it_resumes() -> None:
    problems = {}
    for number in range(1, operations_of("saved") + 1, 5):
        problems[number] = problem_with("saved", number, errno.ENOSPC, lasting=number % 2 == 0)
    assert {number: text for number, text in problems.items() if text} == {}


@pytest.mark.long
def test_an_error_while_resuming_leaves_a_session_that_resumes() -> None:
    problems = {}
    for number in range(1, operations_of("trading"), 4):
        with TemporaryDirectory() as folder:
            bench = Bench("trading", Path(folder))
            with pytest.raises(OSError, match="No space"):
                bench.go(from_on(40, Fail(errno.ENOSPC)))
            with suppress(OSError):
                bench.go(from_on(number, Fail(errno.EIO)))
            bench.finish()
            problems[number] = first_difference(bench.home, made_of(bench.home, truth("trading")))
    assert {number: text for number, text in problems.items() if text} == {}


@pytest.mark.long
def test_a_disk_that_is_really_full_ends_the_session_and_it_resumes_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "DISK", DiskSettings(min_free_bytes=0))  # else it stops before
    with tiny_disk(tmp_path / "disk", 400) as home:
        ballast = home / "ballast"
        ballast.write_bytes(bytes(250 << 10))
        bench = Bench("trading", home)
        with pytest.raises(OSError, match="No space left on device") as caught:
            bench.go()
        assert str(home) in str(caught.value.filename)
        with pytest.raises(OSError, match="No space left on device"):
            bench.go()
        ballast.unlink()
        bench.finish()
        assert first_difference(home, truth("trading")) == ""


@pytest.mark.campaign
def test_a_command_that_meets_a_full_disk_ends_with_its_own_exit_code(tmp_path: Path) -> None:
    trade = ["trade", "--config", "examples/session.toml", "--session-id", "full", "--quiet"]
    with tiny_disk(tmp_path / "disk", 256) as home:
        for arguments in (trade, ["resume", "full", "--quiet"]):
            done = subprocess.run(
                [sys.executable, "-m", "logos.live", *arguments],
                cwd=PROJECT,
                env={
                    **os.environ,
                    "LOGOS_HOME": str(home),
                    "LOGOS_CFG__DISK__MIN_FREE_BYTES": "0",
                },
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stdout) == (ExitCode.CANNOT_WRITE, "")
            assert f"cannot write {home}" in done.stderr
            assert "No space left on device" in done.stderr
