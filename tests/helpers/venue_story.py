"""A random session against a venue that misbehaves: who trades, what goes wrong, its course.

`venue_campaign` judges how it ended.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from link_helpers import coin, rest

from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.messages import Event, Quote, Report, TimePassed
from logos.core.records import PaperFillRecord, Record
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    Replace,
    Strategy,
    Target,
    limit,
    market,
)
from logos.core.types import ReportKind, Side, SwitchState, TimeInForce
from logos.execution.reconcile import Reconciler, ReconcileRules
from logos.execution.venue_link import VenueLink
from logos.testing.clock import ManualClock
from logos.testing.fake_venue import FakeVenue, Faults, FillRules
from logos.testing.venue_core import outbox_of, venue_core
from logos.venues.contract import VenueError

CASH = "1000000"
SLICE_S = 0.5
END_S = 400


class Maker(Strategy):
    """Answers at random, out of the session's generator: the same inputs give the same orders."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._next(context, quote.symbol)

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        return self._next(context, fill.symbol) if context.random.random() < 0.2 else None

    def on_stop(self, context: Context) -> Answer:
        if context.random.random() < 0.5:
            return None
        return [Target("0", symbol) for symbol in context.symbols]

    def _next(self, context: Context, symbol: str) -> Answer:
        random = context.random
        draw = random.random()
        side = random.choice((Side.BUY, Side.SELL))
        quantity = Decimal(random.randint(1, 3000)).scaleb(-3)
        price = Decimal(random.randint(900, 1100)).scaleb(-2)
        working = context.open_orders(symbol)
        if draw < 0.35:
            return None
        if draw < 0.5:
            return market(side, quantity, symbol=symbol)
        if draw < 0.75:
            force = random.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC))
            return limit(side, quantity, price, symbol=symbol, time_in_force=force)
        if draw < 0.8:
            return Target(str(random.randint(-2, 2)), symbol)
        if working and draw < 0.9:
            return Cancel(random.choice(working).order_id)
        if working:
            return Replace(random.choice(working).order_id, quantity=quantity, limit_price=price)
        return None


@dataclass
class Outcome:
    """What one sequence came to."""

    seed: int
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Batch:
    """Events as they were recorded, and the switch as it stood before them. None: the stop."""

    state: SwitchState
    why: str
    events: tuple[Event, ...] | None


class ShownSwitch:
    """A switch that can be shown as it was. (The compiled one cannot be inherited from.)"""

    epoch = 0

    def __init__(self) -> None:
        self.flag = bytearray(1)
        self._reason = ""

    def authority(self) -> SwitchState:
        return SwitchState(self.flag[0])

    def engage(self, reason: str, by: str) -> None:
        self._raise_to(SwitchState.ENGAGED, reason, by)

    def set_reduce_only(self, reason: str, by: str) -> None:
        self._raise_to(SwitchState.REDUCE_ONLY, reason, by)

    def why(self) -> str:
        return self._reason

    def show(self, state: SwitchState, why: str) -> None:
        self.flag[0] = state
        self._reason = why

    def _raise_to(self, state: SwitchState, reason: str, by: str) -> None:
        if self.flag[0] < state:
            self.show(state, f"{reason} (by {by})")


def draw_faults(random: Random) -> tuple[Faults, bool]:
    """A plan, and whether it is beyond what the link waits for."""
    if random.random() < 0.1:
        return Faults(), False
    is_extreme = random.random() < 0.1
    longest = 40.0 if is_extreme else 4.0
    level = random.choice((0.02, 0.1, 0.3))

    def chance() -> float:
        return random.random() * level if random.random() < 0.6 else 0.0

    return (
        Faults(
            lost_before=chance(),
            lost_after=chance(),
            turned_away=chance(),
            refused=chance() / 2,
            rejected=chance(),
            silent=chance() / 2,
            unavailable=chance(),
            slow=chance(),
            hidden=chance(),
            racing=random.random(),
            expired=chance() / 2,
            unsorted=random.choice((0.0, 0.5, 1.0)),
            retry_after_s=random.choice((0.0, 0.5, 5.0)),
            late_s=longest,
            hidden_s=longest,
            listed_s=random.choice((0.0, longest / 2, longest)),
            skew_s=random.choice((0.0, -20.0, 20.0)),
        ),
        is_extreme,
    )


