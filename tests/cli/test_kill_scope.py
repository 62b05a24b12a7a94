"""`logos kill` from any place reaches every session of the user, and says what it has done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kill_helpers import WAIT_S, Session, read_journal
from places import absent
from sampling import first_quick
from tiny_disk import tiny_disk
from waiting_helpers import crash, goes_on, orders, waiting

from logos.session.presence import registry

NAMESPACE = ("unshare", "-rpf", "--mount-proc")
KILL = ("kill", "--reason", "drill", "--by", "ann")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The workspace in which a session runs."""
    return tmp_path / "desk"


@dataclass(frozen=True)
class Place:
    """Where the command is typed."""

    folder: Path
    environment: Mapping[str, str]
    prefix: tuple[str, ...] = ()


def logos(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*place.prefix, sys.executable, "-m", "logos.live", *words],
        cwd=place.folder, env=dict(place.environment), text=True, capture_output=True,
        check=False, timeout=WAIT_S,
    )  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    """That of a shell that knows no workspace."""
    kept = {name: text for name, text in os.environ.items() if name != "LOGOS_HOME"}
    return kept | more


def elsewhere(tmp_path: Path, **more: str) -> Place:
    folder = tmp_path / "elsewhere"
    folder.mkdir(exist_ok=True)
    return Place(folder, environment(**more))


# ---- ten other places ----


def other_folder(tmp_path: Path, home: Path) -> Place:
    return elsewhere(tmp_path)


def other_workspace(tmp_path: Path, home: Path) -> Place:
    place = elsewhere(tmp_path)
    switch = elsewhere(tmp_path, LOGOS_HOME=str(place.folder))
    (place.folder / "state" / "sessions").mkdir(parents=True)
    assert logos(switch, "kill", "status").returncode == 1
    return place


def folder_within(tmp_path: Path, home: Path) -> Place:
    (home / "notes" / "today").mkdir(parents=True)
    return Place(home / "notes" / "today", environment())


def root_folder(tmp_path: Path, home: Path) -> Place:
    return Place(Path("/"), environment())


def mistyped_home(tmp_path: Path, home: Path) -> Place:
    return elsewhere(tmp_path, LOGOS_HOME=str(tmp_path / "dekc"))


def home_without_a_past(tmp_path: Path, home: Path) -> Place:
    (tmp_path / "empty").mkdir()
    return elsewhere(tmp_path, LOGOS_HOME=str(tmp_path / "empty"))


def bare_environment(tmp_path: Path, home: Path) -> Place:
    """As cron gives it; but for the variable that keeps this test from the user's own sessions."""
    return Place(
        elsewhere(tmp_path).folder,
        {"PATH": "/usr/bin:/bin", registry.VARIABLE: os.environ[registry.VARIABLE]},
    )


def other_pid_namespace(tmp_path: Path, home: Path) -> Place:
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        absent(f"no PID namespaces here: {tried.stderr.strip()}")
    place = elsewhere(tmp_path)
    return Place(place.folder, place.environment, NAMESPACE)


def removed_folder(tmp_path: Path, home: Path) -> Place:
    """The shell's folder was removed while somebody was in it."""
    folder = tmp_path / "removed"
    folder.mkdir()
    script = f'rmdir {folder}; exec "$@"'
    return Place(folder, environment(), ("sh", "-c", script, "sh"))


def folder_that_cannot_be_written(tmp_path: Path, home: Path) -> Place:
    place = elsewhere(tmp_path)
    place.folder.chmod(0o500)
    return place


PLACES: list[Callable[[Path, Path], Place]] = [
    other_folder, mistyped_home, other_pid_namespace, other_workspace, folder_within, root_folder,
    home_without_a_past, bare_environment, removed_folder, folder_that_cannot_be_written,
]  # fmt: skip


def tree(folder: Path, without: Path) -> set[Path]:
    """Everything in `folder` but what lies in `without`."""
    return {path for path in folder.rglob("*") if without not in (path, *path.parents)}


@pytest.mark.long
@pytest.mark.parametrize("place_of", first_quick(PLACES, 2))
def test_kill_reaches_a_session_from_any_place_and_makes_nothing(
    place_of: Callable[[Path, Path], Place], tmp_path: Path, home: Path
) -> None:
    with Session(home, announce_at=50) as session:
        session.wait_for_go()
        place = place_of(tmp_path, home)
        is_within = place_of is folder_within
        before = tree(tmp_path, home)
        done = logos(place, *KILL)
        name = "session ordering" + ("" if is_within else f" of workspace {home}")
        assert f"engaging the kill switch of workspace {home}\n" in done.stdout
        assert f"{name} (pid {session.process.pid}): BLOCKED, DRAINED\n" in done.stdout or (
            f"{name}: BLOCKED, DRAINED (it has ended)\n" in done.stdout
        )
        assert "\nENGAGED at epoch " in done.stdout or ": ENGAGED at epoch " in done.stdout
        ended = session.end()
        assert (ended.exit_code, ended.result["status"]) == (4, "HALTED")
        journal = read_journal(session.folder)
        assert journal.orders_after_engagement == 0
        assert journal.open_orders == 0
    if place_of is mistyped_home:
        assert done.returncode == 2
        assert f"LOGOS_HOME is {tmp_path / 'dekc'}, and there is no such folder" in done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, "")
    if place_of is removed_folder:
        before.discard(place.folder)
    made = tree(tmp_path, home) - before
    if place_of is other_workspace:  # its switch is engaged as well
        made = {path for path in made if tmp_path / "elsewhere" not in path.parents}
    assert not made


