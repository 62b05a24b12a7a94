"""The feed under rehearsal: the user's events, disturbed where a scenario says so.

Injections happen between two events: the core has processed everything before when the next chunk
is asked for, so "right before tick k" is exact, whatever the size of the chunks. Prices that are
changed stay on the tick.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

import msgspec

from logos.core.fixed import HALF_EVEN, divide
from logos.core.messages import Bar, Engage, Event, MarketEvent, Quote, QuoteBar
from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.ledger import KILL_FILE
from logos.rehearsal import scenarios as kinds
from logos.rehearsal.profile import (
    BaselineProfile,
    NotApplicable,
    adverse_factor,
    market_events,
    prices_of,
    silence_and_probe,
)
from logos.rehearsal.strategy import (
    InjectedStrategy,
    SendOrders,
    answer_nan,
    raise_error,
)
from logos.session.plan import Feed

_NEWS_WAIT_S: Final = 2.0
"""How long a feed pauses for the session to see what was done to the switch's files."""

_WHO: Final = "rehearsal"


class InjectingFeed:
    """One scenario's feed; use it once.

    `tick` and `ts_ns` are when the last injection happened (0: not yet).
    """

    def __init__(
        self,
        feed: Feed,
        scenario: kinds.Scenario,
        due: Mapping[int, Sequence[kinds.Injection]],
        profile: BaselineProfile,
        drill: InjectedStrategy,
        switch: CircuitBreaker,
    ) -> None:
        """`due` is what `places_of` made of the scenario."""
        self.tick = 0
        self.ts_ns = 0
        self.ticks_delivered = 0
        self.done: list[str] = []
        """What was injected, and where, in words."""
        self._feed = feed
        self._scenario = scenario
        self._profile = profile
        self._drill = drill
        self._switch = switch
        self._due = due
        self._silent = ""
        self._gap_left = 0
        self._crossed_left = 0
        self._shock: kinds.Price | None = None
        self._shock_symbol = ""
        self._shock_factor = Decimal(1)
        self._shock_left = 0
        self._ends = False
        self._limits: tuple[int, int] | None = None

    def chunks(self) -> Iterator[Sequence[Event]]:
        """The events as the session gets them."""
        pending: list[Event] = []
        for number, event in enumerate(market_events(self._feed), start=1):
            if number in self._due:
                if pending:
                    yield pending
                pending = []
                for injection in self._due[number]:
                    self.tick = self.ticks_delivered + 1
                    self.ts_ns = event.ts_ns
                    if not isinstance(injection, kinds.KillWhileDeciding):
                        self._note(injection)
                    pending += self._inject(injection, event)
            changed = self._changed(event)
            if changed is not None:
                pending.append(changed)
                self.ticks_delivered += 1
            # While an act waits, events go one by one: so the tick it happens at is known.
            if len(pending) >= 4096 or (pending and (self._drill.is_waiting or self._ends)):
                yield pending
                pending = []
            if self._ends:
                return
        if pending:
            yield pending

    def close(self) -> None:
        """Give back what an injection took from the process."""
        if self._limits is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
            self._limits = None

    # ---- what is done ----

    def _inject(self, injection: kinds.Injection, event: MarketEvent) -> list[Event]:
        """Do it; the commands that come before the event."""
        drill = self._drill
        match injection:
            case kinds.KillCommand():
                return [Engage(event.ts_ns, self._reason, _WHO)]
            case kinds.TouchMarker():
                self._touch()
                self._wait_for_news()
            case kinds.SendSignal():
                os.kill(os.getpid(), signal.SIGUSR1)
                self._wait_for_news()
            case kinds.ReduceOnly():
                self._switch.set_reduce_only(self._reason, _WHO)
            case kinds.KillWhileDeciding():
                drill.before_order = partial(self._kill_now, injection)
            case kinds.Silence():
                self._silent = silent_symbol(self._scenario, self._profile)
            case kinds.Gap():
                self._gap_left = injection.ticks
            case kinds.Crossed():
                self._crossed_left = injection.ticks
            case kinds.Price():
                self._begin_shock(injection, event)
            case kinds.Orders():
                drill.acts.append(self._orders(injection, event))
            case kinds.Raise():
                drill.acts.append(raise_error)
            case kinds.AnswerNan():
                drill.acts.append(answer_nan)
            case kinds.EndFeed():
                self._ends = True
            case kinds.FullDisk():
                self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (injection.bytes, self._limits[1]))
        return []

    @property
    def _reason(self) -> str:
        return f"rehearsal of {self._scenario.name}"

    def _note(self, injection: kinds.Injection) -> None:
        name = str(injection.__struct_config__.tag).replace("_", " ")
        self.done.append(f"{name} at tick {self.tick}")

    def _kill_now(self, injection: kinds.KillWhileDeciding) -> None:
        self.tick = self.ticks_delivered
        self._note(injection)
        if injection.touch:
            self._touch()
        else:
            self._switch.engage(self._reason, _WHO)

    def _touch(self) -> None:
        """What an operator at another terminal would do."""
        # The one program a marker needs is found on the operator's PATH on purpose.
        subprocess.run(["touch", str(self._switch.folder / KILL_FILE)], check=True)  # noqa: S603, S607

    def _wait_for_news(self) -> None:
        """A live feed pauses between ticks; this one does until the session's watcher has seen."""
        deadline = time.monotonic() + _NEWS_WAIT_S
        while self._switch.flag[0] != SwitchState.ENGAGED and time.monotonic() < deadline:
            time.sleep(0.001)

    def _begin_shock(self, shock: kinds.Price, event: MarketEvent) -> None:
        self._shock = shock
        self._shock_symbol = event.symbol
        self._shock_left = shock.ticks
        position = self._profile.holding().position if shock.adverse else 0
        self._shock_factor = adverse_factor(shock, position)

    def _orders(self, orders: kinds.Orders, event: MarketEvent) -> SendOrders:
        if not orders.silent:
            return SendOrders(orders, prices_of(event)[1], None)
        symbol = self._profile.instruments[self._silent]
        return SendOrders(orders, self._profile.price_before(self._silent, self.tick), symbol)

    # ---- what the events become ----

    def _changed(self, event: MarketEvent) -> MarketEvent | None:
        """The event as the session gets it; None: it never arrives."""
        if event.symbol == self._silent:
            return None
        if self._gap_left:
            self._gap_left -= 1
            return None
        if self._crossed_left and isinstance(event, Quote | QuoteBar):
            self._crossed_left -= 1
            return _crossed(event)
        if self._shock is not None and event.symbol == self._shock_symbol:
            if self._shock.ticks:
                self._shock_left -= 1
                if self._shock_left < 0:
                    return event
            return scaled(event, self._shock_factor)
        return event


