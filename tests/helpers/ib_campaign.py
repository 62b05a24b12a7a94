"""Random sessions of days at a simulated gateway of Interactive Brokers, each judged.

The stories are those of `exchange_campaign`, and besides their days: a session trades, the night
comes with a restart, an outage over midnight or a log-out, and the next day begins. `IbVenue` as it
is, ib_async as it is, and `logos.simulators.ib` behind it, on a clock moved by hand and without
sockets. The judge is the same: at most one order for an intent, holdings within `max_position`,
books equal or the session stopped with the reason on record.

    python tests/helpers/ib_campaign.py --sequences 1000 --seed 1
"""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

import sys
from collections import Counter
from collections.abc import Sequence
from random import Random

from ib_side import IbSide
from link_helpers import rest
from place_story import PlaceStory
from venue_campaign import parser_of, play, play_seeds

from logos.adapters.ib.venue import IbSettings, IbVenue
from logos.core.instrument import Instrument, instrument
from logos.core.records import GuardRecord
from logos.core.types import NS_PER_SECOND
from logos.testing.builders import fee_schedule
from logos.venues.contract import VenueError

_BEGIN_S = 14.5 * 3600
"""When a day's trading begins, in seconds from the clock's first moment, a midnight of UTC."""
_DAY_S = 86_400


class IbStory(PlaceStory):
    """A story of days at the gateway."""

    SYMBOL = "AAPL"
    side: IbSide

    def new_place(self, random: Random) -> IbSide:
        return IbSide(random, self.clock)

    def instrument(self) -> Instrument:
        fees = fee_schedule(maker="0", taker="0", decimals=2)
        return instrument("AAPL", tick="0.01", lot="1", quote="USD", fees=fees)

    def new_venue(self, traded: Instrument) -> IbVenue:
        self.side.gateway.drop()  # an earlier process is gone, and its socket with it
        settings = IbSettings(url="tcp://127.0.0.1:4002/1", timeout_s=5.0)
        random = Random(self.outcome.seed + 3)
        return IbVenue({"AAPL": traded}, self.clock, random, settings, "test")

    async def begin(self) -> None:
        self.side.end_trouble()
        if not self.side.gateway.is_up:
            await self.side.gateway.start()
        await super().begin()

    async def play(self) -> None:
        """Days of trading with nights between them; the tasks still run at the end."""
        began_ns = self.clock.now_ns()
        self.side.now(1000)
        await self.begin()
        days = self.random.randint(2, 3)
        for day in range(days):
            self.jump(began_ns + round((day * _DAY_S + _BEGIN_S) * NS_PER_SECOND))
            for _ in range(self.random.randint(3, 10)):
                await self.happen(self.random.random())
                await rest()
                if self.random.random() < 0.7:
                    self.drain()
                await self.pass_time(self.random.choice((0.0, 0.1, 0.5, 1.0, 4.0, 10.0)))
            if day < days - 1:
                await self.night()
        self.outcome.counts["days"] += days
        await self.finish()

    async def happen(self, draw: float) -> None:
        if 0.8 <= draw < 0.84 and self.random.random() < 0.7:
            return  # else hardly a session would see its second day
        await super().happen(draw)

    async def pass_time(self, seconds: float) -> None:
        while seconds > 0:
            await super().pass_time(min(seconds, 5.0))
            seconds -= 5.0

    def jump(self, ns: int) -> None:
        """It is later; whoever waited wakes when the clock goes on."""
        if ns > self.clock.now_ns():
            self.clock.set_ns(ns)
            self.side.now()  # what was due meanwhile was told, before anybody asks

    async def night(self) -> None:
        """One of the nights that a gateway has. In the evening before it the session has the time
        to book everything, so that only what happens at a gateway that is down can be missed."""
        side, minute_ns = self.side, 60 * NS_PER_SECOND
        midnight_ns = side.midnight_after(self.clock.now_ns())
        kind = self.random.choice(("stays", "restart", "over midnight", "logged out", "crash"))
        self.outcome.counts[f"nights: {kind}"] += 1
        side.begin_evening()
        await self.pass_time(45.0)
        self.jump(midnight_ns - 20 * minute_ns)
        await self.pass_time(75.0)
        if kind in ("restart", "over midnight", "logged out"):
            await side.gateway.stop()
            await self.pass_time(2.0)
            if side.happen_unheard() and kind != "restart":
                side.expect("nights that hid what happened at a gateway that was down")
            if kind == "restart":
                await side.come_up()
                await self.pass_time(75.0)
        self.jump(midnight_ns - minute_ns)
        await self.pass_time(1.0)
        if kind == "crash" and self.batches:
            await self.crash()
        self.jump(midnight_ns + minute_ns)
        await self.pass_time(2.0)
        if kind == "logged out":
            self.jump(midnight_ns + 400 * minute_ns)
            side.happen_unheard()
        if not side.gateway.is_up:
            await side.come_up()
        await self.pass_time(30.0)
        side.is_quiet = False

    async def reconcile(self) -> list[str]:
        """As the timer does: a gateway that cannot be asked now is asked later."""
        words = ""
        for _ in range(5):
            try:
                return await super().reconcile()
            except VenueError as error:
                words = str(error)
            await self.pass_time(60.0)
        raise AssertionError(f"the gateway cannot be asked: {words}")

    def ghosts(self) -> list[str]:
        return self.side.expected

    def is_second_loss(self, alarm: GuardRecord) -> bool:
        """Two at once that nobody has are one, too, where lists do not go back to them."""
        is_pair = "holdings prove nothing of both" in alarm.detail
        return super().is_second_loss(alarm) or (is_pair and alarm.subject not in self.arrived())

    def sent_twice(self) -> str:
        names = Counter(each.order_ref for each in self.side.ours)
        twice = [name for name, times in names.items() if times > 1]
        return f"more than one order for an intent: {twice}" if twice else ""

    def compare(self) -> list[str]:
        found = super().compare()
        if touched := [each for each in self.side.others if not each.is_open or each.filled]:
            found.append(f"other clients' orders were touched: {len(touched)}")
        return found


def run_all(seeds: Sequence[int], stop: bool = False) -> tuple[int, Counter[str]]:
    """How many sequences went wrong, told as they come, and what happened."""
    return play_seeds(IbStory, seeds, "make ib-campaign SEQUENCES=1 SEED=", stop)


def main() -> int:
    return 1 if play("ib: ", run_all, parser_of(__doc__).parse_args()) else 0


if __name__ == "__main__":
    sys.exit(main())
