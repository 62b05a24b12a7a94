"""Everything that can be wrong with a session, through the real command in its own process.

Each wrong input gives one message that names what is wrong, the documented exit code, and no
traceback; no session that exists is touched. What is wrong before the session starts leaves no
folder; what goes wrong later leaves one that is complete.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from session_helpers import ARTIFACTS, table

from logos.journal.codec import GENESIS, decode_line
from logos.session import ExitCode

CONFIG = """\
[strategy]
name = "sma_cross"
params = { fast = 2, slow = 4 }

[data]
paths = ["data/ACME_1m_good.csv"]

[instruments.ACME]
quote = "USD"
tick = "0.01"
lot = "1"
"""

HEADER = "timestamp,open,high,low,close,volume"
BARS = [
    f"2024-01-02T10:{minute:02d}:00Z,{price},{price + 1},{price - 1},{price},1000"
    for minute, price in enumerate([100, 102, 104, 103, 99, 97] * 5)
]

STRATEGIES = """\
import math, os, signal, sys
from logos import Cancel, Side, Strategy, Target, Weight, limit, market


class Buys(Strategy):
    count = 0

    def on_bar(self, context, bar):
        self.count += 1
        if self.count == 1:
            return [market(Side.BUY, 2), limit(Side.BUY, 1, "50")]
        if self.count == 5:
            return self.fifth(context)

    def fifth(self, context):
        pass


class Raises(Buys):
    def fifth(self, context):
        raise RuntimeError("the model is gone")


class RaisesInStart(Buys):
    def on_start(self, context):
        raise RuntimeError("the model is gone")


class RaisesInFill(Buys):
    def on_fill(self, context, fill):
        raise RuntimeError("the model is gone")


class RaisesInStop(Buys):
    def on_stop(self, context):
        raise RuntimeError("the model is gone")


class RaisesWhenMade(Buys):
    def __init__(self):
        raise RuntimeError("the model is gone")


class Exits(Buys):
    def fifth(self, context):
        sys.exit(0)


class Interrupted(Buys):
    def fifth(self, context):
        os.kill(os.getpid(), signal.SIGINT)


class Text(Buys):
    def fifth(self, context):
        return "BUY"


class Number(Buys):
    def fifth(self, context):
        return [market(Side.BUY, 1), 3.5]


class Yields(Buys):
    def fifth(self, context):
        yield market(Side.BUY, 1)


class TextQuantity(Buys):
    def fifth(self, context):
        return market(Side.BUY, "three")


class NoUnicode(Buys):
    def fifth(self, context):
        return market(Side.BUY, 1, tag="\\ud800")


class NumberForSymbol(Buys):
    def fifth(self, context):
        return Target(1, symbol=5)


class TextForOrder(Buys):
    def fifth(self, context):
        return Cancel(order_id="2")


class NumberForTag(Buys):
    def fifth(self, context):
        return market(Side.BUY, 1, tag=5)


class NothingForQuantity(Buys):
    def fifth(self, context):
        return market(Side.BUY, None)


class ListForTarget(Buys):
    def fifth(self, context):
        return Target([1])


class BytesForPrice(Buys):
    def fifth(self, context):
        return limit(Side.BUY, 1, b"100")


class NotANumber(Buys):
    def fifth(self, context):
        nan = float("nan")
        return [Target(nan), Weight(math.inf), market(Side.BUY, nan), limit(Side.BUY, 1, nan)]


class Negative(Buys):
    def fifth(self, context):
        return market(Side.BUY, -3)


class Elsewhere(Buys):
    def fifth(self, context):
        return [Target(1, "NOPE"), Weight(1, "NOPE")]
