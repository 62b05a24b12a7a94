"""A live session whose disk refuses: what is not written is not done, and trading stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, live
from live_venue_helpers import World

from logos.core.gates import InProcessSwitch
from logos.core.messages import Event, Quote
from logos.core.strategy import Answer, Context, Strategy, limit
from logos.core.types import Side, SwitchState
from logos.feeds.contract import Sink
from logos.journal.inputs import INPUTS_FILE, InputsWriter, RecordedInputs
from logos.session.artifacts.folder import SessionFolder


class Reading(Alternating):
    """Looks, at every quote, how many the session has on record."""

    def __init__(self, inputs: Path) -> None:
        super().__init__()
        self._inputs = inputs
        self.on_record: list[int] = []

    def on_quote(self, context: object, quote: Quote) -> None:
        self.seen += 1
        self.on_record.append(self._inputs.read_text().count('["q",'))


@pytest.mark.long
def test_every_quote_is_on_record_before_the_strategy_sees_it(tmp_path: Path) -> None:
    clock = TickingClock()
    inputs = tmp_path / "runs" / "live" / "sessions" / "live" / INPUTS_FILE
    strategy = Reading(inputs)
    live(tmp_path, ScriptedFeed(clock, 30), clock, strategy=strategy)
    assert strategy.seen == 30
    assert all(count >= seen for seen, count in enumerate(strategy.on_record, start=1))


def test_inputs_that_cannot_be_written_are_not_lived_and_engage_the_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = InputsWriter.write
    quotes: list[Event] = []

    def is_full(self: InputsWriter, events: Sequence[Event]) -> None:
        quotes.extend(event for event in events if isinstance(event, Quote))
        if len(quotes) > 10:
            raise OSError(28, "No space left on device", "inputs.jsonl")
        write(self, events)

    monkeypatch.setattr(InputsWriter, "write", is_full)
    clock, switch, strategy = TickingClock(), InProcessSwitch(), Alternating()
    with pytest.raises(OSError, match="No space left"):
        live(tmp_path, ScriptedFeed(clock, 50), clock, switch=switch, strategy=strategy)
    assert strategy.seen == 10, "what is not on record is not lived"
    assert switch.authority() is SwitchState.ENGAGED
    assert "inputs.jsonl" in switch.why()
    folder = tmp_path / "runs" / "live" / "sessions" / "live"
    assert "cannot write inputs.jsonl: No space left" in (folder / "session.md").read_text()
    assert not (folder / "host.json").exists(), "it can be resumed"


def test_an_order_whose_intent_cannot_be_synced_never_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = SessionFolder.sync
    syncs = 0

    def breaks(self: SessionFolder) -> None:
        nonlocal syncs
        syncs += 1
        if syncs == 6:
            raise OSError(5, "Input/output error", "state.jsonl")
        sync(self)

    monkeypatch.setattr(SessionFolder, "sync", breaks)
    there = World(tmp_path, fills_at_once=1.0)
    with pytest.raises(OSError, match="Input/output error"):
        there.run(ScriptedFeed(there.clock, 50), Alternating())
    assert len(there.venue.submits) == 5, "the sixth was made, and stayed here"
    assert there.switch.authority() is SwitchState.ENGAGED
    journal = (tmp_path / "runs" / "live" / "sessions" / "live" / "state.jsonl").read_text()
    assert journal.count('"kind":"order"') == 6


@pytest.mark.long
def test_the_order_of_inputs_journal_and_venue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inputs and journal are synced side by side, and both are done before the order leaves."""
    said: list[str] = []
    there = World(tmp_path, fills_at_once=1.0)
    inputs_sync, journal_sync = InputsWriter.sync, SessionFolder.sync
    submit = there.venue.submit

    def of_inputs(self: InputsWriter) -> None:
        inputs_sync(self)
        said.append("inputs")

    def of_journal(self: SessionFolder) -> None:
        journal_sync(self)
        said.append("journal")

    async def of_venue(*arguments: object) -> object:
        said.append("venue")
        return await submit(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(InputsWriter, "sync", of_inputs)
    monkeypatch.setattr(SessionFolder, "sync", of_journal)
    monkeypatch.setattr(there.venue, "submit", of_venue)
    there.run(ScriptedFeed(there.clock, 3), Alternating())
    left = [place for place, say in enumerate(said) if say == "venue"]
    assert len(left) == 3
    for before, place in zip([0, *left], left, strict=False):
        assert {"inputs", "journal"} <= set(said[before:place])


class Bursting(ScriptedFeed):
    """Hands over all quotes at once, as they wait when a sync has kept the loop from them."""

    is_over: Callable[[], bool]

    async def run(self, sink: Sink) -> None:
        for _ in range(self._count):
            now_ns = self._clock.now_ns()
            instrument = self._instruments[0]
            sink.market(Quote(now_ns, instrument.symbol, 10_000, 10_001, 5, 5, instrument), now_ns)
        while not self.is_over():
            await asyncio.sleep(0)


class Eager(Strategy):
    """Leaves an order far below the market at every quote."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return limit(Side.BUY, 1, "60.00")


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 10])
def test_orders_that_are_made_in_one_turn_wait_for_one_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    said: list[str] = []
    there = World(tmp_path)
    sync, submit = SessionFolder.sync, there.venue.submit

    def of_journal(self: SessionFolder) -> None:
        sync(self)
        said.append("sync")

    async def of_venue(*arguments: object) -> object:
        said.append("submit")
        return await submit(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SessionFolder, "sync", of_journal)
    monkeypatch.setattr(there.venue, "submit", of_venue)
    feed = Bursting(there.clock, count)
    feed.is_over = lambda: said.count("submit") == count
    there.run(feed, Eager())
    last = len(said) - said[::-1].index("submit")
    assert said[:last] == ["sync", *["submit"] * count]


@pytest.mark.long
def test_recorded_inputs_say_what_was_filled(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    result = there.run(ScriptedFeed(there.clock, 12), Alternating())
    recorded = RecordedInputs(result.folder / INPUTS_FILE)
    survey = recorded.survey()
    assert [order for order, _ in survey.fills] == [f"live-{number}" for number in range(1, 13)]
    assert len({fill for _, fill in survey.fills}) == 12
    assert survey.has_place
    assert survey.first_ns > 0
    size = (result.folder / INPUTS_FILE).stat().st_size
    assert 0 < survey.whole_bytes < size, "the facts are not among the batches"
