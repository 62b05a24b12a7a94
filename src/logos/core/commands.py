"""Carries out operator commands: suspend, resume, pause and unpause a symbol, flatten, engage,
limit exposure.

A command takes effect at its place among the events and leaves a `CommandRecord`; `Engage` leaves
the record of the switch instead. It is no tick. What a command cancels or closes goes the same road
as what the strategy orders.
"""

from __future__ import annotations

from typing import Final, final

import msgspec

from logos.core.context import CoreContext
from logos.core.fixed import decimals_of, divide, parse_units, power_of_ten
from logos.core.flattener import Flattener
from logos.core.handlers.callbacks import Callbacks
from logos.core.messages import (
    Engage,
    Flatten,
    OperatorCommand,
    PauseSymbol,
    Reconcile,
    ResumeTrading,
    SetLimit,
    Suspend,
    UnpauseSymbol,
)
from logos.core.order_manager import OrderManager
from logos.core.pipeline import OrderPipeline
from logos.core.prices.sanity import release
from logos.core.records import CommandRecord
from logos.core.safety import SafetyMonitor
from logos.core.strategy import Strategy
from logos.core.types import Code
from logos.errors import InvariantBroken

_WORDS: Final[dict[type, str]] = {
    Suspend: "suspend",
    ResumeTrading: "resume",
    PauseSymbol: "pause",
    UnpauseSymbol: "unpause",
    Flatten: "flatten",
    Engage: "engage",
    Reconcile: "reconcile",
    SetLimit: "limit",
}
LIMIT: Final = "limit"
"""The word of the command that lowers or raises the limit of gross exposure."""
RECONCILED: Final = "reconcile"
"""The word of the command that a session finds among its recorded inputs, not in its journal."""
_OLD_WORDS: Final = {"close": "suspend", "open": "resume"}
"""Words that journals and command files of earlier versions hold."""


def command_word(command: OperatorCommand) -> str:
    """The word for the command in journals and command files. Raises InvariantBroken for none."""
    word = _WORDS.get(type(command))
    if word is None:
        raise InvariantBroken(f"an event of unknown type {type(command).__name__}")
    return word


def make_command(
    word: str, ts_ns: int, reason: str, by: str, symbol: str = "", amount: str = ""
) -> OperatorCommand:
    """The command that a journal or a command file calls `word`, at `ts_ns` (nanoseconds UTC).

    Raises ValueError for a word that is none.
    """
    word = _OLD_WORDS.get(word, word)
    if word == "suspend":
        return Suspend(ts_ns, reason, by)
    if word == "resume":
        return ResumeTrading(ts_ns, reason, by)
    if word == "pause":
        return PauseSymbol(ts_ns, reason, by, symbol)
    if word == "unpause":
        return UnpauseSymbol(ts_ns, reason, by, symbol)
    if word == "flatten":
        return Flatten(ts_ns, reason, by)
    if word == "engage":
        return Engage(ts_ns, reason, by)
    if word == LIMIT and amount:
        return SetLimit(ts_ns, reason, by, amount)
    raise ValueError(f"unknown command {word!r}; one of {', '.join(_WORDS.values())}")


def recorded_command(record: CommandRecord, ts_ns: int) -> OperatorCommand:
    """A command that a journal recorded, to be carried out again at `ts_ns` (nanoseconds UTC).

    Raises InvariantBroken for a record whose word is none.
    """
    try:
        amount = record.amount if isinstance(record.amount, str) else ""
        return make_command(record.action, ts_ns, record.reason, record.by, record.symbol, amount)
    except ValueError as error:
        raise InvariantBroken(str(error)) from None


def limit_gross(order_manager: OrderManager, amount: str) -> None:
    """Put a limit of gross exposure into force for every currency; `amount` is decimal text.

    Raises ValueError for what is no amount.
    """
    own = decimals_of(amount)
    for ledger in order_manager.account.ledgers:
        decimals = max(own, ledger.decimals)
        units = divide(
            parse_units(amount, decimals), power_of_ten(decimals - ledger.decimals), "down"
        )
        ledger.limits.limit_gross(units)


