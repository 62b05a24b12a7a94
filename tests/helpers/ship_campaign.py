"""Journals that grow, are stopped, torn and resumed while they are shipped to a broker that is cut
off and stands still, by a shipper that is killed: in the end, what arrived is what was written.

`make ship-campaign` runs it with 100,000 records; a test with some thousand. The journals are made
by the journal's own writer, with stops and crashes as sessions leave them. The broker is a real one
(Tansu) behind a wire that can be cut.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from kafka_broker import broker, make_topics, read_topic, wire
from shipping_helpers import kept, shipped_journal
from waiting import wait_until

from logos.core.records import NoteRecord
from logos.journal.writer import JournalWriter, Position
from logos.observe.shipping.progress import ShipStatus, read_status

SESSIONS = 4
EVENTS = 40
"""How many things go wrong in one campaign."""


@dataclass
class Outcome:
    """What happened, and what arrived. `lost` and `changed` must be none."""

    written: int = 0
    arrived: int = 0
    repeated: int = 0
    sessions_equal: int = 0
    events: dict[str, int] = field(default_factory=dict)

    def count(self, event: str) -> None:
        self.events[event] = self.events.get(event, 0) + 1


class GrowingSession:
    """A session's folder whose journal grows, stops, tears and continues."""

    def __init__(self, home: Path, number: int, chance: Random) -> None:
        self.name = f"grown-{number}"
        self.folder = home / "runs" / "live" / "sessions" / self.name
        self.folder.mkdir(parents=True)
        self.path = self.folder / "state.jsonl"
        self._chance = chance
        self._writer = JournalWriter(self.path)
        self._tick = 0
        head = {"kind": "manifest", "schema": 1, "session_id": self.name, "uuid": f"uuid-{number}"}
        self._writer.append(head)
        self._writer.flush()

    def grow(self, count: int) -> None:
        for _ in range(count):
            self._tick += 1
            text = "x" * self._chance.randrange(1, 200)
            self._writer.append(NoteRecord(self._tick, self._tick, "ACME", text))
        self._writer.flush()

    def stop_and_resume(self) -> None:
        """A stop is written, and cut off by whoever resumes the session."""
        place = self._writer.position
        self._writer.append({"kind": "stopping", "tick_id": self._tick})
        for _ in range(3):
            self._writer.append(NoteRecord(self._tick, self._tick, "ACME", "about the stop"))
        self._close(place)

    def crash_and_resume(self) -> None:
        """A line is torn in its middle, and cut off by whoever resumes the session."""
        place = self._writer.position
        self._writer.close()
        with self.path.open("ab") as file:
            file.write(b'{"seq":%d,"crc":"00' % (place.sequence + 1))
        self._go_on(place)

    def seal(self) -> None:
        self._writer.append({"kind": "sealed", "status": "ENDED", "reason": "", "session_md": ""})
        self._writer.close()
        (self.folder / "host.json").write_text("{}", encoding="utf-8")

    def _close(self, place: Position) -> None:
        self._writer.close()
        self._go_on(place)

    def _go_on(self, place: Position) -> None:
        self._writer = JournalWriter.continuing(self.path, place.offset, place)


