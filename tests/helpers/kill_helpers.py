"""Sessions in other processes, ways to stop them, and what their journals say afterwards."""

from __future__ import annotations

import json
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ordering_session import (
    ENGAGED_NS,
    ENGAGING_NS,
    FILE_BYTES,
    FIRST_REFUSAL_NS,
    HEADER,
    SAFE_GATES,
)

from logos.journal.codec import GENESIS, decode_line

HERE = Path(__file__).resolve().parent
WAIT_S = 120
"""Longer than anything here takes; whatever hangs fails instead."""
ENDED = {"FILLED", "CANCELLED", "REJECTED", "EXPIRED"}


class Session:
    """An `ordering_session.py` in a process of its own."""

    def __init__(self, home: Path, session_id: str = "ordering", **options: Any) -> None:
        self.home = home
        self.id = session_id
        self.folder = home / "runs" / "live" / "sessions" / session_id
        home.mkdir(parents=True, exist_ok=True)
        self._log = home / f"{session_id}.gates"
        with open(self._log, "wb") as file:
            file.truncate(FILE_BYTES)
        self.process = start(
            home, "ordering_session.py", json.dumps({"log": str(self._log), "id": session_id}
            | options)
        )  # fmt: skip

    def wait_for_go(self) -> None:
        """Until the session has seen as many ticks as it was to announce."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line != "go\n":
            _, err = self.process.communicate()
            raise AssertionError(f"the session said {line!r}; {err}")

    def wait_until_blocked(self) -> None:
        """Until the session's own thread has learned that the switch is engaged."""
        deadline = time.monotonic() + WAIT_S
        while not self.is_blocked:
            assert time.monotonic() < deadline, "the session has not seen the switch"
            os.sched_yield()

    def wait_until_recorded(self) -> None:
        """Until the engagement stands in the witness too, outside of the state folder."""
        witness = self.home / ".state-kill-switch.witness"
        deadline = time.monotonic() + WAIT_S
        while b"ENGAGED" not in witness.read_bytes():
            assert time.monotonic() < deadline, "nobody wrote the engagement down"
            os.sched_yield()

    def say(self, line: str = "") -> None:
        """Send the session a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> Ended:
        """Wait for the end; what the session said."""
        out, err = self.process.communicate(timeout=WAIT_S)
        result = json.loads(out.splitlines()[-1]) if out.startswith("{") or "\n{" in out else {}
        return Ended(self.process.returncode, result, err)

    def kill(self) -> None:
        """SIGKILL: nothing more of it happens."""
        self.process.kill()
        self.process.communicate()

    @property
    def is_blocked(self) -> bool:
        """Whether the session's own thread has met the engaged switch."""
        with open(self._log, "rb") as file:
            cell = os.pread(file.fileno(), 8, 8 * FIRST_REFUSAL_NS)
        return any(cell)

    @property
    def gates(self) -> Gates:
        """What was timed, so far."""
        with open(self._log, "rb") as file:
            whole = mmap.mmap(file.fileno(), FILE_BYTES, access=mmap.ACCESS_READ)
        with whole, memoryview(whole).cast("q") as cells:
            count = cells[SAFE_GATES]
            end = HEADER + 2 * count
            return Gates(
                list(cells[HEADER:end:2]),
                list(cells[HEADER + 1 : end : 2]),
                cells[ENGAGING_NS],
                cells[ENGAGED_NS],
            )

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@dataclass(frozen=True)
class Ended:
    """How a session's process ended."""

    exit_code: int
    result: dict[str, Any]
    err: str


@dataclass(frozen=True)
class Gates:
    """When gate 2 was asked, and when it answered SAFE; in order, monotonic nanoseconds."""

    asked_ns: list[int]
    answered_ns: list[int]
    engaging_ns: int
    """When this process last called engage(), and when that returned; 0: never."""
    engaged_ns: int


