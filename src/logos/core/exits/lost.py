"""Exits that the engine holds protect as long as its process lives: what to say when that ends.

The words are for people: which exits there are, which end, and what is held without them then.
"""

from __future__ import annotations

from collections.abc import Iterable

from logos.core.instrument_state import InstrumentState
from logos.core.order_manager import OrderManager
from logos.core.orders import Order
from logos.core.types import Code, OrderStatus

ENDS_WITH_PROCESS = "protection ends with this process"


def held_exits(state: InstrumentState) -> list[Order]:
    """The exits of a symbol that the engine holds back from a real venue, oldest first."""
    if state.exit_orders == 0:
        return []
    return [
        order for order in state.working if order.status is OrderStatus.HELD and order.reduce_only
    ]


def lose_exits(order_manager: OrderManager, state: InstrumentState, code: Code) -> None:
    """Say that the held exits of the symbol are about to be cancelled, all at once."""
    exits = held_exits(state)
    if not exits:
        return
    state.lost_exits = len(exits)
    words = f"{_named(exits)} cancelled ({code.value}); {_position(state)} is left unprotected"
    order_manager.warn(state.instrument.symbol, "PROTECTION_ENDS", words)


def warn_of_pause(order_manager: OrderManager, state: InstrumentState) -> None:
    """Say that the held exits of the symbol do not work until the session is resumed."""
    exits = held_exits(state)
    if not exits:
        return
    words = f"{ENDS_WITH_PROCESS}: {_named(exits)} of {_position(state)}; resumed, they stand again"
    order_manager.warn(state.instrument.symbol, "PROTECTION_ENDS", words)


def protection_words(states: Iterable[InstrumentState]) -> str:
    """How many exits are held now, and for what; "" where none is, and none was lost."""
    held: list[str] = []
    lost: list[str] = []
    count = 0
    for state in states:
        exits = held_exits(state)
        count += len(exits)
        if exits:
            held.append(_position(state))
        elif state.lost_exits and not state.is_flat:
            lost.append(f"{_position(state)} ({_counted(state.lost_exits)})")
    words: list[str] = []
    if held:
        words.append(f"{ENDS_WITH_PROCESS}: {_counted(count)} of {', '.join(held)}")
    if lost:
        words.append(f"left unprotected, as its exits ended: {', '.join(lost)}")
    return "; ".join(words)


def _counted(count: int) -> str:
    return f"{count} held exit{'' if count == 1 else 's'}"


def _named(exits: list[Order]) -> str:
    numbers = ", ".join([str(order.order_id) for order in exits])
    return f"{_counted(len(exits))} (order{'' if len(exits) == 1 else 's'} {numbers})"


def _position(state: InstrumentState) -> str:
    instrument = state.instrument
    return f"{instrument.quantity_text(state.inventory.position)} {instrument.symbol}"