def places_of(
    scenario: kinds.Scenario, profile: BaselineProfile
) -> dict[int, list[kinds.Injection]]:
    """Which injections come before which tick of the undisturbed data.

    Raises NotApplicable when one has no place in it.
    """
    due: dict[int, list[kinds.Injection]] = {}
    has_orders = any(isinstance(each, kinds.Orders) for each in scenario.inject)
    wanted = profile.tradable() if has_orders else profile.priced()
    for injection in scenario.inject:
        due.setdefault(_place_of(injection, profile, wanted), []).append(injection)
        if isinstance(injection, kinds.Silence):
            silent_symbol(scenario, profile)
    return due


def _place_of(injection: kinds.Injection, profile: BaselineProfile, wanted: Sequence[str]) -> int:
    if isinstance(injection, kinds.SendSignal) and not _is_main_thread():
        raise NotApplicable("signals reach a session only in the main thread of its process")
    if isinstance(injection, kinds.Crossed):
        if not profile.two_sided:
            raise NotApplicable("the data is one-sided: it has no bid and ask to cross")
        return profile.resolve(injection.tick, sorted(profile.two_sided))
    tick = injection.tick
    needs_price = isinstance(injection, kinds.Price | kinds.Orders)
    # All that is named by a moment moves to the same place, so that "+1" means the tick after.
    if needs_price if isinstance(tick, int) else not tick.startswith("holding"):
        return profile.resolve(tick, wanted)
    return profile.resolve(tick)


def silent_symbol(scenario: kinds.Scenario, profile: BaselineProfile) -> str:
    """The symbol that a `silence` takes away. Raises NotApplicable when there is none."""
    silence, probe = silence_and_probe(scenario)
    probe_tick = profile.resolve(probe, profile.tradable())
    return profile.silent_symbol(profile.resolve(silence), probe_tick)


def scaled(event: MarketEvent, factor: Decimal) -> MarketEvent:
    """The event with its prices times `factor`, to the nearest tick (and at least one)."""
    numerator, denominator = factor.as_integer_ratio()
    tick = event.instrument.tick
    if isinstance(event, Quote):
        names: Sequence[str] = ("bid_units", "ask_units")
    elif isinstance(event, Bar):
        names = ("open_units", "high_units", "low_units", "close_units")
    elif isinstance(event, QuoteBar):
        points = ("open", "high", "low", "close")
        names = [f"{side}_{point}_units" for side in ("bid", "ask") for point in points]
    else:
        names = ("price_units",)
    prices: dict[str, Any] = {
        name: max(
            tick,
            divide(getattr(event, name) * numerator, denominator * tick, HALF_EVEN) * tick,
        )
        for name in names
    }
    return msgspec.structs.replace(event, **prices)


def _crossed(event: Quote | QuoteBar) -> MarketEvent:
    """The event with its bid a tick above its ask."""
    tick = event.instrument.tick
    if isinstance(event, Quote):
        return msgspec.structs.replace(event, bid_units=event.ask_units + tick)
    return msgspec.structs.replace(event, bid_close_units=event.ask_close_units + tick)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
