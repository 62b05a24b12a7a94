"""Everything that can be wrong with a session before it starts, through the real command.

Each wrong input gives one message that names what is wrong, the documented exit code, and no
traceback; it leaves no folder, and no session that exists is touched. The command runs in this
process, but for one input of each kind, which has one of its own (`Workspace.spawn`).
"""

from __future__ import annotations

import gzip
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from wrong_sessions import (
    BARS,
    GOOD,
    HEADER,
    STRATEGY,
    Workspace,
    assert_one_message,
    workspace_with_a_session,
    write_bars,
    write_long,
)

from logos.session import ExitCode


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace_with_a_session(tmp_path_factory.mktemp("bad_input"))


def truncated(folder: Path) -> None:
    text = "\n".join([HEADER, *BARS])
    (folder / "ACME_1m_bad.csv").write_text(text[:-12], encoding="utf-8")


def truncated_gzip(folder: Path) -> None:
    packed = gzip.compress("\n".join([HEADER, *BARS, ""]).encode())
    (folder / "ACME_1m_bad.csv.gz").write_bytes(packed[: len(packed) // 2])


@dataclass(frozen=True)
class Wrong:
    """One wrong input: how to make it, the options, and what must be said."""

    code: ExitCode
    words: tuple[str, ...]
    options: tuple[str, ...] = ("--config", "bad.toml")
    change: tuple[str, str] | None = None
    data: Callable[[Path], None] | None = None


BAD_DATA_FILE = (*GOOD, "--data", "ACME_1m_bad.csv")
CONFIGURATION = ExitCode.BAD_CONFIGURATION
DATA = ExitCode.BAD_DATA


def text_file(text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / "ACME_1m_bad.csv").write_text(text, encoding="utf-8")

    return make


def bars_file(bars: Sequence[str]) -> Callable[[Path], None]:
    return lambda folder: write_bars(folder / "ACME_1m_bad.csv", bars)


WRONG: dict[str, Wrong] = {
    "no configuration at all": Wrong(CONFIGURATION, ("no market data", "--data"), ()),
    "a configuration that is not there": Wrong(
        CONFIGURATION, ("nope.toml", "no such file"), ("--config", "nope.toml")
    ),
    "a configuration that is a folder": Wrong(
        CONFIGURATION, ("data", "cannot be read"), ("--config", "data")
    ),
    "no TOML": Wrong(CONFIGURATION, ("bad.toml", "not valid TOML"), change=("[data]", "[data")),
    "an unknown table": Wrong(
        CONFIGURATION,
        ("bad.toml", "'strategie'", "'strategy'"),
        change=("[strategy]", "[strategie]"),
    ),
    "an unknown key": Wrong(
        CONFIGURATION,
        ("bad.toml", "instruments.ACME.qoute", "did you mean 'quote'"),
        change=("quote", "qoute"),
    ),
    "a key that is missing": Wrong(
        CONFIGURATION, ("bad.toml", "quote"), change=('quote = "USD"', "")
    ),
    "a value of the wrong type": Wrong(
        CONFIGURATION,
        ("bad.toml", "data.paths", "array"),
        change=('["data/ACME_1m_good.csv"]', "7"),
    ),
    "a number that is none": Wrong(CONFIGURATION, ("bad.toml", "tick"), change=('"0.01"', '"abc"')),
    "a tick of zero": Wrong(CONFIGURATION, ("ACME", "tick", "positive"), change=('"0.01"', '"0"')),
    "a tick that is NaN": Wrong(
        CONFIGURATION, ("instruments.ACME.tick", "finite"), change=('"0.01"', "nan")
    ),
    "a parameter of the wrong type": Wrong(
        CONFIGURATION, ("fast", "whole number", "'x'"), change=("fast = 2", 'fast = "x"')
    ),
    "an unknown parameter": Wrong(
        CONFIGURATION, ("fsat", "did you mean fast"), change=("fast = 2", "fsat = 2")
    ),
    "an unknown strategy": Wrong(
        CONFIGURATION,
        ("'sma_crosss'", "did you mean sma_cross"),
        change=("sma_cross", "sma_crosss"),
    ),
    "a strategy that cannot be made": Wrong(
        CONFIGURATION,
        ("RaisesWhenMade", "the model is gone"),
        change=(STRATEGY, 'name = "user_strategies:RaisesWhenMade"'),
    ),
    "a symbol without an instrument": Wrong(
        CONFIGURATION,
        ("no instrument for ACME", "[instruments.ACME]", "tick ="),
        change=("[instruments.ACME]", "[instruments.OTHER]"),
    ),
    "a session id that climbs": Wrong(
        CONFIGURATION, ("'../climbs'", "letters, digits"), (*GOOD, "--session-id", "../climbs")
    ),
    "a session id that is absolute": Wrong(
        CONFIGURATION, ("not a session id",), (*GOOD, "--session-id", "/tmp/absolute")
    ),
    "a session id with a line feed": Wrong(
        CONFIGURATION, ("not a session id",), (*GOOD, "--session-id", "kept\n")
    ),
    "a session id that is taken": Wrong(
        CONFIGURATION,
        ("session kept exists already", "never overwritten"),
        (*GOOD, "--session-id", "kept"),
    ),
    "a time that is none": Wrong(
        CONFIGURATION, ("data.from", "'yesterday'"), (*GOOD, "--from", "yesterday")
    ),
    "a parameter without a value": Wrong(
        CONFIGURATION, ("--param fast", "KEY=VALUE"), (*GOOD, "--param", "fast")
    ),
    "data that is not there": Wrong(
        DATA, ("nope.csv", "no such file"), (*GOOD, "--data", "nope.csv")
    ),
    "an empty file": Wrong(
        DATA,
        ("ACME_1m_bad.csv", "empty"),
        BAD_DATA_FILE,
        data=text_file(""),
    ),
    "a file with a header only": Wrong(
        DATA, ("ACME_1m_bad.csv:1", "no rows"), BAD_DATA_FILE, data=bars_file([])
    ),
    "a file of something else": Wrong(
        DATA,
        ("ACME_1m_bad.csv:1", "bad_header"),
        BAD_DATA_FILE,
        data=text_file("a,b\n1,2\n"),
    ),
    "data out of order": Wrong(
        DATA,
        ("ACME_1m_bad.csv:8", "backwards_time", "--accept"),
        BAD_DATA_FILE,
        data=bars_file([*BARS[:5], BARS[7], BARS[6]]),
    ),
    "truncated data": Wrong(
        DATA, ("ACME_1m_bad.csv:31", "truncated_row"), BAD_DATA_FILE, data=truncated
    ),
    "truncated compressed data": Wrong(
        DATA,
        ("ACME_1m_bad.csv.gz", "truncated_row", "ends early"),
        (*GOOD, "--data", "ACME_1m_bad.csv.gz"),
        data=truncated_gzip,
    ),
    "a NaN in the data": Wrong(
        DATA,
        ("ACME_1m_bad.csv:4", "not_a_number"),
        BAD_DATA_FILE,
        data=bars_file([*BARS[:2], BARS[2].replace("104,", "nan,", 1), *BARS[3:]]),
    ),
    "a price off the tick": Wrong(
        DATA,
        ("ACME_1m_bad.csv:2", "off_tick", "100.001"),
        BAD_DATA_FILE,
        data=bars_file([BARS[0].replace(",100,", ",100.001,", 1), *BARS[1:]]),
    ),
    "a symbol that the data lacks": Wrong(
        DATA, ("no market data for NOPE", "ACME"), (*GOOD, "--symbols", "ACME,NOPE")
    ),
    "a wrong type deep inside": Wrong(
        CONFIGURATION, ("bad.toml", "instruments.ACME.tick", "array"), change=('"0.01"', "[1]")
    ),
    "a kind of defect that nobody knows": Wrong(
        CONFIGURATION, ("cannot accept everything", "gap"), (*GOOD, "--accept", "everything")
    ),
    "a seed that is none": Wrong(CONFIGURATION, ("session.seed",), (*GOOD, "--seed", "-1")),
}


SPAWNED = {"an unknown key", "a session id that climbs", "truncated data"}
"""One of each kind in a process of its own."""


@pytest.mark.long
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_before_the_start_is_told_and_leaves_nothing(
    workspace: Workspace, name: str
) -> None:
    wrong = WRONG[name]
    if wrong.change is not None:
        workspace.change(*wrong.change)
    if wrong.data is not None:
        wrong.data(workspace.folder)
    before = workspace.digests()
    run = workspace.spawn if name in SPAWNED else workspace.trade
    done = run(*wrong.options)
    assert_one_message(done, wrong.code, *wrong.words)
    assert workspace.digests() == before
    assert {path.name.split("_")[0] for path in workspace.sessions.iterdir()} <= {"kept", "run"}
    assert not (workspace.home.parent / "climbs").exists()


def test_an_option_of_the_wrong_type_is_told_with_the_usage(workspace: Workspace) -> None:
    done = workspace.trade(*GOOD, "--seed", "many")
    assert done.returncode == ExitCode.BAD_CONFIGURATION
    assert "--seed" in done.stderr
    assert "usage:" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_help_documents_every_exit_code(workspace: Workspace) -> None:
    done = workspace.trade("--help")
    assert done.returncode == 0
    documented = done.stdout.partition("exit codes:")[2]
    for code in ExitCode:
        assert f"\n  {int(code)}  " in documented


# ---- folders that cannot be written ----


def file_for_home(folder: Path) -> Path:
    path = folder / "home_is_a_file"
    path.write_text("")
    return path


def file_for_sessions(folder: Path) -> Path:
    home = folder / "file_for_sessions"
    (home / "runs" / "live").mkdir(parents=True)
    (home / "runs" / "live" / "sessions").write_text("")
    return home


def file_for_logs(folder: Path) -> Path:
    home = folder / "file_for_logs"
    home.mkdir()
    (home / "logos").write_text("")
    return home


@pytest.mark.parametrize(
    "make_home",
    [
        file_for_sessions,
        file_for_logs,
        file_for_home,
        lambda _: Path("/proc"),
    ],
)
def test_a_folder_that_cannot_be_written_is_named(
    workspace: Workspace, tmp_path: Path, make_home: Callable[[Path], Path]
) -> None:
    home = make_home(tmp_path)
    done = workspace.trade(*GOOD, environment={"LOGOS_HOME": str(home)})
    assert_one_message(done, ExitCode.CANNOT_WRITE, "cannot write", str(home), "LOGOS_HOME")
    left = [path for path in tmp_path.rglob("*") if path.name.startswith("session-")]
    assert left == []


@pytest.mark.long
def test_a_disk_that_fills_up_during_the_session_is_told(
    workspace: Workspace, tmp_path: Path
) -> None:
    write_long(tmp_path)

    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = workspace.spawn(
        *(*GOOD, "--data", str(tmp_path / "ACME_1m_long.csv"), "--session-id", "run_full"),
        before=small_files_only,
    )
    assert_one_message(done, ExitCode.CANNOT_WRITE, "state.jsonl", "cannot write")