@pytest.mark.long
def test_a_session_in_another_pid_namespace_is_stopped_and_believed(
    tmp_path: Path, home: Path
) -> None:
    place = other_pid_namespace(tmp_path, home)
    home.mkdir()
    with waiting(home, "boxed", at="callback", prefix=NAMESPACE) as process:
        there = Place(place.folder, place.environment)
        status = logos(there, "status", "--late-after", "60")
        assert status.stdout.startswith(f"workspace {home}\nswitch SAFE at epoch 1 ")
        assert "\nboxed: running\n" in status.stdout
        done = logos(there, *KILL, "--timeout", "0.2")
        assert done.returncode == 3
        assert f"session boxed of workspace {home}" in done.stderr
        assert "NOT BLOCKED" in done.stderr
        assert "kill -9" not in done.stderr
        assert goes_on(process)["status"] == "HALTED"
    assert orders(home, "boxed") == 3


# ---- at any moment of a life ----


MOMENTS: dict[str, dict[str, Any]] = {
    "starts": {"at": "start"},
    "sleeps in a callback": {"at": "callback"},
    "resumes": {"what": "resume", "at": "event", "event": 6},
    "flattens": {"what": "flatten", "at": "event", "event": 6},
    "waits for its first event": {"at": "event", "event": 0},
    "begins to resume": {"what": "resume", "at": "start"},
}


@pytest.mark.long
@pytest.mark.parametrize("moment", first_quick(list(MOMENTS), 2))
def test_kill_from_elsewhere_stops_a_session_at_any_moment(
    moment: str, tmp_path: Path, home: Path
) -> None:
    options = MOMENTS[moment]
    home.mkdir()
    if options.get("what") in ("resume", "flatten"):
        crash(home, "late")
        crash(home, "free")
    place = elsewhere(tmp_path)
    # What it would do if nobody stopped it: else this test could not fail.
    with waiting(home, "free", **options) as process:
        before = orders(home, "free")
        assert goes_on(process)["status"] == "ENDED"
    assert orders(home, "free") > before
    with waiting(home, "late", **options) as process:
        done = logos(place, *KILL, "--timeout", "0.2")
        before = orders(home, "late")
        ended = goes_on(process)
    assert f"engaging the kill switch of workspace {home}\nworkspace {home}: ENGAGED at epoch" in (
        done.stdout
    )
    name = f"session late of workspace {home} (pid {process.pid}): "
    if done.returncode == 0:
        assert f"{name}BLOCKED, DRAINED\n" in done.stdout
    else:
        assert done.returncode == 3
        assert f"{name}NOT" in done.stderr
    assert (ended["status"], orders(home, "late")) in (("HALTED", before), ("", before)), ended
    assert "drill" in ended["error"]
    assert not list(place.folder.iterdir())


