"""Carries out operator commands: suspend, resume, pause and unpause a symbol, flatten, engage.

A command takes effect at its place among the events and leaves a `CommandRecord`; `Engage` leaves
the record of the switch instead. It is no tick. What a command cancels or closes goes the same road
as what the strategy orders.
"""

from __future__ import annotations

from typing import Any, Final, final

from logos.core.bars.book import BarBook
from logos.core.bars.keeper import BarKeeper
from logos.core.context import CoreContext
from logos.core.flattener import Flattener
from logos.core.messages import (
    Engage,
    Flatten,
    MarketEvent,
    OperatorCommand,
    PauseSymbol,
    ResumeTrading,
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
}
_OLD_WORDS: Final = {"close": "suspend", "open": "resume"}
"""Words that journals and command files of earlier versions hold."""


def command_word(command: OperatorCommand) -> str:
    """The word for the command in journals and command files. Raises InvariantBroken for none."""
    word = _WORDS.get(type(command))
    if word is None:
        raise InvariantBroken(f"an event of unknown type {type(command).__name__}")
    return word


def make_command(word: str, ts_ns: int, reason: str, by: str, symbol: str = "") -> OperatorCommand:
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
    raise ValueError(f"unknown command {word!r}; one of {', '.join(_WORDS.values())}")


def recorded_command(record: CommandRecord, ts_ns: int) -> OperatorCommand:
    """A command that a journal recorded, to be carried out again at `ts_ns` (nanoseconds UTC).

    Raises InvariantBroken for a record whose word is none.
    """
    try:
        return make_command(record.action, ts_ns, record.reason, record.by, record.symbol)
    except ValueError as error:
        raise InvariantBroken(str(error)) from None


@final
class Callbacks:
    """The method to call for each kind of market event; None: nobody is asked about it.

    A method that the strategy does not override is not called: most hear one kind of event.
    """

    __slots__ = ("_keeper", "_order_manager", "_strategy", "on_bar", "on_quote", "on_trade")

    def __init__(
        self, order_manager: OrderManager, strategy: Strategy, keeper: BarKeeper | None
    ) -> None:
        """`keeper` makes the bars that the session's `strategy` asks for; None: it needs none."""
        self._order_manager = order_manager
        self._strategy = strategy
        self._keeper = keeper
        self.on_quote: Any = None
        self.on_trade: Any = None
        self.on_bar: Any = None
        self.ask(strategy)

    def ask(self, strategy: Strategy) -> None:
        """From now on, ask `strategy` about every event and fill that it has a method for."""
        kind = type(strategy)
        self.on_quote = None if kind.on_quote is Strategy.on_quote else strategy.on_quote
        self.on_trade = None if kind.on_trade is Strategy.on_trade else strategy.on_trade
        self.on_bar = None if kind.on_bar is Strategy.on_bar else strategy.on_bar
        self._order_manager.wants_fills = kind.on_fill is not Strategy.on_fill
        if self._keeper is not None and strategy is self._strategy:
            self._keep(self._keeper)

    def begin(self, ts_ns: int) -> None:
        """The session begins at `ts_ns`."""
        if self._keeper is not None:
            self._keeper.begin(ts_ns)

    def see(self, event: MarketEvent) -> None:
        """An event about which nobody is asked; bars are made of it all the same."""
        if self._keeper is not None:
            self._keeper.see(event)

    def see_time(self, now_ns: int) -> None:
        """Time has come to `now_ns`, and bars may be closed by that."""
        if self._keeper is not None:
            self._keeper.see_time(now_ns)

    @property
    def book(self) -> BarBook | None:
        """The session's bars; None: it makes none."""
        return None if self._keeper is None else self._keeper.book

    def find_due(self) -> None:
        """Work out anew when which bar ends, after the bars were put in place."""
        if self._keeper is not None:
            self._keeper.find_due()

    def _keep(self, keeper: BarKeeper) -> None:
        """Let the keeper of bars hear everything, and ask those that were to be asked."""
        keeper.ask(self.on_quote, self.on_trade, self.on_bar)
        self.on_bar = keeper.on_bar
        if keeper.needs_ticks:
            self.on_quote = keeper.on_quote
            self.on_trade = keeper.on_trade

    def ask_nobody(self) -> None:
        """From now on, ask nobody; fills that nobody was asked about yet are dropped."""
        self.on_quote = self.on_trade = self.on_bar = None
        self._order_manager.wants_fills = False
        self._order_manager.fills.clear()
        if self._keeper is not None:
            self._keep(self._keeper)


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
        "is_suspended",
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
        self.is_suspended: bool = False
        """Whether nobody is asked about events, because an operator suspended the session."""

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
        self._record(command, symbol)
        if kind is Suspend:
            self.is_suspended = True
            self._callbacks.ask_nobody()
            self._order_manager.drop_targets()
            self._safety.suspend()
        elif kind is ResumeTrading:
            self.is_suspended = self._safety.is_suspended = False
            self._callbacks.ask(self.flattener or self._strategy)
        elif kind is PauseSymbol:
            state = self._order_manager.states[symbol]
            state.is_paused = True
            self._order_manager.set_target(state, None)
            self._safety.cancel_in(state, Code.CANCELLED_BY_OPERATOR)
        elif kind is UnpauseSymbol:
            release(self._order_manager.states[symbol])
        else:
            self._flatten()

    def _record(self, command: OperatorCommand, symbol: str) -> None:
        order_manager = self._order_manager
        order_manager.effects.append(
            CommandRecord(
                order_manager.now_ns,
                order_manager.tick_id,
                command_word(command),
                command.reason,
                command.by,
                symbol,
            )
        )

    def _flatten(self) -> None:
        """Take the strategy's place: cancel what is open, close what is held, trade no more."""
        flattener = Flattener()
        self.flattener = flattener
        self.is_suspended = self._safety.is_suspended = False
        self._safety.is_flattening = True
        self._callbacks.ask(flattener)
        self._order_manager.drop_targets()
        self._safety.cancel_all(Code.CANCELLED_BY_OPERATOR)
        for state in self._order_manager.states.values():
            release(state)  # nothing but closing is done from here on
            self._pipeline.carry_out(state, flattener.close(self._context, state.instrument.symbol))
        self._pipeline.settle()
