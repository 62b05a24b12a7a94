"""Several real processes on one switch: what one does, the others see at their next check."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from switch_helpers import Workspace

from logos.core.types import SwitchState

SAFE, ENGAGED = SwitchState.SAFE, SwitchState.ENGAGED

PRELUDE = """
import sys
from pathlib import Path
from logos.killswitch.breaker import CircuitBreaker
folder = Path(sys.argv[1])
breaker = CircuitBreaker(folder, build="1.0", mode="paper", host="here")
"""


def run_python(program: str, workspace: Workspace) -> str:
    """Run a program beside this process; its output."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + program, str(workspace.folder)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.strip()


class Session:
    """A process that checks the switch once for every line it is sent."""

    def __init__(self, workspace: Workspace) -> None:
        program = PRELUDE + (
            "for line in sys.stdin:\n"
            "    print(breaker.flag[0], breaker.authority().name, flush=True)\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(workspace.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def check(self) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_another_process_engages_and_the_very_next_check_sees_it(workspace: Workspace) -> None:
    breaker = workspace.armed()
    assert breaker.authority() is SAFE
    run_python("breaker.engage('fire', 'elsewhere')", workspace)
    assert breaker.flag[0] == ENGAGED
    assert breaker.authority() is ENGAGED
    assert breaker.status().who == "elsewhere"


def test_this_process_engages_and_the_others_see_it_until_the_reset(workspace: Workspace) -> None:
    breaker = workspace.armed()
    with Session(workspace) as one, Session(workspace) as two:
        assert {one.check(), two.check()} == {"0 SAFE"}
        epoch = breaker.engage("fire", "here").epoch
        assert {one.check(), two.check()} == {"2 ENGAGED"}
        breaker.reset("ann", "drill over", epoch)
        assert {one.check(), two.check()} == {"0 SAFE"}
        workspace.kill_file.touch()
        assert one.check() == "0 ENGAGED", "a touch gives no hint; the authority sees it"
        workspace.kill_file.unlink()
        assert two.check() == "2 ENGAGED", "the first reader told everybody"


@pytest.mark.long
def test_processes_that_engage_at_once_each_have_their_line(workspace: Workspace) -> None:
    workspace.armed().close()
    program = PRELUDE + "sys.stdin.read(); breaker.engage('fire ' + sys.argv[2], 'test')"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(workspace.folder), str(number)],
            stdin=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(60) for process in processes] == [0] * 4
    whys = sorted(entry.why for entry in workspace.breaker().monitor().history())
    # One that has only made its marker may be seen, and noted, by another before its own line.
    assert {f"fire {number}" for number in range(4)} <= set(whys)


def test_a_process_killed_while_it_holds_the_lock_holds_nobody_up(workspace: Workspace) -> None:
    breaker = workspace.armed()
    program = PRELUDE + (
        "from logos.killswitch.files import Folder, OsLayer\n"
        "with Folder(OsLayer(), folder) as place, place.locked('lock', 1.0):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(workspace.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    workspace.kill_file.touch()
    assert breaker.authority() is ENGAGED, "a reader does not wait for the lock"
    assert workspace.breaker().authority() is ENGAGED
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert breaker.authority() is ENGAGED
    assert breaker.status().recorded


def put_back(workspace: Workspace, copy: Path) -> None:
    shutil.rmtree(workspace.folder)
    shutil.copytree(copy, workspace.folder)


def put_back_one(name: str) -> Callable[[Workspace, Path], None]:
    """One file from the older copy, and the marker taken away as well."""

    def restart(workspace: Workspace, copy: Path) -> None:
        shutil.copy2(copy / name, workspace.folder / name)
        workspace.kill_file.unlink()

    return restart


RESTARTS: dict[str, Callable[[Workspace, Path], None]] = {
    "clean": lambda workspace, copy: None,
    "marker removed": lambda workspace, copy: workspace.kill_file.unlink(),
    "folder put back from an older copy": put_back,
    "record put back from an older copy": put_back_one("armed.json"),
    "history put back from an older copy": put_back_one("history.jsonl"),
    "state folder deleted": lambda workspace, copy: shutil.rmtree(workspace.folder.parent),
}


@pytest.mark.parametrize("way", RESTARTS)
def test_after_an_engagement_no_way_of_restarting_trades(workspace: Workspace, way: str) -> None:
    breaker = workspace.armed()
    copy = workspace.home / "copy"
    shutil.copytree(workspace.folder, copy)
    breaker.engage("stop", "ann")
    RESTARTS[way](workspace, copy)
    said = run_python("print(breaker.arm_if_new(), breaker.authority().name)", workspace)
    assert said == "False ENGAGED"
    assert breaker.authority() is ENGAGED


def test_a_running_process_remembers_what_a_whole_rollback_makes_the_files_forget(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    copy = workspace.home / "copy"
    shutil.copytree(workspace.folder, copy)
    witness = workspace.witness.read_bytes()
    breaker.engage("stop", "ann")
    put_back(workspace, copy)
    workspace.witness.write_bytes(witness)
    assert breaker.authority() is ENGAGED
    assert "an older copy was put back" in breaker.status().why
    assert workspace.breaker().authority() is ENGAGED, "and writes it down for everybody else"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_engaged_at_random_moments_no_check_after_it_is_safe(
    workspace: Workspace, seed: int
) -> None:
    """A sample of the campaign: a child checks in a loop, the parent engages at some moment.

    The child counts its checks in a shared file; after `engage` has returned, whatever it counts
    as SAFE began before. The parent notes the count, and the child may finish at most one more.
    """
    generator = random.Random(seed)
    breaker = workspace.armed()
    program = PRELUDE + (
        "import os\n"
        "safe = 0\n"
        "print('ready', flush=True)\n"
        "while breaker.authority().name == 'SAFE':\n"
        "    safe += 1\n"
        "    os.pwrite(3, safe.to_bytes(8, 'little'), 0)\n"
        "print(safe)\n"
    )
    with open(workspace.home / "count", "w+b") as count:
        child = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$0" -c "$1" "$2" 3<>"$3"', sys.executable, program,
             str(workspace.folder), count.name],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        wanted = generator.randrange(1, 3_000)
        while int.from_bytes(os.pread(count.fileno(), 8, 0), "little") < wanted:
            pass
        if seed % 2:
            workspace.kill_file.touch()
        else:
            breaker.engage("now", "parent")
        noted = int.from_bytes(os.pread(count.fileno(), 8, 0), "little")
        total, _ = child.communicate(timeout=60)
    assert int(total) <= noted + 1


def test_a_history_that_was_rewritten_behind_a_running_process_is_not_believed(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    copy = workspace.home / "copy"
    shutil.copytree(workspace.folder, copy)
    witness = workspace.witness.read_bytes()
    breaker.reset("ann", "armed again", 1)
    put_back(workspace, copy)
    workspace.witness.write_bytes(witness)
    workspace.breaker().reset("bob", "another second epoch", 1)
    assert workspace.breaker().authority() is SAFE
    assert breaker.authority() is ENGAGED


def test_repairing_the_copies_of_an_engaged_record_holds_no_thread_up(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    breaker.engage("stop", "ann")
    workspace.witness.unlink()
    repairing = workspace.breaker()
    assert workspace.witness.read_bytes() == workspace.arm_file.read_bytes()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(repairing.engage, "again", "bob").result().recorded
