"""The guarantees G1 to G25 of docs/GUARANTEES.md, each with a test of its name.

Each calls the real check, which lives elsewhere, on a bounded sample; the document names the
command that shows it in full. What is not met has a test as well, which fails once there is
something to show. `test_guarantee_document.py` holds the document and these tests together.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import random
import string
import subprocess
import sys
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import fleet_campaign
import pytest
from crash_helpers import Bench, operations_of, truth
from crash_sessions import first_difference, session_folder
from file_faults import Cut, at
from guard_campaign import run_campaign
from kill_campaign import run_engagement, run_restart
from kill_trials import run_trial
from places import PROJECT, TESTS, absent
from sampling import first_quick
from switch_helpers import Workspace
from venue_campaign import run_sequence
from waiting import wait_until

from logos import paths
from logos.core.saved.state import save_core
from logos.core.strategy import limit, market
from logos.core.types import Side
from logos.session.artifacts.rows import text_cell
from logos.testing.builders import orders_in, refusals_in

pytestmark = pytest.mark.campaign

SOURCES = sorted((PROJECT / "src").rglob("*.py"))


@cache
def elsewhere(place: str) -> Any:
    """The tests of another file, to be called: `place` is below tests/."""
    path = TESTS / place
    spec = importlib.util.spec_from_file_location(f"guaranteed_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run_tool(*words: str) -> str:
    """What a tool of tests/helpers prints; it must end well."""
    command = [sys.executable, str(TESTS / "helpers" / words[0]), *words[1:]]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_g01_a_killed_session_ends_with_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    trial = run_trial(4_000)
    assert trial.problems == []
    operations = operations_of("trading")
    for number in range(1, operations, max(1, operations // 8)):
        bench = Bench("trading", tmp_path / str(number))
        bench.home.mkdir()
        bench.go(at(number, Cut()))
        bench.finish()
        assert first_difference(bench.home, truth("trading")) == "", number


def test_g02_a_torn_end_is_cut_off_before_anything_is_appended_and_damage_refuses(
    tmp_path: Path,
) -> None:
    whole = truth("trading")
    Bench("trading", tmp_path).go()
    journal = session_folder(tmp_path) / "state.jsonl"
    content = journal.read_bytes()
    starts = [0, *(at + 1 for at, byte in enumerate(content) if byte == 10)]
    rolled = random.Random(2)
    for length in rolled.sample(range(starts[-4], len(content)), 12):
        # The seal is not whole any more, so the session is one that crashed.
        journal.write_bytes(content[:length])
        (session_folder(tmp_path) / "host.json").unlink(missing_ok=True)
        Bench("trading", tmp_path).finish()
        assert first_difference(tmp_path, whole) == "", length
    from logos.session.history import read_session

    for place in rolled.sample(range(starts[-2]), 40):
        journal.write_bytes(
            content[:place]
            + bytes([content[place] ^ 1 << rolled.randrange(8)])
            + content[place + 1 :]
        )
        with pytest.raises(Exception, match=r"record \d+|manifest"):
            read_session(session_folder(tmp_path))


def test_g03_after_a_power_cut_all_that_was_synced_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    power = elsewhere("crash/test_crash_power.py")
    power.test_recovery_keeps_all_that_was_synced_and_nothing_that_never_was(
        "trading", 1, 40, monkeypatch
    )


def test_g04_the_first_fsync_that_fails_sends_nothing_more_and_engages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = elsewhere("session/live/test_live_disk.py")
    disk.test_an_order_whose_intent_cannot_be_synced_never_leaves(tmp_path, monkeypatch)


def test_g05_the_intent_is_durable_before_the_first_byte_goes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = elsewhere("session/live/test_live_disk.py")
    disk.test_the_order_of_inputs_journal_and_venue(tmp_path, monkeypatch)


@pytest.mark.timeout(180)
def test_g06_one_client_id_is_one_order_and_nothing_is_sent_twice() -> None:
    sent = 0
    for seed in range(500, 508):
        outcome = run_sequence(seed)
        assert outcome.wrong == [], f"seed {seed}"
        sent += outcome.counts["reports ACCEPTED"] + outcome.counts["reports UNKNOWN"]
    assert sent > 20


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", first_quick(range(4_000, 4_004)))
def test_g07_no_order_follows_a_kill_from_another_process(seed: int) -> None:
    trial = run_engagement(seed)
    assert trial.problems == []
    assert trial.late_orders == 0


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", first_quick([4_001, 4_009]))
def test_g08_no_restart_after_a_kill_orders_anything(seed: int) -> None:
    trial = run_restart(seed)
    assert trial.problems == []


def test_g09_every_fault_of_the_switchs_files_is_engaged(tmp_path: Path) -> None:
    matrix = elsewhere("killswitch/test_fail_closed.py")
    assert len(matrix.MATRIX) > 30
    for number, row in enumerate(sorted(matrix.MATRIX)):
        home = tmp_path / str(number)
        home.mkdir()
        matrix.test_a_session_that_starts_finds_it_engaged(Workspace(home), row)


@pytest.mark.timeout(180)
def test_g10_machines_of_a_fleet_stop_together_and_a_partition_stops_trading(
    tmp_path: Path,
) -> None:
    """One run in which all hear of the kill, and one with engines on both sides of a partition."""
    if os.geteuid() != 0:
        absent("network namespaces need root")
    outcomes = fleet_campaign.play(tmp_path, ("nothing", "split"), 10, 2.0)
    assert fleet_campaign.tell(outcomes, 2.0) == []
    assert len(outcomes) == 2


@pytest.mark.timeout(180)
@pytest.mark.parametrize("fault", ["turned_away", "lost_before"])
def test_g11_with_cancels_that_fail_nothing_rests_or_it_is_said(fault: str) -> None:
    drain = elsewhere("execution/test_link_drain.py")
    drain.test_with_a_third_of_the_cancels_failing_the_venue_has_none_within_five_seconds(fault)


@pytest.mark.timeout(180)
def test_g12_generated_orders_pass_no_limit() -> None:
    result = run_campaign(3_000, 77)
    assert result["asked"] >= 3_000
    assert result["made"] > 500
    assert result["refusals"]["ORDER_RATE"]
    intents = elsewhere("core/test_intents.py")
    for value in (float("nan"), float("inf"), -float("inf"), "nan", 0, -1):
        _, records = intents.after(market(Side.BUY, value), limit(Side.BUY, 1, value))
        assert orders_in(records) == [], value
        assert len(refusals_in(records)) == 2, value


def test_g13_a_changed_guard_is_noticed() -> None:
    assert run_tool("mutation.py", "--sample", "4", "--seed", "13").startswith("4 of 4 mutants")


def test_g14_at_speed_no_event_is_lost_and_the_kill_holds(tmp_path: Path) -> None:
    from stress_helpers import problems_of, run_and_judge, small_plan

    plan = small_plan(14, signals=0, seconds=30.0, kill="switch", kill_after_s=1.0)
    verdict = run_and_judge(plan, tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)


@pytest.mark.timeout(180)
def test_g15_a_second_reconciliation_changes_nothing() -> None:
    elsewhere("execution/test_reconcile.py").test_reconciling_twice_changes_nothing_here_or_there()
    differences = 0
    for seed in (37, *range(600, 604)):
        outcome = run_sequence(seed)
        assert outcome.wrong == [], f"seed {seed}"
        differences += outcome.counts["reports DIFFERENCE"]
    assert differences


def test_g16_the_same_session_is_the_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    digests = []
    for seed in ("0", "4294967295"):
        home = tmp_path / seed
        data = str(PROJECT / "data" / "cache")
        words = ("--strategy", "sma_cross", "--data", data, "--symbols", "ACME", "--accept", "gap")
        environment = {**os.environ, "LOGOS_HOME": str(home), "PYTHONHASHSEED": seed}
        subprocess.run(
            [sys.executable, "-m", "logos.live", "trade", *words, "--session-id", "a", "--quiet"],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
        )
        folder = home / "runs" / "live" / "sessions" / "a"
        files = {each.name: each.read_bytes() for each in folder.iterdir()}
        assert files.pop("host.json")
        files["log"] = (home / "logos" / "logs" / "a.jsonl").read_bytes()
        digests.append({name: sha256(content).hexdigest() for name, content in files.items()})
    assert digests[0] == digests[1]
    assert len(digests[0]) > 7


def test_g17_a_restart_keeps_high_water_day_baseline_and_rate_window() -> None:
    state = elsewhere("crash/test_core_state.py")
    seen: set[str] = set()
    for place in state.MARKETS.values():
        events = place.events(state.EVENTS)
        for cut in (1, state.EVENTS // 3, state.EVENTS - 1):
            core = place.core(state.InProcessSwitch())
            core.start(events[0].ts_ns)
            core.run(events[:cut])
            core.take_effects()
            if core.is_halted:
                continue
            saved = save_core(core)
            seen |= keys_of(saved)
            assert json.loads(json.dumps(save_core(state.restored(core, place)))) == json.loads(
                json.dumps(saved)
            )
    for word in ("high_water", "day", "recent_orders"):
        assert any(word in each for each in seen), (word, sorted(seen))


def test_g18_of_a_silent_symbol_nothing_is_ordered_beyond_the_age(tmp_path: Path) -> None:
    live = elsewhere("session/live/test_live_sessions.py")
    live.test_of_a_connected_but_silent_symbol_nothing_is_ordered_beyond_the_age(tmp_path)


def test_g19_the_death_of_a_background_task_engages() -> None:
    drive = elsewhere("session/test_drive.py")
    mark = drive.test_the_death_of_any_task_engages_the_switch_and_ends_the_session_in_order
    rows = mark.pytestmark[0].args[1]
    assert len(rows) >= 7
    for how, why in rows:
        mark(how, why)
    # What watches in a thread has tests of its own: tests/session/presence/test_watcher.py.
    watcher = (TESTS / "session" / "presence" / "test_watcher.py").read_text(encoding="utf-8")
    assert "def test_g19_the_watching_thread_is_killed_and_the_switch_engages" in watcher


@pytest.mark.timeout(180)
def test_g20_nothing_of_a_credential_comes_out(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = elsewhere("venues/test_secrets.py")
    assert len(secrets.canaries()) == 20
    secrets.test_nothing_of_a_credential_comes_out(11, "echo", caplog, capsys)


def test_g21_nothing_beyond_this_machine_without_keys_and_no_bytes_break_a_reader(
    tmp_path: Path,
) -> None:
    gateway = elsewhere("adapters/mt5/test_gateway.py")
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.org"):
        gateway.test_anything_but_this_machine_is_refused_without_keys(host)
    gateway.test_curve_lets_in_who_is_known_and_nobody_else(tmp_path)
    frames = elsewhere("adapters/mt5/test_gateway_frames.py")
    rolled = random.Random(21)
    for _ in range(5_000):
        frame = rolled.randbytes(rolled.randint(0, 250))
        try:
            value = frames.decode_frame(frame, 200)
        except frames.FrameError:
            continue
        assert isinstance(value, dict)


def imports_of(path: Path) -> set[str]:
    """The modules that a file imports, by the first part of their name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "recv_pyobj", "send_pyobj", "literal_eval"}