def start(
    home: Path, program: str, *arguments: str, prefix: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """One of the programs beside this file, in the workspace `home`; `prefix` runs it."""
    return subprocess.Popen(
        [*prefix, sys.executable, str(HERE / program), *arguments],
        env={**os.environ, "LOGOS_HOME": str(home)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def logos(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The `logos` command in the workspace `home`."""
    return subprocess.run(
        [sys.executable, "-m", "logos.live", *arguments],
        env={**os.environ, "LOGOS_HOME": str(home)}, text=True,
        capture_output=True, check=False, timeout=WAIT_S,
    )  # fmt: skip


def kill_marker(home: Path) -> Path:
    return home / "state" / "kill-switch" / "KILL"


# ---- engagements ----


@dataclass(frozen=True)
class Engagement:
    """When the switch was thrown, and when it certainly held."""

    began_ns: int
    holds_ns: int
    problems: list[str] = field(default_factory=list)


class Engager:
    """Throws the switch of `home` in one way; made ready beforehand, so that nothing delays it."""

    def __init__(self, home: Path, way: str, timeout_s: int = 20) -> None:
        """`timeout_s` is for how long the command waits for the sessions."""
        self._home = home
        self._way = way
        self._command: subprocess.Popen[str] | None = None
        self._breaching: Session | None = None
        if way == "command":
            self._command = start(home, "engaging_command.py", str(timeout_s))
            assert self._command.stdout is not None
            assert self._command.stdout.readline() == "ready\n"
        elif way == "guard":
            self._breaching = Session(home, "breaching", breach_on_line=True)
            self._breaching.wait_for_go()

    def engage(self, subject: Session) -> None:
        """Throw it now."""
        self._began_ns = time.monotonic_ns()
        self._returned_ns = 0
        if self._way == "touch":
            os.close(os.open(kill_marker(self._home), os.O_CREAT | os.O_WRONLY, 0o644))
            self._returned_ns = time.monotonic_ns()
        elif self._way == "signal":
            subject.process.send_signal(signal.SIGUSR1)
        elif self._command is not None:
            assert self._command.stdin is not None
            self._command.stdin.write("\n")
            self._command.stdin.flush()
        elif self._breaching is not None:
            self._breaching.say()

    def finish(self, subject: Session) -> Engagement:
        """Wait for whoever threw it; call it after the subject has ended."""
        if self._way == "touch":
            return Engagement(self._began_ns, self._returned_ns)
        if self._way == "signal":
            return Engagement(self._began_ns, subject.gates.engaged_ns)
        if self._command is not None:
            return self._finish_command(self._command, subject)
        assert self._breaching is not None
        ended = self._breaching.end()
        gates = self._breaching.gates
        problems = []
        if ended.exit_code != 4 or ended.result.get("status") != "HALTED":
            problems.append(f"the breaching session ended with {ended}")
        if gates.asked_ns:
            problems.append("the breaching session sent an order")
        return Engagement(gates.engaging_ns, gates.engaged_ns, problems)

    def stop(self) -> None:
        """End whoever throws the switch; for when the subject is no more."""
        if self._command is not None:
            self._command.communicate(timeout=WAIT_S)
        if self._breaching is not None:
            self._breaching.kill()

    def _finish_command(self, command: subprocess.Popen[str], subject: Session) -> Engagement:
        out, err = command.communicate(timeout=WAIT_S)
        *words, report = out.splitlines()
        moments = json.loads(report)
        problems = [f"`logos kill` said {err}"] if err else []
        if moments["exit"] != 0:
            problems.append(f"`logos kill` exited with {moments['exit']}")
        if not any(f"session {subject.id}" in line and "DRAINED" in line for line in words):
            problems.append(f"`logos kill` did not report the session: {words}")
        return Engagement(moments["began_ns"], moments["returned_ns"], problems)


# ---- journals ----


@dataclass(frozen=True)
class Journal:
    """A verified journal's records, and whether its last line was cut short."""

    bodies: list[dict[str, Any]]
    torn: bool

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [body for body in self.bodies if body["kind"] == kind]

    @property
    def orders_after_engagement(self) -> int:
        """Orders recorded after the first sign of an engaged switch."""
        for place, body in enumerate(self.bodies):
            if (body["kind"] == "switch" and body["state"] == "ENGAGED") or (
                body["kind"] == "refusal" and body["code"].startswith("KILL_SWITCH")
            ):
                return sum(later["kind"] == "order" for later in self.bodies[place:])
        return 0

    @property
    def open_orders(self) -> int:
        """Orders whose last word is not an end."""
        last = {body["order_id"]: "MADE" for body in self.of("order")}
        for body in self.of("order_update"):
            last[body["order_id"]] = body["status"]
        return sum(status not in ENDED for status in last.values())


def read_journal(folder: Path) -> Journal:
    """Every line checked against its checksum and the chain; raises BadLine where it breaks."""
    *lines, rest = (folder / "state.jsonl").read_bytes().split(b"\n")
    digest = GENESIS
    bodies = []
    for sequence, line in enumerate(lines, start=1):
        body, digest = decode_line(line, sequence, digest)
        bodies.append(json.loads(body))
    return Journal(bodies, rest != b"")
