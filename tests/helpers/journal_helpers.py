"""Small sessions of every kind of ending, and journals that were tampered with skilfully."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from logos import session
from logos.audit.files.projections import Projector, config_of
from logos.audit.verdict import Verdict
from logos.audit.verify import verify
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.messages import Bar, Event
from logos.core.strategy import Answer, Context, Strategy, limit, market, stop
from logos.core.types import Side
from logos.journal.codec import GENESIS, chain, encode_line
from logos.journal.reader import read_lines
from logos.session.artifacts.derived.files import Ground, write_derived
from logos.testing.builders import Scripted, bar

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
BUY, SELL = Side.BUY, Side.SELL

TRADES: Mapping[int, Answer] = {
    1: market(BUY, 10, tag="=in"),
    2: [limit(SELL, 4, 11.05), stop(SELL, 3, 8.0, tag="a, 'quoted' \"tag\"")],
    5: market(SELL, 5),
    7: market(BUY, 3),
}
"""Lots that are closed in parts, and orders that rest to the end."""


class BarByBar:
    """A feed that gives each event by itself, so that a stop comes right after it."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events

    def chunks(self) -> Iterator[Sequence[Event]]:
        for event in self.events:
            yield [event]


def bars(count: int) -> list[Bar]:
    """Prices that go up and down between 9 and 11."""
    shapes = ("10 10.55 9.95 10.5", "10.5 11.01 10.4 10.9", "10.9 10.95 10.1 10.2")
    return [bar(ACME, number, shapes[number % 3], "100") for number in range(1, count + 1)]


class Ending(Scripted):
    """Trades as scripted, and at the event `at` does `what`, which ends the session."""

    def __init__(self, at: int, what: Callable[[], object]) -> None:
        super().__init__(TRADES)
        self.at = at
        self.what = what

    def on_bar(self, context: Context, bar: Any) -> Answer:
        answer = super().on_bar(context, bar)
        if len(self.seen) == self.at:
            self.what()
        return answer


def run(
    home: Path, strategy: Strategy | None = None, count: int = 9, **tables: Any
) -> session.SessionResult:
    """Run a session of `count` bars in the workspace `home`, with samples and fees."""
    config: dict[str, Any] = {
        "session": {"id": "small", "sample_interval_s": 180},
        "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
        "account": {"balances": {"USD": "1000000"}},
        **tables,
    }
    config["instruments"]["ACME"]["fees"] = {"taker": "0.001", "per_fill": "0.5", "decimals": 2}
    switch = InProcessSwitch()
    if isinstance(strategy, Halting):
        strategy.switch = switch
    return session.run(
        config, strategy=strategy or Scripted(TRADES), feed=BarByBar(bars(count)), switch=switch,
        home=home,
    )  # fmt: skip


class Halting(Ending):
    """Engages the kill switch at the event `at`."""

    switch: InProcessSwitch

    def __init__(self, at: int) -> None:
        super().__init__(at, lambda: self.switch.engage("a test", "the test"))


def _fail() -> None:
    raise RuntimeError("the strategy breaks")


def spot(home: Path) -> session.SessionResult:
    """Ends by itself, flat at times, with shares at the start."""
    return run(home, account={"balances": {"USD": "1000", "ACME": "2"}})


def margin(home: Path) -> session.SessionResult:
    """A short on margin, with a multiplier."""
    terms = {
        "quote": "USD", "tick": "0.01", "lot": "1", "multiplier": "10",
        "settlement": "margin", "leverage": 10, "initial_margin": "0.1",
    }  # fmt: skip
    return run(
        home,
        Scripted({1: market(SELL, 7), 4: market(BUY, 12), 6: market(SELL, 3)}),
        instruments={"ACME": terms},
    )


def halted(home: Path) -> session.SessionResult:
    """The switch engages after the sixth bar."""
    return run(home, Halting(6), switch={"on_engaged": "halt"})


def failed(home: Path) -> session.SessionResult:
    """The strategy raises at the sixth bar."""
    return run(home, Ending(6, _fail))


def stopped(home: Path) -> session.SessionResult:
    """SIGTERM comes at the fourth bar; two orders rest."""
    return run(home, Ending(4, lambda: signal.raise_signal(signal.SIGTERM)))


def silent(home: Path) -> session.SessionResult:
    """Nothing is traded, and nothing is sampled in between."""
    return run(home, Scripted(), session={"id": "small", "sample_interval_s": 0})


KINDS: Sequence[Callable[[Path], session.SessionResult]] = (
    spot, margin, halted, failed, stopped, silent,
)  # fmt: skip


def bodies_of(journal: Path) -> list[bytes]:
    """The records of a whole journal, as they were written."""
    return [line.body for line in read_lines(journal)]


def write_chain(journal: Path, bodies: Sequence[bytes]) -> None:
    """A journal of these records whose every sum and hash is right."""
    digest = GENESIS
    lines = []
    for sequence, body in enumerate(bodies, start=1):
        digest = chain(digest, body)
        lines.append(encode_line(sequence, digest, body))
    journal.write_bytes(b"".join(lines))


def copy_of(folder: Path, place: Path) -> Path:
    """A copy of a session's folder."""
    return Path(shutil.copytree(folder, place / folder.name))


def content_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file's bytes and time of change."""
    return {
        entry.name: (Path(entry).read_bytes(), entry.stat().st_mtime_ns)
        for entry in os.scandir(folder)
    }


def change_manifest(folder: Path, **fields: Any) -> None:
    """Give the manifest other fields, and make the chain right again."""
    bodies = bodies_of(folder / "state.jsonl")
    bodies[0] = msgspec.json.encode({**json.loads(bodies[0]), **fields})
    write_chain(folder / "state.jsonl", bodies)


def places_of(verdict: Verdict) -> list[tuple[str, str]]:
    """File and place of every finding."""
    return [(each.file, each.place) for each in verdict.findings]


def reforge(folder: Path, bodies: list[bytes]) -> None:
    """Write these records with a right chain, and a state.json that agrees with it."""
    write_chain(folder / "state.jsonl", bodies)
    verdict = verify(folder)
    path = folder / "state.json"
    state = json.loads(path.read_bytes())
    state.update(sequence=verdict.records, journal_hash=verdict.journal_hash)
    path.write_text(json.dumps(state), encoding="utf-8")


def forge_tables(folder: Path) -> None:
    """Make the tables what the journal says, and what is made of them."""
    made = folder.parent / "made"
    made.mkdir()
    projector = Projector(folder / "state.jsonl", made)
    projector.read()
    for path in made.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert projector.manifest is not None
    assert write_derived(folder, Ground(config_of(projector.manifest), {}, None)) == []
