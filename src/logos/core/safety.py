"""The safety monitor: the kill switch at gate 1, the guards on every tick, and the age of prices.

`seen` is the switch's state as this session last took note of it. Taking note of ENGAGED cancels
everything that rests, of REDUCE_ONLY what could grow a position; both leave a record. A guard that
halts ends this session alone, at once; the switch stays as it is.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.account import Ledger
from logos.core.exits.lost import lose_exits, warn_of_pause
from logos.core.fixed import format_units, power_of_ten, to_decimal
from logos.core.gates import Switch, why_closed
from logos.core.guards import Action
from logos.core.guards.standing import exposure_limit
from logos.core.instrument_state import InstrumentState, dust_in_words
from logos.core.order_manager import OrderManager
from logos.core.records import BlockedRecord, GuardRecord, SwitchRecord
from logos.core.types import NEVER_NS, NS_PER_SECOND, Code, OrderStatus, SwitchState

ENGAGED: Final = 2
"""`SwitchState.ENGAGED` as the plain number that `seen` holds."""


@final
class SafetyMonitor:
    """The switch and the tick-level guards of one session."""

    __slots__ = (
        "_exposed",
        "_halt_on_engage",
        "_has_lost_too_often",
        "_order_manager",
        "_switch",
        "blocked_count",
        "is_flattening",
        "is_halted",
        "is_suspended",
        "seen",
        "trigger",
    )

    def __init__(self, order_manager: OrderManager, switch: Switch, halt_on_engage: bool) -> None:
        self._order_manager = order_manager
        self._switch = switch
        self._halt_on_engage = halt_on_engage
        self._has_lost_too_often: bool = False
        self._exposed: list[str] = []
        """Which exposure is above its limit, by code and currency: it was acted on."""
        self.seen: int = 0
        self.blocked_count: int = 0
        self.is_halted: bool = False
        """Whether a guard or the switch has ended the session."""
        self.is_flattening: bool = False
        """Whether an operator wanted every position closed: no exit is held any more."""
        self.is_suspended: bool = False
        """Whether nobody is asked, and nothing that is held back is sent: an operator suspended the
        session."""
        self.trigger: str = ""
        """What halts the session: the first guard that did, or the switch and its first reason."""

    def is_engaged(self, seen_at: str) -> bool:
        """Gate 1: whether the strategy must not be asked now."""
        if self._switch.flag[0] != self.seen:
            self.see_switch(seen_at)
        return self.seen == ENGAGED

    @property
    def is_blocking(self) -> bool:
        """Whether gate 1, as it last looked, keeps the strategy from every tick."""
        return self.seen == ENGAGED

    @property
    def may_ask(self) -> bool:
        """Whether the strategy may be asked, as far as the switch and halts go."""
        return not (self.is_halted or self.is_blocking)

    def halt_if_engaged(self) -> None:
        """At the end of the events: an engagement that no tick came to see halts all the same."""
        if self.seen == ENGAGED and self._halt_on_engage:
            self.is_halted = True

    def on_breach(self, ledger: Ledger) -> None:
        """Equity is below its floor: say which guard it was, and do what it says, once."""
        is_drawn_down = ledger.is_drawn_down and not ledger.drawdown_tripped
        is_day_lost = ledger.is_daily_loss_exceeded and not ledger.daily_loss_tripped
        ledger.drawdown_tripped = ledger.drawdown_tripped or is_drawn_down
        ledger.daily_loss_tripped = ledger.daily_loss_tripped or is_day_lost
        ledger.raise_floor()
        if is_drawn_down:
            self.act(Code.MAX_DRAWDOWN, ledger.currency, _fall_in_words(ledger))
        if is_day_lost:
            self.act(Code.MAX_DAILY_LOSS, ledger.currency, _loss_in_words(ledger))

    def check_losses(self) -> None:
        """A run of losses that has just reached its limit."""
        guards = self._order_manager.guards
        if guards.has_too_many_losses and not self._has_lost_too_often:
            words = (
                f"{guards.consecutive_losses} losses in a row, "
                f"the limit is {guards.consecutive_losses_limit}"
            )
            self.act(Code.CONSECUTIVE_LOSSES, "", words)
        self._has_lost_too_often = guards.has_too_many_losses

    def see_time(self, now_ns: int, symbol: str) -> int:
        """Watch exposure, trip STALE_DATA for every symbol that is silent too long, have the events
        of a symbol looked at whose split or dividend is due; when to look again.

        A symbol whose market was closed meanwhile, that is paused, or that has shown no price yet,
        is not silent. `symbol` is what the event is about ("": none): its price may be made new by
        it, so it is looked at again after it.
        """
        next_ns = self._watch_exposure(now_ns)
        for name, state in self._order_manager.states.items():
            watch = state.watch
            next_ns = min(next_ns, watch.action_after_ns(now_ns))
            if watch.next_action_ns <= now_ns and not watch.is_action_due:
                watch.is_action_due = True
                state.see_calm()
            limit_ns = state.limits.stale_after_ns
            if limit_ns == 0:
                continue
            next_ns = min(next_ns, now_ns + limit_ns)
            price_ns = state.last_ns
            if not state.is_stale(now_ns):
                if state.bid:
                    next_ns = min(next_ns, price_ns - state.lag_ns + limit_ns + 1)
            elif (
                state.is_paused
                or state.silence_told_ns == price_ns
                or not state.instrument.has_been_open(now_ns - limit_ns, now_ns)
            ):
                continue
            elif name == symbol and state.excused_ns != price_ns:
                state.excused_ns = price_ns
                next_ns = now_ns
            else:
                state.silence_told_ns = price_ns
                age_ns = now_ns - price_ns + state.lag_ns
                self.act(Code.STALE_DATA, name, _silence_in_words(name, age_ns, limit_ns))
        return next_ns

    def _watch_exposure(self, now_ns: int) -> int:
        """Act on exposure that prices alone have taken above its limit, without any order, once
        until it is below again; when to look again.

        Only where the settings say that the guard does more than refuse orders.
        """
        guards = self._order_manager.guards
        watches_gross = guards.action(Code.GROSS_EXPOSURE) is not Action.REFUSE
        watches_net = guards.action(Code.NET_EXPOSURE) is not Action.REFUSE
        if not watches_gross and not watches_net:
            return NEVER_NS
        states = self._order_manager.states.values()
        for ledger in self._order_manager.account.ledgers:
            if watches_gross and ledger.limits.has_gross_limit:
                most = exposure_limit(ledger, states)
                self._see_exposure(Code.GROSS_EXPOSURE, ledger, ledger.gross_exposure, most)
            if watches_net and ledger.limits.net_exposure:
                most = ledger.limits.net_exposure
                self._see_exposure(Code.NET_EXPOSURE, ledger, abs(ledger.net_exposure), most)
        return now_ns + NS_PER_SECOND

    def _see_exposure(self, code: Code, ledger: Ledger, exposure: int, most: int) -> None:
        name = f"{code.value} {ledger.currency}"
        if exposure <= most:
            if name in self._exposed:
                self._exposed.remove(name)
        elif name not in self._exposed:
            self._exposed.append(name)
            scale = power_of_ten(ledger.decimals)
            words = f"about {exposure // scale} {ledger.currency} is held, the limit is about"
            self.act(code, ledger.currency, f"{words} {most // scale}")

    def act(self, code: Code, subject: str, detail: str) -> None:
        """Record a tripped guard and carry out its action."""
        self._carry_out(self._order_manager.guards.action(code), code, subject, detail)

    def act_on_difference(self, subject: str, detail: str) -> None:
        """Engage the kill switch over a difference that nobody can explain, in any settings."""
        self._carry_out(Action.ENGAGE, Code.RECONCILIATION, subject, detail)

    def _carry_out(self, action: Action, code: Code, subject: str, detail: str) -> None:
        order_manager = self._order_manager
        order_manager.effects.append(
            GuardRecord(
                order_manager.now_ns, order_manager.tick_id, code, action.value, subject, detail
            )
        )
        if action is Action.ENGAGE:
            self._switch.engage(f"guard {code.value}", "guard")
        elif action is Action.REDUCE_ONLY:
            self._switch.set_reduce_only(f"guard {code.value}", "guard")
        elif action is Action.HALT:
            self._halt(f"guard {code.value}: {detail}")
            return
        if action is not Action.REFUSE:
            self.see_switch("guard")

    def _halt(self, why: str) -> None:
        """End the session: cancel what rests, and tell the strategy nothing more."""
        self.is_halted = True
        self.trigger = self.trigger or why
        self._order_manager.drop_targets()
        self.cancel_all(Code.CANCELLED_BY_GUARD)
        self._order_manager.news.clear()

    def see_switch(self, seen_at: str) -> None:
        """The flag changed: ask the authority, record it, and cancel what rests if engaged.

        `seen_at` is one of the words that `SwitchRecord` explains.
        """
        state = self._switch.authority()
        if state == self.seen:
            return
        self.seen = int(state)
        why = self._switch.why()
        if state == SwitchState.ENGAGED:
            self.trigger = self.trigger or f"kill switch: {why}"
        elif not self.is_halted:
            self.trigger = ""  # it was reset
        self._order_manager.effects.append(
            SwitchRecord(
                self._order_manager.now_ns,
                self._order_manager.tick_id,
                state.name,
                why,
                seen_at,
                self._order_manager.passed_count,
                self._switch.epoch,
            )
        )
        if state == SwitchState.ENGAGED:
            self._order_manager.drop_targets()
            self.cancel_all(Code.CANCELLED_BY_KILL_SWITCH)
            self._order_manager.news.clear()
        elif state == SwitchState.REDUCE_ONLY:
            self._cancel_increasing()

    def _cancel_increasing(self) -> None:
        """Cancel open orders that could grow a position, oldest kept first."""
        for instrument_state in self._order_manager.states.values():
            in_flight = 0
            for order in list(instrument_state.working):
                if order.reduce_only:
                    continue
                signed = order.sign * order.remaining
                position = instrument_state.inventory.position
                if why_closed(SwitchState.REDUCE_ONLY, signed, position, in_flight) is None:
                    in_flight += order.remaining
                else:
                    self._order_manager.cancel(order, Code.CANCELLED_BY_KILL_SWITCH)

    def warn_of_dust(self) -> None:
        """Warn of what is held and too little to be sold."""
        for symbol, state in self._order_manager.states.items():
            if state.dust:
                self._order_manager.warn(symbol, "DUST", dust_in_words(state))

    def block(self, symbol: str) -> None:
        """Keep the strategy from this tick; the session ends here if it is to halt."""
        self.blocked_count += 1
        self.is_halted = self._halt_on_engage
        self._order_manager.effects.append(
            BlockedRecord(
                self._order_manager.now_ns,
                self._order_manager.tick_id,
                symbol,
                Code.KILL_SWITCH_ACTIVE,
            )
        )

    def cancel_all(self, code: Code) -> None:
        """Cancel every open order of every symbol; always allowed."""
        for instrument_state in self._order_manager.states.values():
            self.cancel_in(instrument_state, code)

    def suspend(self) -> None:
        """Cancel every open order but what the engine holds back: the session is to be resumed."""
        self.is_suspended = True
        for instrument_state in self._order_manager.states.values():
            warn_of_pause(self._order_manager, instrument_state)
            for order in list(instrument_state.working):
                if order.status is not OrderStatus.HELD:
                    self._order_manager.cancel(order, Code.CANCELLED_BY_OPERATOR)

    def cancel_in(self, instrument_state: InstrumentState, code: Code) -> None:
        """Cancel every open order of one symbol; always allowed."""
        lose_exits(self._order_manager, instrument_state, code)
        for order in list(instrument_state.working):
            self._order_manager.cancel(order, code)


def _fall_in_words(ledger: Ledger) -> str:
    """How far equity is below its high, and how far it may be."""
    track, money = ledger.track, ledger.decimals
    return (
        f"equity fell {format_units(track.high_water - track.equity, money)} {ledger.currency} "
        f"from its high of {format_units(track.high_water, money)}, "
        f"the limit is {format_units(ledger.drawdown_allowance, money)}"
    )


def _loss_in_words(ledger: Ledger) -> str:
    """What the UTC day has lost, and what it may lose."""
    money = ledger.decimals
    return (
        f"the day lost {format_units(ledger.day_start - ledger.equity, money)} {ledger.currency}, "
        f"the limit is {format_units(ledger.limits.daily_loss, money)}"
    )


def _silence_in_words(symbol: str, age_ns: int, limit_ns: int) -> str:
    """How old the last price of a symbol is, and how old it may be."""
    limit = to_decimal(limit_ns, 9).normalize()
    age_s = age_ns // NS_PER_SECOND
    return f"{symbol} has shown no price for {age_s} s, the limit is {limit:f} s"