@final
class Commands:
    """Carries out the operator commands of one session."""

    __slots__ = (
        "_callbacks",
        "_context",
        "_order_manager",
        "_pipeline",
        "_safety",
        "_strategy",
        "flattener",
    )

    def __init__(
        self,
        order_manager: OrderManager,
        safety: SafetyMonitor,
        pipeline: OrderPipeline,
        context: CoreContext,
        callbacks: Callbacks,
        strategy: Strategy,
    ) -> None:
        self._order_manager = order_manager
        self._safety = safety
        self._pipeline = pipeline
        self._context = context
        self._callbacks = callbacks
        self._strategy = strategy
        self.flattener: Flattener | None = None
        """What took the strategy's place, once an operator wanted every position closed."""

    def carry_out(self, command: OperatorCommand) -> None:
        """Carry out one command at the order manager's present time.

        Raises KeyError for a symbol that has no instrument state, InvariantBroken for what is no
        command.
        """
        kind = type(command)
        if kind is Engage:
            self._order_manager.switch.engage(command.reason, command.by)
            self._safety.see_switch("command")
            return
        symbol = ""
        if isinstance(command, (PauseSymbol, UnpauseSymbol)):
            symbol = command.symbol
        if isinstance(command, Reconcile):
            self._reconcile(command)
            return
        if isinstance(command, SetLimit):
            limit_gross(self._order_manager, command.amount)
            self._record(command, "", command.amount)
            return
        self._record(command, symbol)
        if kind is Suspend:
            self._callbacks.ask_nobody()
            self._order_manager.drop_targets()
            self._safety.suspend()
        elif kind is ResumeTrading:
            self._safety.is_suspended = False
            self._callbacks.ask(self.flattener or self._strategy)
        elif kind is PauseSymbol:
            state = self._order_manager.states[symbol]
            state.is_paused = True
            self._order_manager.set_target(state, None)
            self._safety.cancel_in(state, Code.CANCELLED_BY_OPERATOR)
            if self._order_manager.news:
                self._pipeline.settle()  # the strategy hears what was cancelled
        elif kind is UnpauseSymbol:
            release(self._order_manager.states[symbol])
        else:
            self._flatten()

    def _record(self, command: OperatorCommand, symbol: str, amount: str = "") -> None:
        order_manager = self._order_manager
        record = CommandRecord(
            order_manager.now_ns,
            order_manager.tick_id,
            command_word(command),
            command.reason,
            command.by,
            symbol,
        )
        if amount:
            record = msgspec.structs.replace(record, amount=amount)
        order_manager.effects.append(record)

    def _reconcile(self, command: Reconcile) -> None:
        """A tick of its own, so that commands that follow it come behind it in a replay too."""
        order_manager = self._order_manager
        order_manager.tick_id += 1
        self._record(command, "")
        for name, amount in command.adjusted:
            words = f"{amount} {name} of the account is its owner's, not the session's"
            order_manager.warn("", "ADJUSTED", f"{words} (by {command.by}: {command.reason})")
        order_manager.is_ending = False
        self._safety.is_halted = False
        self._safety.is_suspended = True
        self._callbacks.ask_nobody()

    def _flatten(self) -> None:
        """Take the strategy's place: cancel what is open, close what is held, trade no more."""
        flattener = Flattener()
        self.flattener = flattener
        self._safety.is_suspended = False
        self._safety.is_flattening = True
        self._callbacks.ask(flattener)
        self._order_manager.drop_targets()
        self._safety.cancel_all(Code.CANCELLED_BY_OPERATOR)
        for state in self._order_manager.states.values():
            release(state)  # nothing but closing is done from here on
            self._pipeline.carry_out(state, flattener.close(self._context, state.instrument.symbol))
        self._pipeline.settle()