class Story:
    """One sequence; `play` takes it to its end."""

    def __init__(self, seed: int) -> None:
        self.outcome = Outcome(seed)
        self.random = Random(seed)
        self.clock = ManualClock()
        self.instruments = [coin("COIN"), coin("PERP", "margin", base="PBASE")]
        faults, self.is_extreme = draw_faults(self.random)
        shares = self.random.choice(((0.5, 0.2, 0.2), (0.1, 0.4, 0.4), (0.0, 0.2, 0.3)))
        self.venue = FakeVenue(
            self.instruments,
            self.clock,
            Random(seed + 1),
            {"USD": CASH, "COIN": "100"},
            fills=FillRules(*shares, later_s=self.random.choice((2.0, 20.0)), fills_market=True),
            faults=faults,
        )
        self.venue.on_submit = self.on_submit
        for instrument in self.instruments:
            self.venue.set_price(instrument.symbol, 1000)
        self.switch = ShownSwitch()
        self.batches: list[Batch] = []
        self.baseline: dict[str, Decimal] | None = None
        self.outside: dict[str, Decimal] = {}
        self.strangers = 0
        self.in_core = False
        self.began_ns = self.clock.now_ns()
        self.tasks: list[asyncio.Task[object]] = []
        self.records: list[Record] = []
        self.core, self.link, self.reconciler = self.make()

    # ---- the session ----

    def maker(self) -> Strategy:
        """Who trades."""
        return Maker()

    def new_core(self, switch: ShownSwitch) -> TradingCore:
        return venue_core(
            self.maker(),
            *self.instruments,
            switch=switch,
            cash={"USD": CASH, "COIN": "100"},
            seed=self.outcome.seed,
        )

    def make(self) -> tuple[TradingCore, VenueLink, Reconciler]:
        self.inbox: list[Report] = []
        inbox = self.inbox
        core = self.new_core(self.switch)
        view = CoreView(core.order_manager)
        random = Random(self.outcome.seed + 2)
        link = VenueLink(
            self.venue,
            view,
            self.switch,
            self.clock,
            random,
            inbox.append,
        )
        reconciler = Reconciler(
            self.venue,
            view,
            link,
            self.clock,
            inbox.append,
            lambda _words: None,
            ReconcileRules(every_s=30.0),
            self.baseline,
        )
        return core, link, reconciler

    def live(self, batch: Batch, core: TradingCore, is_first: bool) -> list[Record]:
        """One batch in a core, recorded before or now."""
        if is_first:
            assert batch.events
            core.start(batch.events[0].ts_ns)
        if batch.events is None:
            core.begin_stop()
        else:
            core.run(batch.events)
        return core.take_effects()

    def step(self, events: Sequence[Event] | None) -> None:
        """Record, run, send."""
        shown = None if events is None else tuple(events)
        batch = Batch(self.switch.authority(), self.switch.why(), shown)
        self.batches.append(batch)
        self.records += self.live(batch, self.core, len(self.batches) == 1)
        self.link.dispatch(outbox_of(self.core).take())

    def drain(self) -> None:
        reports, self.inbox[:] = list(self.inbox), []
        if reports:
            self.step(reports)

    def again(self, switch: ShownSwitch) -> tuple[TradingCore, list[Record]]:
        """A fresh core that has lived through everything recorded."""
        core = self.new_core(switch)
        records: list[Record] = []
        for number, batch in enumerate(self.batches):
            switch.show(batch.state, batch.why)
            records += self.live(batch, core, number == 0)
            outbox_of(core).take()
        return core, records

    async def begin(self) -> None:
        self.tasks = [asyncio.create_task(self.link.run())]
        if self.baseline is None:
            while self.baseline is None:
                with suppress(VenueError):
                    await self.within(self.reconciler.start())
                found = self.reconciler.baseline
                self.baseline = None if found is None else dict(found)
        self.tasks.append(asyncio.create_task(self.reconciler.run()))

    async def crash(self) -> None:
        """The process dies; another one goes on from what was recorded."""
        self.outcome.counts["crashes"] += 1
        await self.end_tasks()
        held = (self.switch.authority(), self.switch.why())
        if self.random.random() < 0.3 and self.inbox:
            # It was recorded, and the process died before the core had seen it.
            self.batches.append(Batch(*held, tuple(self.inbox)))
        self.core, self.link, self.reconciler = self.make()
        self.records = []
        for number, batch in enumerate(self.batches):
            self.switch.show(batch.state, batch.why)
            self.records += self.live(batch, self.core, number == 0)
            outbox_of(self.core).take()
        if held[0] > self.switch.authority():
            self.switch.show(*held)
        self.link.adopt(self.heard(ReportKind.FILLED))
        charged = [charge_id for _, charge_id in self.heard(ReportKind.CHARGED)]
        self.reconciler.charges.adopt(charged, self.began_ns)
        await self.begin()

    def heard(self, kind: ReportKind) -> list[tuple[str, str]]:
        """Of whom and which id every report of a kind was, as recorded."""
        events = (event for batch in self.batches for event in batch.events or ())
        reports = (each for each in events if isinstance(each, Report) and each.kind is kind)
        return [(each.client_order_id, each.fill_id) for each in reports]

    async def end_tasks(self) -> None:
        for task in self.tasks:
            task.cancel()
        for result in await asyncio.gather(*self.tasks, return_exceptions=True):
            if isinstance(result, Exception):
                self.outcome.wrong.append(f"a task died: {result!r}")

    # ---- what happens ----

    async def play(self) -> None:
        """Begin, let things happen, and finish; the tasks still run."""
        await self.begin()
        for _ in range(self.random.randint(5, 50)):
            await self.happen(self.random.random())
            await rest()
            if self.random.random() < 0.7:
                self.drain()
            await self.pass_time(self.random.choice((0.0, 0.1, 0.5, 1.0, 4.0, 15.0)))
        await self.finish()

    async def happen(self, draw: float) -> None:
        if draw < 0.72 or not self.batches:
            instrument = self.random.choice(self.instruments)
            bid = self.random.randint(900, 1100)
            quote = Quote(self.clock.now_ns(), instrument.symbol, bid, bid + 1, -1, -1, instrument)
            self.venue.set_price(instrument.symbol, bid)
            self.drain()
            self.step([quote])
            if self.random.random() < 0.01:
                # Orders are on their way from the core to the venue just now.
                self.switch.engage("campaign", "kill")
                self.outcome.counts["kills"] += 1
        elif draw < 0.8:
            self.drain()
            self.step([TimePassed(self.clock.now_ns())])
        elif draw < 0.82:
            self.switch.engage("campaign", "kill")
            self.outcome.counts["kills"] += 1
        elif draw < 0.84:
            self.switch.set_reduce_only("campaign", "reduce")
        elif draw < 0.88:
            await self.crash()
        elif draw < 0.9 and self.outcome.seed % 10 == 0:
            self.strangers += 1
            self.venue.place_external("COIN", Side.BUY, 100, 100)
        elif draw < 0.91 and self.outcome.seed % 10 == 0:
            amount = Decimal(self.random.randint(1, 100))
            self.venue.change_balance("USD", amount)
            self.outside["USD"] = self.outside.get("USD", Decimal(0)) + amount

    def on_submit(self, client_order_id: str) -> None:
        state = self.switch.authority()
        if state is SwitchState.SAFE:
            return
        order = outbox_of(self.core).open[client_order_id]
        position = self.core.order_manager.states[order.instrument.symbol].inventory.position
        is_reducing = position * order.sign < 0 and abs(position) >= order.remaining
        if state is SwitchState.ENGAGED or not is_reducing:
            self.outcome.wrong.append(f"{client_order_id} was submitted while {state.name}")

    async def pass_time(self, seconds: float) -> None:
        while seconds > 0:
            await self.clock.advance(min(SLICE_S, seconds))
            seconds -= SLICE_S
            await rest()
            if self.batches and self.random.random() < 0.5:
                self.drain()

    async def within(self, work: object) -> object:
        """Let something that waits for the clock come to its end."""
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        for _ in range(1000):
            await rest()
            if task.done():
                return task.result()
            await self.clock.advance(SLICE_S)
            self.drain() if self.batches else None
        raise AssertionError("it never comes to its end")

    async def finish(self) -> None:
        """The venue calms down; the session stops and waits for its orders to end."""
        self.venue.calm()
        self.drain()
        self.step([TimePassed(self.clock.now_ns())])
        self.step(None)
        for _ in range(END_S * 2):
            if not self.link.open_count and not self.inbox and not outbox_of(self.core).open:
                break
            await self.pass_time(SLICE_S)
            self.drain()
        self.venue.finish()
        await self.pass_time(50.0 if self.is_extreme else 1.0)
        self.drain()