def calls_of(tree: ast.AST) -> set[str]:
    """The names that are called, without what stands before the last dot."""
    return {
        ast.unparse(node.func).rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }


def test_g22_no_code_is_read_from_data_and_no_unknown_key_is_taken() -> None:
    assert len(SOURCES) > 200
    for path in SOURCES:
        assert not imports_of(path) & FORBIDDEN_IMPORTS, path
        assert not calls_of(ast.parse(path.read_text(encoding="utf-8"))) & FORBIDDEN_CALLS, path
    assert calls_of(ast.parse("x.eval(1)")) & FORBIDDEN_CALLS
    words = elsewhere("config/test_config_words.py")
    assert words.problems_of({"risk": {"max_positon": 1}}) == [
        "unknown key 'risk.max_positon'; did you mean 'max_position'?"
    ]


def test_g23_a_thousand_ids_lead_nowhere_else() -> None:
    rolled = random.Random(23)
    pieces = ["..", "/", "\\", "\n", "\0", "CON", "nul", "C:", "a", "Z9", "-", "_", ".", "%2e", "é"]
    sessions = paths.home() / "runs" / "live" / "sessions"
    allowed = set(string.ascii_letters + string.digits + "_-")
    taken = 0
    for _ in range(1_000):
        text = "".join(rolled.choices(pieces, k=rolled.randint(1, 6)))
        try:
            folder = paths.session_dir(text)
        except ValueError:
            continue
        taken += 1
        assert folder.parent == sessions
        assert set(text) <= allowed
        assert text[0] not in "-_"
        assert text.upper() not in ("CON", "NUL", "PRN", "AUX")
    assert 0 < taken < 500


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_g24_text_in_a_table_is_no_formula(first: str) -> None:
    assert text_cell(f"{first}cmd|'/C calc'!A0")[0] == "'"
    assert text_cell("plain") == "plain"


