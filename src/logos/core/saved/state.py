"""The whole state of a core as plain data, and back: so that a session need not begin anew.

Which attributes that takes stands in `table`.

`save_core` reads a core between two events; `restore_core` puts that into a fresh core of the same
settings, in place: what is shared (a wallet of many symbols, an order in two lists) stays shared.

This module stays interpreted: it runs every few seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from logos.core.engine import TradingCore
from logos.core.handlers.agenda import Agenda
from logos.core.handlers.events import OrderEvent, Timer
from logos.core.instrument_state import InstrumentState
from logos.core.inventory import Lot
from logos.core.orders import Order, OrderIntent, StandingTarget
from logos.core.records import PaperFillRecord
from logos.core.saved.bars import restore_bars, save_bars
from logos.core.saved.table import TABLE
from logos.core.strategy import Replace, Target, Weight
from logos.core.types import Code, OrderStatus, OrderType, Side, TimeInForce
from logos.errors import LogosError

_TIMES: Final = ("_order_times_ns", "_refusal_times_ns")

State = dict[str, Any]
"""JSON data: tables, lists, text, whole numbers of any size, floats, flags, None."""


class NotThisCore(LogosError):
    """A state that does not fit the core it was to be put into."""


def is_savable(core: TradingCore) -> bool:
    """Whether the core is at rest: its records and requests taken, not halted, not flattening."""
    order_manager = core.order_manager
    outbox = order_manager.outbox
    return not (
        order_manager.effects
        or core.is_halted
        or core.is_suspended
        or core.is_flattening
        or (outbox is not None and _get(outbox, "_requests"))
    )


def save_core(core: TradingCore) -> State:
    """All that a fresh core of the same settings needs to go on from here.

    Raises ValueError unless the core `is_savable`.
    """
    if not is_savable(core):
        raise ValueError("the core is not at rest: take its effects and requests first")
    order_manager = core.order_manager
    account = order_manager.account
    orders = [
        order
        for instrument_state in order_manager.states.values()
        for order in instrument_state.working
    ] + order_manager.replaced
    random_state = _get(core, "_context").random.getstate()
    return {
        "time": _saved(_get(core, "timekeeper")),
        "agenda": _save_agenda(_get(core, "_agenda")),
        "notes": _saved(_get(core, "_notes")),
        "order_manager": _saved(order_manager),
        "guards": {
            **_saved(order_manager.guards),
            **{name: list(_get(order_manager.guards, name)) for name in _TIMES},
        },
        "safety": _saved(_get(core, "_safety")),
        "market": _saved(_get(core, "_market")),
        "bars": None if _book(core) is None else save_bars(_book(core), _saved),
        "payments": _saved(_get(core, "timekeeper").payments),
        "random": [random_state[0], list(random_state[1]), random_state[2]],
        "wallets": {wallet.asset: _saved(wallet) for wallet in account.wallets},
        "ledgers": {
            ledger.currency: {**_saved(ledger), "track": _saved(ledger.track)}
            for ledger in account.ledgers
        },
        "total": None if account.total is None else _saved(account.total),
        "states": {
            symbol: _save_book(instrument_state)
            for symbol, instrument_state in order_manager.states.items()
        },
        "orders": [_save_order(order) for order in orders],
        "replaced": [order.order_id for order in order_manager.replaced],
        "targeted": [state.instrument.symbol for state in order_manager.targeted],
        "news": msgspec.to_builtins(order_manager.news),
    }


def restore_core(core: TradingCore, state: State) -> None:
    """Put what `save_core` gave into a fresh core of the same settings.

    Raises NotThisCore when it does not fit; the core is of no use then.
    """
    try:
        _restore(core, state)
    except (LookupError, TypeError, ValueError, AttributeError, msgspec.ValidationError) as error:
        raise NotThisCore(f"{type(error).__name__}: {error}") from None


def load_strategy(core: TradingCore, state: State) -> None:
    """Have the core's strategy, made anew, take over what it saved. Raises what its `load` does."""
    core.strategy.load(_get(core, "_context"), state)