@pytest.mark.long
def test_kill_from_elsewhere_names_a_session_that_is_stopped_by_a_signal(
    tmp_path: Path, home: Path
) -> None:
    with Session(home, announce_at=50) as frozen:
        frozen.wait_for_go()
        frozen.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, frozen.process.pid, os.WSTOPPED)
        done = logos(elsewhere(tmp_path), *KILL, "--timeout", "0.2")
        assert done.returncode == 3
        assert f"session ordering of workspace {home} (pid {frozen.process.pid}): NOT BLOCKED" in (
            done.stderr
        )
        frozen.process.send_signal(signal.SIGCONT)
        assert frozen.end().exit_code == 4
        assert read_journal(frozen.folder).orders_after_engagement == 0


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with open(disk / "fill", "wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 512)
    assert os.statvfs(disk).f_bavail == 0


@pytest.mark.long
def test_kill_from_elsewhere_tells_the_truth_on_a_full_disk(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 600) as disk:
        home = disk / "desk"
        home.mkdir()
        with waiting(home, "late", at="event", event=6) as process:
            before = orders(home, "late")
            fill(disk)
            done = logos(elsewhere(tmp_path), *KILL, "--timeout", "0.2")
            ended = goes_on(process)
        assert done.returncode in (3, 6)
        assert "not written: " in done.stderr
        is_there = (home / "state" / "kill-switch" / "KILL").exists()
        assert (f"workspace {home}: ENGAGED at epoch" in done.stdout) == is_there
        assert (f"workspace {home}: NOT ENGAGED" in done.stdout) != is_there
        assert ended["status"] != "ENDED"
        assert orders(home, "late") == before


@pytest.mark.long
def test_a_session_that_was_killed_is_not_called_running_and_is_forgotten(
    tmp_path: Path, home: Path, own_registry: Path
) -> None:
    home.mkdir()
    with waiting(home, "dead", at="callback") as process:
        assert len(list(own_registry.iterdir())) == 1
        process.kill()
        process.wait()
        place = elsewhere(tmp_path)
        done = logos(place, *KILL)
        assert done.returncode == 5
        assert done.stdout == "no session is running\n"
        assert done.stderr == f"{place.folder} is not in a workspace\n"
        assert list(own_registry.iterdir()) == []
        assert not list(place.folder.iterdir())
    there = logos(elsewhere(tmp_path, LOGOS_HOME=str(home)), *KILL)
    assert there.returncode == 5
    assert f"session dead: its process {process.pid} is gone\n" in there.stdout


# ---- narrower, and several at once ----


@pytest.mark.long
def test_kill_stops_every_workspace_and_here_or_a_name_narrow_it(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second, third):
        folder.mkdir()
    with (
        waiting(first, "alpha", at="callback") as alpha,
        waiting(second, "beta", at="callback") as beta,
        waiting(third, "gamma", at="callback") as gamma,
    ):
        here = Place(first, environment())
        listing = logos(here, "sessions", "list", "--running", "--json")
        listed = [(each["session"], each["workspace"]) for each in json.loads(listing.stdout)]
        assert listed == [("alpha", str(first)), ("beta", str(second)), ("gamma", str(third))]
        done = logos(here, *KILL, "--here", "--timeout", "0")
        assert done.returncode == 3
        assert f"engaging the kill switch of workspace {first}\nENGAGED at epoch " in done.stdout
        for name, workspace, process in (("beta", second, beta), ("gamma", third, gamma)):
            line = f"session {name} of workspace {workspace} (pid {process.pid}) runs on; "
            assert line in done.stdout
            assert name not in done.stderr
        done = logos(here, *KILL, "--session", "gamma", "--timeout", "0")
        assert done.returncode == 3
        assert f"session gamma of workspace {third}" in done.stderr
        assert "beta" not in done.stderr
        for folder, is_engaged in ((first, True), (second, False), (third, True)):
            assert (folder / "state" / "kill-switch" / "KILL").exists() == is_engaged
        done = logos(here, *KILL, "--session", "delta")
        assert done.returncode == 5
        assert done.stdout.startswith("no session delta is running\n")
        assert not (second / "state" / "kill-switch" / "KILL").exists()
        done = logos(here, *KILL, "--timeout", "0")
        assert done.returncode == 3
        assert f"workspace {second}: ENGAGED at epoch " in done.stdout
        assert done.stdout.count("to clear: LOGOS_HOME=") == 3
        for process in (alpha, beta, gamma):
            assert goes_on(process)["status"] == "HALTED"


@pytest.mark.long
def test_here_needs_a_workspace_and_touches_nothing_without_one(tmp_path: Path, home: Path) -> None:
    home.mkdir()
    with waiting(home, "free", at="callback") as process:
        done = logos(elsewhere(tmp_path), *KILL, "--here")
        assert done.returncode == 2
        assert "nothing was stopped" in done.stderr
        assert goes_on(process)["status"] == "ENDED"


@pytest.mark.long
def test_a_reset_is_of_one_workspace_and_needs_it_named(tmp_path: Path, home: Path) -> None:
    words = ("kill", "reset", "--by", "ann", "--reason", "fine", "--epoch", "0")
    place = elsewhere(tmp_path)
    done = logos(place, *words)
    assert done.returncode == 2
    assert "is not in a workspace; go to one, or name it: LOGOS_HOME=FOLDER" in done.stderr
    done = logos(elsewhere(tmp_path, LOGOS_HOME=str(home)), *words)
    assert done.returncode == 2
    assert "there is no such folder" in done.stderr
    assert not list(place.folder.iterdir())
    assert not home.exists()
    home.mkdir()
    done = logos(elsewhere(tmp_path, LOGOS_HOME=str(home)), *words)
    assert done.returncode == 0
    assert done.stdout.startswith(f"kill switch of workspace {home}\nSAFE at epoch 1 ")
    shutil.rmtree(home)


@pytest.mark.long
@pytest.mark.parametrize("words", [("status",), ("sessions", "list"), ("pause", "x"),
                                   ("kill", "status"), ("kill", "history")])  # fmt: skip
def test_a_mistyped_home_is_an_error_in_words_and_no_folder(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = logos(mistyped_home(tmp_path, tmp_path), *words)
    assert done.returncode == 2
    assert f"LOGOS_HOME is {tmp_path / 'dekc'}, and there is no such folder" in done.stderr
    assert not (tmp_path / "dekc").exists()