def test_g25_an_engaged_switch_is_told_within_five_seconds(workspace: Workspace) -> None:
    told, settings = workspace.home / "told.jsonl", workspace.home / "alerts.toml"
    command = json.dumps(["sh", "-c", 'cat >> "$1"', "sh", str(told)])
    settings.write_text(f'[alerts.channels.log]\ntype = "command"\ncommand = {command}\n')
    run = [sys.executable, "-m", "logos.live", "alerts", "run", "--config", str(settings)]
    environment = {**os.environ, "LOGOS_HOME": str(workspace.home)}
    breaker = workspace.breaker()
    with subprocess.Popen([*run], env=environment, stdout=subprocess.DEVNULL) as sender:
        try:
            breaker.engage("the desk saw it", "ann")
            wait_until(lambda: told.exists() and told.stat().st_size > 0, "somebody to be told")
        finally:
            sender.terminate()
    [alert] = [json.loads(line) for line in told.read_text().splitlines()]
    assert alert["kind"] == "switch"
    assert "the desk saw it" in alert["text"]
    moments = [datetime.fromisoformat(alert[name]) for name in ("event_time", "time")]
    assert timedelta(0) <= moments[1] - moments[0] <= timedelta(seconds=5)


def keys_of(value: object) -> set[str]:
    """Every key of nested dicts."""
    if isinstance(value, dict):
        return {str(key) for key in value} | {k for each in value.values() for k in keys_of(each)}
    if isinstance(value, list | tuple):
        return {key for each in value for key in keys_of(each)}
    return set()