def _restore(core: TradingCore, state: State) -> None:
    order_manager = core.order_manager
    account = order_manager.account
    _put(_get(core, "timekeeper"), state["time"])
    _restore_agenda(_get(core, "_agenda"), dict(state["agenda"]))
    _put(_get(core, "_notes"), state["notes"])
    _put(order_manager, state["order_manager"])
    guards = dict(state["guards"])
    for name in _TIMES:
        _set(order_manager.guards, name, list(guards.pop(name)))
    _put(order_manager.guards, guards)
    _put(_get(core, "_safety"), state["safety"])
    _put(_get(core, "_market"), state["market"])
    book, bars = _book(core), state["bars"]
    if (book is None) != (bars is None):
        raise ValueError("bars in one of them only")
    if book is not None:
        restore_bars(book, bars, _put)
        _get(core, "_callbacks").find_due()
    _put(_get(core, "timekeeper").payments, state["payments"])
    version, words, gauss_next = state["random"]
    _get(core, "_context").random.setstate((version, tuple(words), gauss_next))
    _same(state["wallets"], [wallet.asset for wallet in account.wallets])
    for wallet in account.wallets:
        _put(wallet, state["wallets"][wallet.asset])
    _same(state["ledgers"], [ledger.currency for ledger in account.ledgers])
    for ledger in account.ledgers:
        fields = dict(state["ledgers"][ledger.currency])
        _put(ledger.track, fields.pop("track"))
        _put(ledger, fields)
    if (account.total is None) != (state["total"] is None):
        raise ValueError("a total in one of them only")
    if account.total is not None:
        _put(account.total, state["total"])
    _same(state["states"], order_manager.states)
    orders = {fields["order_id"]: _restore_order(core, dict(fields)) for fields in state["orders"]}
    for symbol, instrument_state in order_manager.states.items():
        _restore_book(instrument_state, dict(state["states"][symbol]), orders)
    order_manager.replaced = [orders[order_id] for order_id in state["replaced"]]
    order_manager.targeted = [order_manager.states[symbol] for symbol in state["targeted"]]
    order_manager.news = msgspec.convert(state["news"], list[PaperFillRecord | OrderEvent])
    if order_manager.outbox is not None:
        order_manager.outbox.open = {
            order.client_order_id: order
            for order in orders.values()
            if order.is_open and order.status is not OrderStatus.HELD
        }


def _book(core: TradingCore) -> Any:
    return core.book


# ---- timers and hours ----


def _save_agenda(agenda: Agenda) -> State:
    hours = {**_saved(agenda.hours), "is_open": dict(agenda.hours.is_open)}
    return {**_saved(agenda), "hours": hours, "timers": msgspec.to_builtins(agenda.timers)}


def _restore_agenda(agenda: Agenda, state: State) -> None:
    hours = dict(state.pop("hours"))
    agenda.hours.is_open = dict(hours.pop("is_open"))
    _put(agenda.hours, hours)
    agenda.timers = msgspec.convert(state.pop("timers"), list[Timer])
    _put(agenda, state)


# ---- instrument states ----


def _save_book(instrument_state: InstrumentState) -> State:
    inventory = instrument_state.inventory
    return {
        **_saved(instrument_state),
        "bars": _saved(instrument_state.bars),
        "watch": _saved(instrument_state.watch),
        "working": [order.order_id for order in instrument_state.working],
        "target": None
        if instrument_state.target is None
        else _save_target(instrument_state.target),
        "recent_orders": [
            [*[_plain(part) for part in shape], made_ns]
            for shape, made_ns in instrument_state.recent_orders.items()
        ],
        "inventory": {**_saved(inventory), "lots": [_saved(lot) for lot in inventory.lots()]},
    }


