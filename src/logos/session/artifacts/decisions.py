"""From records to the JSON log: one line for each decision, as docs/JSON-LOG.md says.

A line has the kill switch as the session saw it at that moment. The switch changes seldom, so its
object is encoded when it does and taken over as bytes. The log follows from the journal alone, but
for the ticks on which nothing was decided: they are logged at level "all", no journal has them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from logos.config.tables.log import LogLevel, LogSettings
from logos.core.engine import TradingCore
from logos.core.messages import Event, OperatorCommand, Report
from logos.core.records import (
    BlockedRecord,
    CommandRecord,
    GuardRecord,
    NoteRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    Record,
    RefusalRecord,
    RiskRecord,
    SwitchRecord,
    WarmUpRecord,
    WarningRecord,
)
from logos.core.types import Code, OrderStatus, SwitchState
from logos.journal.jsonlog import JsonLog, tail_of, timestamp_text, words_of

ORDER_GENERATED: Final = "ORDER_GENERATED"
BLOCKED: Final = "BLOCKED"
REFUSED: Final = "REFUSED"
NO_SIGNAL: Final = "NO_SIGNAL"
RISK: Final = "RISK"
TICK_ACTIONS: Final = frozenset((ORDER_GENERATED, BLOCKED, REFUSED))
"""What can be decided on a tick besides nothing; what else is logged follows from such a decision,
from the market or from outside."""

GATE_2: Final = (Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING, Code.REDUCE_ONLY)
"""Codes of orders that the kill switch kept back after the strategy had decided."""

_TICK_RECORDS: Final = (OrderRecord, BlockedRecord, RefusalRecord)
"""Those that are logged as such."""

WORDS_MAX: Final = 4_096
"""The words of so many different lines are kept."""

_ORDER_ACTIONS = {status: f"ORDER_{status.value}" for status in OrderStatus}


class Tick(NamedTuple):
    """An event that the strategy could decide on; `symbol` is empty for one that is of none."""

    tick_id: int
    ts_ns: int
    symbol: str


class Said(NamedTuple):
    """What a line that is about no order says; `tail` is made by `tail_of`."""

    symbol: str
    action: str
    reason: str
    tail: bytes


class BreakerState(msgspec.Struct, frozen=True, gc=False):
    """The kill switch in a line of the log. `epoch` is None where the session has not read it, and
    for a switch without files; `engagement_time` unless it is engaged."""

    state: str
    is_engaged: bool
    epoch: int | None
    engagement_time: str | None


class SwitchView(msgspec.Struct, frozen=True, gc=False):
    """The kill switch as the session last saw it: what a snapshot keeps of it."""

    state: str = SwitchState.SAFE.name
    epoch: int = 0
    since_ns: int = 0
    """When the session saw it in this state; 0: from its beginning."""

    @property
    def is_engaged(self) -> bool:
        """Whether it stops all orders."""
        return self.state == SwitchState.ENGAGED.name

    def for_log(self) -> BreakerState:
        """As a line of the log has it."""
        since = timestamp_text(self.since_ns) if self.is_engaged else None
        return BreakerState(self.state, self.is_engaged, self.epoch or None, since)


def switch_words(record: SwitchRecord) -> str:
    """That the kill switch changed, for the log and for whoever watches."""
    return f"[KILL_SWITCH] {record.state} at tick #{record.tick_id}: {record.reason}"


class DecisionLog:
    """Writes records as decisions, with the kill switch's state at that moment."""

    def __init__(self, log: JsonLog) -> None:
        self._log = log
        self.tell: Callable[[str], object] = str
        """Hears that the kill switch changed, in words."""
        self.tick: Tick | None = None
        """The last tick, until the next comes."""
        self.decided = 0
        """The last tick on which something was decided."""
        self._encode = msgspec.json.Encoder().encode
        self._words: dict[str, dict[Hashable, bytes]] = {}
        """By symbol, and by what tells its lines apart; until the switch changes."""
        self.see_switch(SwitchView())

    def see_switch(self, switch: SwitchView) -> None:
        """The kill switch is like this from now on."""
        self.switch = switch
        state = self._encode(switch.for_log())
        self._tail, self._order_tail = tail_of(state), tail_of(state, "order")
        self._risk_tail = tail_of(state, "risk")
        self._forget()

    def see_switches(self, records: Sequence[Record]) -> None:
        """Follow the kill switch through these records, and log nothing."""
        for record in records:
            if type(record) is SwitchRecord:
                self.see_switch(SwitchView(record.state, record.epoch, record.ts_ns))

    def write(
        self, records: Sequence[Record], bodies: Sequence[bytes], ticks: Sequence[Tick] = ()
    ) -> None:
        """Log those of `records` that are decisions; samples of the books are not.

        `bodies` are the records as the journal has them: an order is not encoded twice. `ticks` are
        those that the records are about, and those on which nothing was decided. The last of them
        waits for what is still decided on it: by a timer, or when the session ends.
        """
        if not ticks and self.tick is None:
            self._write(records, bodies)
            return
        coming = iter(ticks)
        for record, body in zip(records, bodies, strict=True):
            tick_id = getattr(record, "tick_id", 0)  # samples have none
            while self.tick is None or self.tick.tick_id < tick_id:
                following = next(coming, None)
                if following is None:
                    break
                self._go_on(following)
            self._write((record,), (body,))
            if type(record) in _TICK_RECORDS:
                self.decided = tick_id
        for following in coming:
            self._go_on(following)

    def finish(self) -> None:
        """Nothing more is decided on the last tick."""
        self._go_on(None)

    def _go_on(self, following: Tick | None) -> None:
        """The tick is over, and this is the next one."""
        tick, self.tick = self.tick, following
        if tick is not None and tick.tick_id != self.decided:
            key = Said(tick.symbol, NO_SIGNAL, "", self._tail)
            try:
                words = self._words[tick.symbol][key]
            except KeyError:
                words = self._keep(tick.symbol, key, tick)
            self._log.add((self._log.front(tick.ts_ns, tick.tick_id), words, b""))

    # ---- for a snapshot ----

    def save(self) -> dict[str, Any]:
        """All that the next lines depend on, as plain data."""
        return {
            "switch": msgspec.to_builtins(self.switch),
            "tick": self.tick,
            "decided": self.decided,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `save` told. Raises LookupError or ValueError for anything else."""
        self.see_switch(msgspec.convert(state["switch"], SwitchView))
        self.tick = msgspec.convert(state["tick"], Tick | None)
        self.decided = msgspec.convert(state["decided"], int)

    # ---- a line ----

    def _write(self, records: Sequence[Any], bodies: Sequence[bytes]) -> None:
        """Log those of `records` that are decisions.

        This loop is what the log costs a session: for a line like one before it calls only what
        says its moment, and that once for all lines of the moment.
        """
        words = self._words
        pieces: list[bytes] = []
        append = pieces.append
        front, last_ns, last_tick_id = b"", -1, -1
        key: Hashable
        for record, body in zip(records, bodies, strict=True):
            kind = type(record)
            # The most frequent first. Each kind reads its own fields: where one place reads those
            # of several kinds, the interpreter looks them up anew each time.
            if kind is OrderUpdate:
                ts_ns, tick_id = record.ts_ns, record.tick_id
                symbol, key = record.symbol, record.status
                if record.reason or record.quantity_units:
                    key = key, record.reason, not record.quantity_units
            elif kind is OrderRecord:
                ts_ns, tick_id = record.ts_ns, record.tick_id
                symbol, key = record.symbol, record.notes
            elif kind is PaperFillRecord:
                ts_ns, tick_id = record.ts_ns, record.tick_id
                symbol, key = record.symbol, record.liquidity
            else:
                said = self._other(record)
                if said is None:
                    continue
                ts_ns, tick_id = record.ts_ns, record.tick_id
                symbol, key = said.symbol, said
                if kind is not RiskRecord:
                    body = b""
            if tick_id != last_tick_id or ts_ns != last_ns:
                last_ns, last_tick_id = ts_ns, tick_id
                front = self._log.front(ts_ns, tick_id)
            append(front)
            try:
                append(words[symbol][key])
            except KeyError:
                append(self._keep(symbol, key, record))
            append(body)
        if pieces:
            self._log.add(pieces)

    def _keep(self, symbol: str, key: Hashable, record: Any) -> bytes:
        """The words of the lines of this key, from now on at hand."""
        tail = self._order_tail
        if isinstance(key, Said):
            said = words_of(symbol, key.action, key.reason, key.tail)
        elif isinstance(record, OrderUpdate):
            action = "ORDER_RESIZED" if record.quantity_units else _ORDER_ACTIONS[record.status]
            said = words_of(symbol, action, record.reason, tail)
        elif isinstance(record, OrderRecord):
            said = words_of(symbol, ORDER_GENERATED, record.notes, tail)
        else:
            said = words_of(symbol, "FILL", record.liquidity.value, tail)
        if self._kept >= WORDS_MAX:
            self._forget()
        self._words.setdefault(symbol, {})[key] = said
        self._kept += 1
        return said

    def _forget(self) -> None:
        """No words are at hand."""
        self._words.clear()
        self._kept = 0

    def _other(self, record: Any) -> Said | None:
        """What the line of a record that is about no order says; None: it is no decision."""
        if isinstance(record, RiskRecord):
            return Said("", RISK, "", self._risk_tail)
        found = self._action(record)
        if found is None:
            return None
        symbol = (
            record.subject if isinstance(record, GuardRecord) else getattr(record, "symbol", "")
        )
        return Said(symbol, *found, self._tail)

    def _action(self, record: Any) -> tuple[str, str] | None:
        """Action and reason of a record that is about no order; None: it is no decision."""
        if isinstance(record, RefusalRecord):
            return self._refusal(record)
        if isinstance(record, GuardRecord):
            return f"GUARD_{record.action.upper()}", f"{record.code.value}: {record.detail}"
        if isinstance(record, BlockedRecord):
            return BLOCKED, record.code.value
        if isinstance(record, SwitchRecord):
            self.see_switch(SwitchView(record.state, record.epoch, record.ts_ns))
            words = switch_words(record)
            self.tell(words)
            return "SWITCH", words
        if isinstance(record, CommandRecord):
            return f"COMMAND_{record.action.upper()}", f"{record.reason} (by {record.by})"
        if isinstance(record, WarmUpRecord):
            return (
                "WARM_UP",
                f"over after {record.bars} bars, {record.past_bars} of them from before",
            )
        if isinstance(record, WarningRecord):
            return "WARNING", f"{record.code}: {record.detail}"
        if isinstance(record, NoteRecord):
            return "NOTE", record.text
        return None

    def _refusal(self, record: RefusalRecord) -> tuple[str, str]:
        if record.code is Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING and not self.switch.is_engaged:
            # Gate 2 saw it before the session took note of it; the record of that comes next.
            self.see_switch(SwitchView(SwitchState.ENGAGED.name, 0, record.ts_ns))
        codes = ",".join(code.value for code in (record.code, *record.also))
        return BLOCKED if record.code in GATE_2 else REFUSED, f"{codes}: {record.detail}"


class Ticks:
    """Remembers what the core was given, until its ticks are taken.

    Every event is a tick but for commands; the core counts them. A core that has halted counts
    nothing more than what venues report.
    """

    def __init__(self, core: TradingCore, settings: LogSettings) -> None:
        self._core = core
        self.are_wanted = settings.level is LogLevel.ALL
        """Whether the log has a line for each tick."""
        self._events: Sequence[Event] = ()
        self._before = 0

    def give(self, events: Sequence[Event]) -> Sequence[Event]:
        """The core is given these events: they are handed back."""
        if self.are_wanted:
            self._events, self._before = events, self._core.order_manager.tick_id
        return events

    def took(self, count: int) -> None:
        """It went through so many of them."""
        if self.are_wanted:
            self._events = self._events[:count]

    def take(self) -> Sequence[Tick]:
        """Their ticks as far as the core got, once; none where they are not wanted."""
        events, self._events = self._events, ()
        return ticks_in(events, self._before, self._core.order_manager.tick_id) if events else ()


def ticks_in(events: Sequence[Event], before: int, after: int) -> list[Tick]:
    """The ticks among `events`, of which the core had counted `before`, and has `after` by now."""
    counted = [event for event in events if not isinstance(event, OperatorCommand)]
    count = after - before
    if count < len(counted):
        # It has halted among them: from there on reports alone count.
        reports = [type(event) is Report for event in counted]
        left, until = sum(reports), 0
        while until < count and until + left != count:
            left -= reports[until]
            until += 1
        late = [event for event in counted[until:] if type(event) is Report]
        counted = [*counted[:until], *late[: count - until]]
    return [
        Tick(number, event.ts_ns, getattr(event, "symbol", ""))
        for number, event in enumerate(counted, before + 1)
    ]
