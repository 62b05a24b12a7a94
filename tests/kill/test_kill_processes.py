"""Whole sessions in processes of their own: stopped, frozen, killed and started again.

The engagements and restarts are a sample of the campaign (`make kill-campaign`); what a trial
checks is said in `campaign.py`.
"""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kill_campaign import ENDS, LOSSES, run_engagement, run_restart
from kill_helpers import Engager, Session, logos, read_journal
from life_trials import run_life
from places import HELPERS
from sampling import first_quick
from session_helpers import ARTIFACTS

STOP_BOUND_S = 5.0


@pytest.mark.long
@pytest.mark.parametrize("seed", first_quick(range(10), 2))
def test_engaged_at_a_random_moment_from_another_process_no_order_follows(seed: int) -> None:
    trial = run_engagement(seed)
    assert trial.problems == []
    assert trial.orders


@pytest.mark.long
@pytest.mark.parametrize("seed", first_quick(range(8), 2))
def test_a_signal_at_any_moment_from_exec_to_exit_is_obeyed(seed: int) -> None:
    life = run_life(seed)
    assert life.problems == [], life
    assert (life.came != "", life.orders_after) == (True, 0)


@pytest.mark.long
@pytest.mark.parametrize("seed", first_quick(range(len(LOSSES) * len(ENDS))))
def test_no_way_of_restarting_after_an_engagement_orders_anything(seed: int) -> None:
    trial = run_restart(seed * 7)  # 7 is coprime to the numbers of losses, ends and ways
    assert trial.problems == []


@pytest.mark.long
def test_the_command_that_a_refused_start_prints_clears_the_switch(tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        session.wait_for_go()
        assert logos(tmp_path, "kill", "--reason", "drill", "--by", "ann").returncode == 0
        assert session.end().exit_code == 4
    with Session(tmp_path, "again", restart=True) as again:
        refused = again.end()
    found = re.search(r"LOGOS_HOME=\S+ logos (kill reset .*)", refused.err)
    assert found is not None
    words = found.group(1).split()
    assert (refused.exit_code, logos(tmp_path, *words).returncode) == (4, 0)
    with Session(tmp_path, "later", restart=True) as later:
        assert later.end().exit_code == 0
        assert later.gates.asked_ns
    assert logos(tmp_path, *words).returncode == 4, "an old epoch clears nothing"


@pytest.mark.long
def test_kill_reports_each_running_session_blocked_and_drained(tmp_path: Path) -> None:
    lingers = {"on_engaged": "block", "linger": True, "announce_at": 200}
    with (
        Session(tmp_path, "first", **lingers) as first,
        Session(tmp_path, "second", **lingers) as second,
    ):
        for session in (first, second):
            session.wait_for_go()
        done = logos(tmp_path, "kill", "--reason", "drill", "--by", "ann")
        assert (done.returncode, done.stderr) == (0, "")
        for session in (first, second):
            line = f"session {session.id} (pid {session.process.pid}): BLOCKED, DRAINED\n"
            assert line in done.stdout
            session.say()
            ended = session.end()
            assert (ended.exit_code, ended.result["status"]) == (0, "ENDED")
            assert ended.result["blocked"]


@pytest.mark.long
def test_kill_names_the_session_that_does_not_drain_and_does_not_wait_for_ever(
    tmp_path: Path,
) -> None:
    with Session(tmp_path, "frozen") as frozen:
        frozen.wait_for_go()
        frozen.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, frozen.process.pid, os.WSTOPPED)
        passed = len(frozen.gates.asked_ns)
        began = time.monotonic()
        done = logos(tmp_path, "kill", "--reason", "drill", "--by", "ann", "--timeout", "0.5")
        assert time.monotonic() - began < STOP_BOUND_S
        assert done.returncode == 3
        assert f"session frozen (pid {frozen.process.pid}): NOT BLOCKED, NOT DRAINED" in done.stderr
        frozen.process.send_signal(signal.SIGCONT)
        assert frozen.end().exit_code == 4
        # It may have been stopped between the answer of gate 2 and its order.
        assert len(frozen.gates.asked_ns) <= passed + 1
        assert read_journal(frozen.folder).orders_after_engagement == 0


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_ends_a_session_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with Session(tmp_path, announce_at=250) as session:
        session.wait_for_go()
        began = time.monotonic()
        session.process.send_signal(number)
        ended = session.end()
        assert time.monotonic() - began < STOP_BOUND_S
        assert (ended.exit_code, ended.result["status"]) == (0, "STOPPED")
        assert {path.name for path in session.folder.iterdir()} == set(ARTIFACTS)
        journal = read_journal(session.folder)
        assert not journal.torn
        assert journal.bodies[-1]["kind"] == "sealed"
        with open(session.folder / "orders.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(journal.of("order")) == ended.result["orders"]
        # What rests may stay: a stopped session can be resumed.
        assert {row["status"] for row in rows} <= {"FILLED", "CANCELLED", "ACCEPTED"}
        assert list((tmp_path / "state" / "sessions").iterdir()) == [], "its heartbeat is gone"
    assert logos(tmp_path, "kill", "status").returncode == 0, "to stop a session is no engagement"


@pytest.mark.long
def test_a_second_signal_ends_a_session_where_it_hangs_and_says_what_is_lost(
    tmp_path: Path,
) -> None:
    with Session(tmp_path, breach_on_line=True) as session:
        session.wait_for_go()
        # The strategy waits for a line that never comes: the first signal cannot be obeyed yet.
        # Two of the same kind might arrive as one.
        session.process.send_signal(signal.SIGTERM)
        session.process.send_signal(signal.SIGINT)
        ended = session.end()
        assert "terminated by a second signal" in ended.err
        assert ended.exit_code != 0, "it did not end in order"
        journal = read_journal(session.folder)
        assert journal.bodies[0]["kind"] == "manifest", "what was written is whole"
        assert journal.of("order") == []


@pytest.mark.long
def test_sigusr1_engages_for_every_session_of_the_machine(tmp_path: Path) -> None:
    with Session(tmp_path, "first") as first, Session(tmp_path, "second") as second:
        first.wait_for_go()
        second.wait_for_go()
        engager = Engager(tmp_path, "signal")
        engager.engage(first)
        assert (first.end().exit_code, second.end().exit_code) == (4, 4)
    status = logos(tmp_path, "kill", "status")
    assert status.returncode == 1
    assert "SIGUSR1" in status.stdout


@pytest.mark.campaign
def test_the_campaign_prints_its_figures_and_says_whether_all_went_well(tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    done = subprocess.run(
        [sys.executable, str(HELPERS / "kill_campaign.py"), "--engagements", "1",
         "--restarts", "1", "--lives", "1", "--seed", "1", "--report", str(report)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert re.search(
        r"1 trials, [\d,]+ orders before, 0 after, 0 trials with problems", done.stdout
    )
    assert re.search(r"touch +1 trials +p50 +[\d,]+ +p99 +[\d,]+ +max +[\d,]+", done.stdout)
    assert "lives: 1 signals from exec to exit, 0 orders after, 0 lives with" in done.stdout
    assert report.read_text(encoding="utf-8") == done.stdout