def _restore_book(
    instrument_state: InstrumentState, state: State, orders: dict[int, Order]
) -> None:
    instrument_state.working = [orders[order_id] for order_id in state.pop("working")]
    instrument_state.recent_orders = {
        _shape(*shape): made_ns for *shape, made_ns in state.pop("recent_orders")
    }
    _put(instrument_state.bars, state.pop("bars"))
    _put(instrument_state.watch, state.pop("watch"))
    target = state.pop("target")
    instrument_state.target = None if target is None else _restore_target(target)
    inventory = dict(state.pop("inventory"))
    lots = []
    for saved in inventory.pop("lots"):
        lot = Lot(saved["lot_id"], saved["quantity"], saved["price"], saved["fee"], 0)
        _put(lot, saved)
        lots.append(lot)
    _set(instrument_state.inventory, "_lots", lots)
    _put(instrument_state.inventory, inventory)
    _put(instrument_state, state)


def _shape(
    side: str, type_: str, quantity: int, limit_price: int, stop_price: int, lifetime: str
) -> tuple[object, ...]:
    """What `orders.order_shape` makes."""
    words = (Side(side), OrderType(type_)), TimeInForce(lifetime)
    return (*words[0], quantity, limit_price, stop_price, words[1])


# ---- orders ----


def _save_order(order: Order) -> State:
    return {
        **_saved(order),
        "symbol": order.instrument.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "time_in_force": order.time_in_force.value,
        "status": order.status.value,
        "reason": _plain(order.reason),
        "cancel_code": order.cancel_code.value,
        "replacement": None if order.replacement is None else _save_numbers(order.replacement),
    }


def _restore_order(core: TradingCore, state: State) -> Order:
    intent = OrderIntent(
        core.order_manager.states[state.pop("symbol")].instrument,
        Side(state.pop("side")),
        state["quantity"],
        OrderType(state.pop("type")),
        state["limit_price"],
        state["stop_price"],
        TimeInForce(state.pop("time_in_force")),
        state["reference_price"],
        state["notes"],
        state["tag"],
    )
    order = Order(
        state["order_id"],
        state["client_order_id"],
        intent,
        state["created_ns"],
        state["arrival_ns"],
        state["tick_id"],
        state["locked"],
        state["judged_price"],
    )
    order.status = OrderStatus(state.pop("status"))
    reason = state.pop("reason")
    order.reason = None if reason is None else Code(reason)
    order.cancel_code = Code(state.pop("cancel_code"))
    replacement = state.pop("replacement")
    order.replacement = None if replacement is None else Replace(**_restore_numbers(replacement))
    _put(order, state)
    return order


def _save_target(target: StandingTarget) -> State:
    request = target.request
    return {
        **_saved(target),
        "code": _plain(target.code),
        "request": {type(request).__name__: _save_numbers(request)},
    }


def _restore_target(state: State) -> StandingTarget:
    ((name, fields),) = state.pop("request").items()
    kind: Any = {"Target": Target, "Weight": Weight}[name]
    target = StandingTarget(kind(**_restore_numbers(fields)))
    code = state.pop("code")
    target.code = None if code is None else Code(code)
    _put(target, state)
    return target


def _save_numbers(request: Replace | Target | Weight) -> State:
    """A number keeps its kind: text and Decimal are read alike, but not written alike."""
    return {
        name: {"decimal": str(value)} if isinstance(value, Decimal) else value
        for name, value in msgspec.structs.asdict(request).items()
    }


def _restore_numbers(state: State) -> dict[str, Any]:
    return {
        name: Decimal(value["decimal"]) if isinstance(value, dict) else value
        for name, value in state.items()
    }


# ---- attributes ----


def _get(part: object, name: str) -> Any:
    """An attribute of the core's own; some are private to all but this module."""
    return getattr(part, name)


def _set(part: object, name: str, value: object) -> None:
    setattr(part, name, value)


def _saved(part: object) -> State:
    return {name: getattr(part, name) for name in TABLE[type(part)].saved}


def _put(part: object, state: State) -> None:
    """Set exactly the attributes that `_saved` reads."""
    _same(state, TABLE[type(part)].saved)
    for name, value in state.items():
        setattr(part, name, value)


def _same(found: Iterable[str], expected: Iterable[str]) -> None:
    if set(found) != set(expected):
        raise ValueError(f"{sorted(set(found) ^ set(expected))} in one of them only")


def _plain(value: object) -> object:
    return (
        cast(Any, value).value if isinstance(value, (Code, Side, OrderType, TimeInForce)) else value
    )
