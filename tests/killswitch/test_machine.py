"""Any interleaving of people, programs, crashes and accidents: SAFE only by a valid reset.

The model is two facts: whether somebody engaged (or any check said so) since the last reset that
named the right epoch, and the same for reduce-only. While the first holds, no process that looks,
old or new, may see anything but ENGAGED. What accidents do to the files the model need not know.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)
from switch_helpers import CrashNow, FaultyLayer, Workspace

from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.records import StaleEpochError

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED
ACTORS = st.integers(0, 2)
FILES = st.sampled_from(["armed.json", "history.jsonl", "flag", "witness", "KILL", "REDUCE_ONLY"])
GARBAGE = st.sampled_from([b"", b"garbage\n", b"\0" * 400, b'{"body":{},"crc32":0}\n'])


class SwitchMachine(RuleBasedStateMachine):
    """Three processes, people at the shell, and a disk that is not always kind."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="switch-machine-"))
        self.workspace = Workspace(self.home)
        self.layers = [FaultyLayer() for _ in range(3)]
        self.actors: list[CircuitBreaker] = []
        self.stopped = False
        """Somebody engaged, or some check said ENGAGED, and no valid reset followed."""
        self.reduced = False
        self.rolled_back = False
        self.old_copy: Path | None = None

    @initialize()
    def start(self) -> None:
        self.actors = [self.workspace.breaker(layer=layer) for layer in self.layers]
        assert self.actors[0].arm_if_new()

    def teardown(self) -> None:
        if self.actors:
            self.newcomer_looks()
            for number in range(3):
                self.check(number)
        for actor in self.actors:
            actor.close()
        shutil.rmtree(self.home)

    def path(self, name: str) -> Path:
        return self.workspace.witness if name == "witness" else self.workspace.folder / name

    def notice(self, state: SwitchState) -> None:
        """A process has looked, and everybody may rely on what it saw."""
        if self.stopped:
            assert state is ENGAGED
        elif self.reduced:
            assert state >= REDUCE_ONLY
        self.stopped |= state is ENGAGED
        self.reduced |= state is REDUCE_ONLY

    @rule(actor=ACTORS, reason=st.sampled_from(["drawdown", "stale", "operator"]))
    def engage(self, actor: int, reason: str) -> None:
        result = self.actors[actor].engage(reason, f"actor {actor}")
        assert result.state is ENGAGED
        assert result.recorded
        self.stopped = True

    @rule(actor=ACTORS)
    def reduce_only(self, actor: int) -> None:
        assert self.actors[actor].set_reduce_only("thin", f"actor {actor}").state >= REDUCE_ONLY
        self.reduced = True

    @rule(actor=ACTORS)
    def check(self, actor: int) -> None:
        self.notice(self.actors[actor].authority())

    @rule(actor=ACTORS, behind=st.integers(1, 5))
    def reset_with_an_old_epoch(self, actor: int, behind: int) -> None:
        breaker = self.actors[actor]
        epoch = breaker.status().epoch - behind
        before = breaker.authority()
        self.notice(before)
        with pytest.raises(StaleEpochError) as caught:
            breaker.reset("ann", "stale", epoch)
        assert caught.value.current > epoch
        assert breaker.authority() is before

    @rule(actor=ACTORS, other=ACTORS, between=st.sampled_from(["engage", "touch"]))
    def reset_that_something_overtakes(self, actor: int, other: int, between: str) -> None:
        epoch = self.actors[actor].status().epoch
        if between == "engage":
            self.actors[other].engage("overtaking", f"at epoch {epoch}")
        else:
            marker = self.path("KILL")
            self.workspace.folder.mkdir(parents=True, exist_ok=True)
            marker.touch()
            os.utime(marker, ns=(epoch, epoch))
        self.stopped = True
        with pytest.raises(StaleEpochError):
            self.actors[actor].reset("ann", "judged the older one", epoch)
        assert self.actors[actor].authority() is ENGAGED

    @rule(actor=ACTORS)
    def reset_with_the_right_epoch(self, actor: int) -> None:
        breaker = self.actors[actor]
        status = breaker.reset("ann", "looked at everything", breaker.status().epoch)
        assert (status.state, status.causes) == (SAFE, ())
        self.stopped = self.reduced = False
        for reader in self.actors:
            if self.rolled_back:
                # It may remember an engagement that the files were made to forget.
                self.notice(reader.authority())
            else:
                assert (reader.authority(), reader.flag[0]) == (SAFE, SAFE)
        self.rolled_back = self.stopped

    @rule(actor=ACTORS)
    def crash_and_start_again(self, actor: int) -> None:
        self.layers[actor] = FaultyLayer()
        self.actors[actor] = self.workspace.breaker(layer=self.layers[actor])
        assert not self.actors[actor].arm_if_new()
        self.notice(self.actors[actor].authority())

    @rule(
        actor=ACTORS, place=st.integers(1, 30), action=st.sampled_from(["engage", "reset", "check"])
    )
    def crash_in_the_middle(self, actor: int, place: int, action: str) -> None:
        breaker, layer = self.actors[actor], self.layers[actor]
        epoch = breaker.status().epoch
        self.notice(breaker.authority())
        layer.calls.clear()

        def rule_(number: int, call: str, name: str) -> None:
            if number >= place:
                raise CrashNow

        layer.rule = rule_
        committed = False
        try:
            if action == "engage":
                breaker.engage("crashing", "actor")
                self.stopped = True
            elif action == "reset":
                breaker.reset("ann", "crashing", epoch)
                committed = True
            else:
                breaker.authority()
        except CrashNow:
            done = layer.calls[: place - 1]
            committed = action == "reset" and "replace armed.json" in done
            self.stopped |= action == "engage" and "open KILL" in done
        if committed:
            self.stopped = self.reduced = False
            # Everybody hears of the grant, as after a reset that was not cut short. A reader that
            # has not looked since, and meets a new marker first, stays ENGAGED in its own memory:
            # too severe, which is allowed, and no engagement that others could rely on.
            for number, reader in enumerate(self.actors):
                if number != actor:
                    self.notice(reader.authority())
        self.crash_and_start_again(actor)

    @rule(name=st.sampled_from(["KILL", "REDUCE_ONLY"]), seen_by=ACTORS)
    def touch_that_somebody_sees(self, name: str, seen_by: int) -> None:
        self.workspace.folder.mkdir(parents=True, exist_ok=True)
        self.path(name).touch()
        self.stopped |= name == "KILL"
        self.reduced |= name == "REDUCE_ONLY"
        self.notice(self.actors[seen_by].authority())

    @rule(name=FILES)
    def remove(self, name: str) -> None:
        self.mind_the_witness(name)
        self.path(name).unlink(missing_ok=True)
        self.mind_the_witness(name)

    @rule(name=FILES, content=GARBAGE)
    def corrupt(self, name: str, content: bytes) -> None:
        self.mind_the_witness(name)
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        self.mind_the_witness(name)

    def mind_the_witness(self, name: str) -> None:
        """Nobody can tell a machine that lost folder and witness at once from a new one.

        So a process starts before the witness suffers and after.
        """
        if name == "witness":
            self.newcomer_looks()

    @rule()
    def remove_the_whole_folder(self) -> None:
        shutil.rmtree(self.workspace.folder, ignore_errors=True)

    @precondition(lambda self: self.workspace.folder.exists())
    @rule()
    def keep_a_copy(self) -> None:
        self.old_copy = self.home / "copy"
        shutil.rmtree(self.old_copy, ignore_errors=True)
        shutil.copytree(self.workspace.folder, self.old_copy)

    @precondition(lambda self: self.old_copy is not None)
    @rule()
    def put_the_copy_back(self) -> None:
        assert self.old_copy is not None
        self.rolled_back = True
        shutil.rmtree(self.workspace.folder, ignore_errors=True)
        shutil.copytree(self.old_copy, self.workspace.folder)

    @precondition(lambda self: self.old_copy is not None)
    @rule()
    def put_back_only_the_record(self) -> None:
        assert self.old_copy is not None
        if (self.old_copy / "armed.json").exists() and self.workspace.folder.exists():
            self.rolled_back = True
            shutil.copy2(self.old_copy / "armed.json", self.workspace.arm_file)

    @rule()
    def newcomer_looks(self) -> None:
        fresh = self.workspace.breaker()
        self.notice(fresh.authority())
        assert not fresh.arm_if_new()
        fresh.close()


SwitchMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_safe_only_by_a_valid_reset = pytest.mark.long(SwitchMachine.TestCase)
