"""What goes wrong in a session that has started, through the real command: its folder is complete.

One message names what is wrong, with the documented exit code and no traceback; no other session is
touched. Signals and the end of a process have a process of their own (`Workspace.spawn`).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from session_helpers import WITH_REPORT, table
from wrong_sessions import (
    CONFIG,
    GOOD,
    STRATEGY,
    Workspace,
    assert_one_message,
    workspace_with_a_session,
    write_long,
)

from logos.journal.codec import GENESIS, decode_line
from logos.session import ExitCode


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace_with_a_session(tmp_path_factory.mktemp("failing"))


def assert_complete(folder: Path, still_open: frozenset[str] = frozenset()) -> None:
    """Every artifact is there, every order ended, and the journal is whole and sealed.

    A stopped session's orders may be `still_open`: it can be resumed.
    """
    assert {path.name for path in folder.iterdir()} == set(WITH_REPORT)
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
    # What a signal or the end of a process does is seen in a process alone.
    run = workspace.spawn if name in ("Raises", "Exits", "Interrupted") else workspace.trade
    done = run(*given, *options)
    after = workspace.digests()
    assert {path: after[path] for path in before} == before
    return done, workspace.sessions / session_id


@pytest.mark.long
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
    if words[0].startswith("on_"):
        assert "(user_strategies.py:" in done.stderr, "the last line of the strategy's own"


@pytest.mark.long
def test_the_way_to_a_failure_is_in_the_report_and_on_standard_error(workspace: Workspace) -> None:
    workspace.write("nested.toml", CONFIG.replace(STRATEGY, 'name = "user_strategies:Raises"'))
    done = workspace.trade("--config", "nested.toml", "--session-id", "nested", "--quiet")
    source = (workspace.folder / "user_strategies.py").read_text(encoding="utf-8").splitlines()
    inner = source.index("class Raises(Buys):") + 1
    way = f"user_strategies.py:{inner + 2}, in fifth"
    report = (workspace.sessions / "nested" / "session.md").read_text(encoding="utf-8")
    assert f"({way})" in report.splitlines()[2]
    section = report.partition("## How the strategy failed\n\n")[2].partition("\n\n")[0]
    lines = section.splitlines()
    assert lines[0] == "- RuntimeError: the model is gone"
    assert lines[1].endswith("in on_bar")
    assert lines[2:] == [f"- {way}"]
    assert f'  {way}\n    raise RuntimeError("the model is gone")\n' in done.stderr
    assert str(workspace.folder) not in report, "a replay elsewhere says the same"


PRINTING = """
import sys
from logos import Strategy

print("as it is imported")


class Prints(Strategy):
    def __init__(self):
        print("as it is made")

    def on_bar(self, context, bar):
        print("at a bar")
        sys.stdout.write("and so\\n")
"""


@pytest.mark.long
def test_what_a_strategy_prints_is_on_standard_error_and_in_no_result(
    workspace: Workspace,
) -> None:
    workspace.write("printing.py", PRINTING)
    workspace.write("prints.toml", CONFIG.replace(STRATEGY, 'name = "printing.py:Prints"'))
    done = workspace.trade("--config", "prints.toml", "--session-id", "prints", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["session_id"] == "prints"
    for words in ("as it is imported", "as it is made", "at a bar", "and so"):
        assert words in done.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "refusals", "alarm"),
    [
        ("NotANumber", {"NOT_FINITE": 4}, "4 of 6 requests were refused (NOT_FINITE 4)"),
        ("Negative", {"NEGATIVE_QUANTITY": 1}, ""),
        ("Elsewhere", {"UNKNOWN_SYMBOL": 2}, ""),
    ],
)
def test_an_impossible_wish_is_refused_by_code_and_the_session_goes_on(
    workspace: Workspace, name: str, refusals: Mapping[str, int], alarm: str
) -> None:
    done, folder = run_user_strategy(workspace, name)
    told = f"ALARM: {alarm}\n" if alarm else ""
    assert (done.returncode, done.stdout, done.stderr) == (0, "", told)
    assert_complete(folder)
    report = (folder / "session.md").read_text(encoding="utf-8")
    for code, count in refusals.items():
        assert f"| {code} | {count} |" in report
    assert f"{sum(refusals.values())} refusals" in report


@pytest.mark.long
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


@pytest.mark.long
def test_signals_on_the_command_line_replace_the_strategy_of_the_file(
    workspace: Workspace,
) -> None:
    workspace.write("signals.csv", "timestamp,symbol,side\n2024-01-02T10:05:00Z,ACME,BUY\n")
    done = workspace.trade(
        *GOOD, "--signals", "signals.csv", "--session-id", "run_signals", "--json"
    )
    assert done.returncode == 0
    # Nothing but what the session is: no alarm, no line of progress.
    banner = ("logos ", "strategy ", "symbols ", "account ", "limits o", " " * 12)
    assert all(line.startswith(banner) for line in done.stderr.splitlines())
    assert "signals from" in done.stderr
    assert json.loads(done.stdout)["orders"] == 1