"""


def write_bars(path: Path, bars: Sequence[str]) -> None:
    path.write_text("\n".join([HEADER, *bars]) + "\n", encoding="utf-8")


class Workspace:
    """A folder with good data, a good configuration and one session that exists already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        (folder / "data").mkdir()
        write_bars(folder / "data" / "ACME_1m_good.csv", BARS)
        self.write("good.toml", CONFIG)
        self.write("user_strategies.py", STRATEGIES)

    @property
    def sessions(self) -> Path:
        return self.home / "runs" / "live" / "sessions"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        """Write bad.toml: the good configuration with one thing changed."""
        assert old in CONFIG
        self.write("bad.toml", CONFIG.replace(old, new))

    def trade(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "logos.live", "trade", *arguments],
            cwd=self.folder,
            env={**os.environ, "LOGOS_HOME": str(self.home), **(environment or {})},
            preexec_fn=before,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def digests(self) -> dict[str, str]:
        """The SHA-256 of every file of every session."""
        return {
            str(path.relative_to(self.sessions)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.sessions.rglob("*"))
            if path.is_file()
        }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("bad_input"))
    done = made.trade("--config", "good.toml", "--session-id", "kept", "--quiet")
    assert (done.returncode, done.stdout) == (0, "")
    # A new workspace says once that its kill switch has been armed, and no more.
    assert [line for line in done.stderr.splitlines() if "armed for paper" not in line] == []
    return made