class ShipperProcess:
    """`logos ship`, started again whenever it was killed."""

    def __init__(self, home: Path, port: int) -> None:
        self._home = home
        words = ("-m", "logos.cli.main", "ship", "--kafka", f"127.0.0.1:{port}")
        self._command = [sys.executable, *words]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._home / "ship.log").open("ab") as log:
            environment = {**os.environ, "LOGOS_HOME": str(self._home)}
            self._process = subprocess.Popen(self._command, env=environment, stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def status(self) -> ShipStatus | None:
        """What the running shipper says of itself; None before it says anything."""
        assert self._process is not None
        assert self._process.poll() is None, (self._home / "ship.log").read_text("utf-8")
        with suppress(FileNotFoundError):
            status = read_status(self._home / "state" / "ship" / "kafka" / "status.json")
            if status.pid == self._process.pid:
                return status
        return None

    def wait_until_it_ships(self) -> None:
        def ships() -> bool:
            status = self.status()
            return status is not None and status.acknowledged > 0

        wait_until(ships, "the shipper to have something acknowledged")

    def wait_until_all_is_shipped(self) -> None:
        """Waits for as long as something moves."""
        deadline_s = time.monotonic() + 60
        seen = -1
        while True:
            status = self.status()
            if status is not None and len(status.sessions) == SESSIONS:
                if all(each.is_complete for each in status.sessions.values()):
                    return
                assert not any(each.problem for each in status.sessions.values()), status
                if status.acknowledged != seen:
                    seen, deadline_s = status.acknowledged, time.monotonic() + 60
            assert time.monotonic() < deadline_s, status
            time.sleep(0.05)


@contextmanager
def shipper(home: Path, port: int) -> Iterator[ShipperProcess]:
    process = ShipperProcess(home, port)
    try:
        yield process
    finally:
        process.kill()


def run(home: Path, records: int, seed: int, events: int = EVENTS) -> Outcome:
    """Write `records`, let things go wrong `events` times, and compare what arrived."""
    chance = Random(seed)
    outcome = Outcome()
    with wire() as cable, broker(home / "broker", advertised=cable.port) as server:
        cable.target = server.port
        make_topics(server.address, "logos.journal", "logos.decisions")
        sessions = [GrowingSession(home, number, chance) for number in range(SESSIONS)]
        with shipper(home, cable.port) as process:
            process.start()
            for number in range(events):
                for session in sessions:
                    session.grow(records // events // SESSIONS)
                event = ("kill", "cut", "freeze", "stop", "crash")[number % 5]
                outcome.count(event)
                if event == "kill":
                    process.wait_until_it_ships()
                    chance.choice(sessions).grow(10)
                    process.kill()
                    process.start()
                elif event == "cut":
                    cable.cut()
                    chance.choice(sessions).grow(10)
                    cable.mend()
                elif event == "freeze":
                    server.freeze()
                    for session in sessions:
                        session.grow(20)
                    time.sleep(0.3)  # what is sent meanwhile stays in the kernel
                    server.thaw()
                elif event == "stop":
                    chance.choice(sessions).stop_and_resume()
                else:
                    chance.choice(sessions).crash_and_resume()
            for session in sessions:
                session.seal()
            process.wait_until_all_is_shipped()
        _compare(server.address, sessions, outcome)
    return outcome


def _compare(address: str, sessions: list[GrowingSession], outcome: Outcome) -> None:
    journals = {session.name: session.path.read_bytes() for session in sessions}
    outcome.written = sum(content.count(b"\n") for content in journals.values())
    pairs = read_topic(address, "logos.journal", lambda found: len(dict(found)) >= outcome.written)
    arrived = kept(pairs)
    outcome.arrived = len(arrived)
    outcome.repeated = len(pairs) - len(arrived)
    for name, content in journals.items():
        mine = {
            key: value for key, value in arrived.items() if key.startswith(name.encode() + b":")
        }
        ordered = dict(sorted(mine.items(), key=lambda pair: int(pair[0].split(b":")[1])))
        assert list(ordered) == list(mine), f"{name}: not in order"
        assert shipped_journal(ordered) == content, f"{name}: not what was written"
        outcome.sessions_equal += 1


def main() -> int:
    """The command line; prints one line for people."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder), options.records, options.seed)
    events = ", ".join(f"{count} {name}" for name, count in outcome.events.items())
    print(
        f"{outcome.written} records written, {outcome.arrived} arrived, {outcome.repeated} of them "
        f"again; {outcome.sessions_equal} of {SESSIONS} journals equal to the byte; {events}; "
        f"{time.monotonic() - began_s:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
