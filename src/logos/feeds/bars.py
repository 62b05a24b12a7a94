"""Closed bars of one symbol on their way to the session: each once, in order, each looked at twice.

Problem: a source may change a bar after its close: a trade is reported late, or the last minute was
not yet counted to its end. What a session traded on cannot be changed any more, and nobody should
have to guess it. Method: the last bars that were handed over are remembered in units. Whoever asks
for new bars asks for the one before them once more, and a bar that is told differently now is said
as a correction, once, and not handed over again.

How often that happens: ccxt's issue 6742 (Kraken's volumes after the close), and
marianogappa/crypto-candles issue 4, which measured the last minute of every exchange there as
unreliable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.core.messages import Bar
from logos.data.readers.numbers import RowError, format_timestamp
from logos.feeds.common import UnitReader, Voice
from logos.feeds.sequence import BarSequence, RawBar

_REMEMBERED: Final = 5
"""How many bars are remembered, to tell a correction."""


class BarsOut:
    """The bars of one symbol; `begin` before the first is offered."""

    def __init__(
        self,
        voice: Voice,
        clock: Clock,
        instrument: Instrument,
        units: UnitReader,
        interval_ns: int,
    ) -> None:
        self._voice = voice
        self._clock = clock
        self._instrument = instrument
        self._units = units
        self._interval_ns = interval_ns
        self._given: dict[int, Bar] = {}
        self.sequence = BarSequence(interval_ns, 0)

    def begin(self, now_ns: int) -> None:
        """Hand over what closes after `now_ns`, the source's time."""
        self.sequence = BarSequence(self._interval_ns, now_ns)

    @property
    def ask_from_ns(self) -> int:
        """From which open on to ask: the bar before the one that is expected, to see it again."""
        before_ns = self._interval_ns if self._given else 0
        return self.sequence.next_open_ns - before_ns

    async def offer(
        self,
        page: Sequence[RawBar],
        closed_ns: int,
        sessions: Sequence[tuple[int, int]] | None = None,
    ) -> int:
        """Say what was corrected, and hand over what is new and closed; how many bars were new.

        `closed_ns` and `sessions` are those of `BarSequence.take`.
        """
        for raw in page:
            self.correct(raw)
        taken = self.sequence.take(page, closed_ns, sessions=sessions)
        self._voice.gap(taken.gap)
        for raw in taken.fresh:
            try:
                bar = self._units.bar(raw, self._interval_ns, self._clock.now_ns())
            except RowError as error:
                self._voice.leave_out(error)
                continue
            self._remember(raw.opened_ns, bar)
            await self._voice.deliver(bar, raw.opened_ns + self._interval_ns)
        return len(taken.fresh)

    def correct(self, raw: RawBar) -> None:
        """Say it where a bar that was handed over is told with other figures now; what was handed
        over stays as it was."""
        given = self._given.get(raw.opened_ns)
        if given is None:
            return
        try:
            now = self._units.bar(raw, self._interval_ns, given.ts_ns)
        except RowError as error:
            self._voice.leave_out(error)
            return
        before, after = self._figures(given), self._figures(now)
        changes = [
            f"{name} {old} is now {after[name]}"
            for name, old in before.items()
            if after[name] != old
        ]
        if changes:
            self._given[raw.opened_ns] = now
            moment = format_timestamp(raw.opened_ns)
            self._voice.gap(f"the bar of {moment} was corrected: {', '.join(changes)}")

    def _remember(self, opened_ns: int, bar: Bar) -> None:
        self._given[opened_ns] = bar
        while len(self._given) > _REMEMBERED:
            del self._given[next(iter(self._given))]

    def _figures(self, bar: Bar) -> dict[str, str]:
        prices = {
            "open": bar.open_units,
            "high": bar.high_units,
            "low": bar.low_units,
            "close": bar.close_units,
        }
        figures = {name: _short(self._instrument.price_text(each)) for name, each in prices.items()}
        volume = "unknown"
        if bar.volume_units >= 0:
            volume = _short(self._instrument.quantity_text(bar.volume_units))
        return {**figures, "volume": volume}


def _short(text: str) -> str:
    """A figure without the zeros behind its last digit."""
    return text.rstrip("0").rstrip(".") if "." in text else text