def assert_one_message(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("logos trade: ") == 1


# ---- what is wrong before the start ----


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


GOOD = ("--config", "good.toml")
BAD_DATA_FILE = (*GOOD, "--data", "ACME_1m_bad.csv")
CONFIGURATION = ExitCode.BAD_CONFIGURATION
DATA = ExitCode.BAD_DATA


STRATEGY = 'name = "sma_cross"\nparams = { fast = 2, slow = 4 }'


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
    done = workspace.trade(*wrong.options)
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


def write_long(folder: Path) -> None:
    """ACME_1m_long.csv: four days of bars, enough for several pieces of a chunk."""
    bars = [
        f"2024-01-{2 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z,"
        f"{100 + minute % 7},120,90,{100 + minute % 7},1000"
        for minute in range(6000)
    ]
    write_bars(folder / "ACME_1m_long.csv", bars)


def test_a_disk_that_fills_up_during_the_session_is_told(
    workspace: Workspace, tmp_path: Path
) -> None:
    write_long(tmp_path)

    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = workspace.trade(
        *(*GOOD, "--data", str(tmp_path / "ACME_1m_long.csv"), "--session-id", "run_full"),
        before=small_files_only,
    )
    assert_one_message(done, ExitCode.CANNOT_WRITE, "state.jsonl", "cannot write")


# ---- what goes wrong later ----


def assert_complete(folder: Path, still_open: frozenset[str] = frozenset()) -> None:
    """Every artifact is there, every order ended, and the journal is whole and sealed.

    A stopped session's orders may be `still_open`: it can be resumed.
    """
    assert {path.name for path in folder.iterdir()} == set(ARTIFACTS)
    ended = {"FILLED", "CANCELLED", "REJECTED", "EXPIRED"}
    orders = table(folder, "orders")
    assert {order["status"] for order in orders} <= ended | still_open
    assert table(folder, "positions")
    assert table(folder, "account")
    digest = GENESIS
    bodies = []
    for number, line in enumerate((folder / "state.jsonl").read_bytes().splitlines(), start=1):
        body, digest = decode_line(line, number, digest)
        bodies.append(json.loads(body))
    assert (bodies[0]["kind"], bodies[-1]["kind"]) == ("manifest", "sealed")
    assert len([body for body in bodies if body["kind"] == "order"]) == len(orders)
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    assert (state["sequence"], state["journal_hash"]) == (len(bodies), digest.hex())
    assert f"**{state['status']}**" in (folder / "session.md").read_text(encoding="utf-8")


def run_user_strategy(
    workspace: Workspace, name: str, *options: str
) -> tuple[subprocess.CompletedProcess[str], Path]:
    workspace.write(f"{name}.toml", CONFIG.replace(STRATEGY, f'name = "user_strategies:{name}"'))
    before = workspace.digests()
    session_id = f"run_{name}"
    given = ("--config", f"{name}.toml", "--session-id", session_id, "--quiet")
    done = workspace.trade(*given, *options)
    after = workspace.digests()
    assert {path: after[path] for path in before} == before
    return done, workspace.sessions / session_id


@pytest.mark.parametrize(
    ("name", "words", "orders"),
    [
        ("Raises", ("on_bar", "RuntimeError", "the model is gone"), 2),
        ("RaisesInStart", ("on_start", "the model is gone"), 0),
        ("RaisesInFill", ("on_fill", "the model is gone"), 2),
        ("RaisesInStop", ("on_stop", "the model is gone"), 2),
        ("Exits", ("on_bar", "SystemExit"), 2),
        ("Text", ("not str", "Target"), 2),
        ("Number", ("not float", "OrderRequest"), 3),
        ("Yields", ("not generator",), 2),
        ("TextQuantity", ("quantity", "'three'"), 2),
        ("NoUnicode", ("tag",), 2),
        ("NumberForSymbol", ("symbol", "int"), 2),
        ("TextForOrder", ("order_id", "str"), 2),
        ("NumberForTag", ("tag", "int"), 2),
        ("NothingForQuantity", ("quantity", "NoneType"), 2),
        ("ListForTarget", ("target", "list"), 2),
        ("BytesForPrice", ("limit price", "bytes"), 2),
    ],
)
def test_a_strategy_that_fails_ends_the_session_with_everything_written(
    workspace: Workspace, name: str, words: Sequence[str], orders: int
) -> None:
    done, folder = run_user_strategy(workspace, name)
    assert_one_message(done, ExitCode.STRATEGY_FAILED, *words, str(folder))
    assert " at 0x" not in done.stderr, "an address differs from run to run"
    assert_complete(folder)
    assert len(table(folder, "orders")) == orders
    assert "**FAILED**" in (folder / "session.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "refusals"),
    [
        ("NotANumber", {"NOT_FINITE": 4}),
        ("Negative", {"NEGATIVE_QUANTITY": 1}),
        ("Elsewhere", {"UNKNOWN_SYMBOL": 2}),
    ],
)
def test_an_impossible_wish_is_refused_by_code_and_the_session_goes_on(
    workspace: Workspace, name: str, refusals: Mapping[str, int]
) -> None:
    done, folder = run_user_strategy(workspace, name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert_complete(folder)
    report = (folder / "session.md").read_text(encoding="utf-8")
    for code, count in refusals.items():
        assert f"| {code} | {count} |" in report
    assert f"{sum(refusals.values())} refusals" in report


def test_an_interrupt_ends_the_session_in_order(workspace: Workspace) -> None:
    write_long(workspace.folder)
    done, folder = run_user_strategy(workspace, "Interrupted", "--data", "ACME_1m_long.csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert_complete(folder, still_open=frozenset({"ACCEPTED", "PARTIALLY_FILLED"}))
    assert "**STOPPED**" in (folder / "session.md").read_text(encoding="utf-8")


def test_times_that_leave_no_event_are_bad_data_with_a_complete_folder(
    workspace: Workspace,
) -> None:
    before = workspace.digests()
    done = workspace.trade(
        *GOOD, "--from", "2030-01-01T00:00:00Z", "--session-id", "run_none", "--quiet"
    )
    assert_one_message(done, ExitCode.BAD_DATA, "no events")
    after = workspace.digests()
    assert {path: after[path] for path in before} == before


def test_signals_on_the_command_line_replace_the_strategy_of_the_file(
    workspace: Workspace,
) -> None:
    workspace.write("signals.csv", "timestamp,symbol,side\n2024-01-02T10:05:00Z,ACME,BUY\n")
    done = workspace.trade(
        *GOOD, "--signals", "signals.csv", "--session-id", "run_signals", "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["orders"] == 1
