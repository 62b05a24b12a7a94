"""What a terminal's clock is ahead of UTC, measured: brokers have clocks of their own.

The terminal does not say it. The open of its newest minute candle is a moment of its clock that has
just been, if the market moves at all; brokers keep a zone, so the true difference is a multiple of
a quarter of an hour. Measured in each life of the terminal, because a zone changes twice a year.
What cannot be measured (no prices for some minutes) leaves the difference as it was: what is
configured, at first. A terminal that tells its time (`time` of ACCOUNT) is believed in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND

ZONE_STEP_S: Final = 900
ZONE_MAX_S: Final = 14 * 3600
"""No place on earth is further ahead of UTC, and none so far behind."""

FRESH_S: Final = 300
"""How old the newest candle's open may be to measure by it."""

_TIME_FORM: Final = "%Y.%m.%d %H:%M:%S"

Ask = Callable[[str, Mapping[str, object]], Awaitable[dict[str, Any]]]


class ServerClock:
    """The terminal's clock, shared by all who read its times."""

    def __init__(
        self, clock: Clock, configured_s: int = 0, lives: Callable[[], int] | None = None
    ) -> None:
        """`configured_s` holds until something was measured; without `lives`, which tells the
        terminal's life, nothing is."""
        self._clock = clock
        self._lives = lives
        self.offset_s = configured_s
        """Seconds that the terminal is ahead of UTC."""
        self.is_measured = False
        self._measured_life = -1
        self._measuring = asyncio.Lock()

    async def measure(self, ask: Ask, symbol: str) -> None:
        """Measure it, once in each life of the terminal, by `symbol`'s candles.

        A question that stays open, or finds no fresh candle, leaves it as it was and is put again
        by whoever comes next. `ask` raises OSError.
        """
        async with self._measuring:
            life = -1 if self._lives is None else self._lives()
            if life == self._measured_life:
                return
            try:
                found = await self._told(ask) or await self._newest_candle(ask, symbol)
            except OSError:
                return
            offset_s = self._offset_of(found)
            if offset_s is not None:
                self.offset_s = offset_s
                self.is_measured = True
                self._measured_life = life

    def _now_s(self) -> int:
        return self._clock.now_ns() // NS_PER_SECOND

    async def _told(self, ask: Ask) -> int:
        """The time that ACCOUNT tells, 0 where it tells none."""
        reply = await ask("", {"action": "ACCOUNT"})
        try:
            moment = datetime.strptime(str(reply.get("time")), _TIME_FORM)
        except ValueError:
            return 0
        return int(moment.replace(tzinfo=UTC).timestamp())

    async def _newest_candle(self, ask: Ask, symbol: str) -> int:
        """The open of the newest minute candle, by the terminal's clock; 0 when there is none."""
        from_s = self._now_s() - ZONE_MAX_S
        fields = {
            "action": "HISTORY",
            "actionType": "DATA",
            "symbol": symbol,
            "chartTF": "M1",
            "fromDate": from_s,
        }
        rows = (await ask(symbol, fields)).get("data")
        if not isinstance(rows, list):
            return 0
        opens = [row[0] for row in rows if isinstance(row, list) and row and type(row[0]) is int]
        return max(opens, default=0)

    def _offset_of(self, server_s: int) -> int | None:
        """The zone in which `server_s` has just been; None when it is in none."""
        ahead_s = server_s - self._now_s()
        if not server_s or abs(ahead_s) > ZONE_MAX_S + FRESH_S:
            return None
        # A little before the quarter: our own clock may be behind.
        zone_s = -(-(ahead_s - _OUR_ERROR_S) // ZONE_STEP_S) * ZONE_STEP_S
        return zone_s if zone_s - ahead_s <= FRESH_S else None


_OUR_ERROR_S: Final = 30
"""How far our clock may be behind UTC."""
