"""What can be sent to a terminal, the request that sends it, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from logos.adapters.mt5.gateway.wire import ERRORS_BEFORE
from logos.adapters.mt5.known.ledger import Ledger, Sent
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.records import ACTION_TYPES, answered_ticket, price_units, volume_units
from logos.adapters.mt5.retcodes import PLACED, TAKEN, failure_of
from logos.core.fixed import format_units
from logos.core.instrument import Instrument
from logos.core.outbox import OrderTerms
from logos.core.types import OrderStatus, OrderType, TimeInForce
from logos.venues.contract import OutcomeUnknown, Refused, VenueOrder
from logos.venues.failures import order_error
from logos.venues.records import Unreadable

_WORDS_MAX: Final = 120


def symbol_of(symbols: Mapping[str, Mt5VenueSymbol], terms: OrderTerms) -> Mt5VenueSymbol:
    """The symbol of an order that can be sent. Raises Refused."""
    name = terms.symbol
    each = symbols.get(name)
    if each is None:
        raise Refused(f"{name} is not among the symbols of this venue")
    if (terms.side, terms.type) not in ACTION_TYPES:
        raise Refused(f"{name}: the bridge has no {terms.type.value} orders")
    is_waiting = terms.type is not OrderType.MARKET
    if terms.time_in_force is not TimeInForce.GTC and (
        is_waiting or terms.time_in_force is not TimeInForce.IOC
    ):
        raise Refused(
            f"{name}: {terms.type.value} orders cannot be {terms.time_in_force.value} here"
        )
    return each


def order_fields(terms: OrderTerms, terminal_symbol: str, sent: Sent) -> dict[str, object]:
    """The request of a new order, its numbers digit for digit."""
    instrument = terms.instrument
    price = terms.stop_price if terms.type is OrderType.STOP else terms.limit_price
    volume = format_units(terms.quantity, instrument.quantity_decimals)
    return {
        "action": "TRADE",
        "actionType": ACTION_TYPES[terms.side, terms.type],
        "symbol": terminal_symbol,
        "volume": msgspec.Raw(volume.encode()),
        "price": msgspec.Raw(instrument.price_text(price).encode()) if price else None,
        "comment": sent.comment,
        "magic": sent.magic,
    }


class Answer(msgspec.Struct, frozen=True):
    """What the terminal says of a request that was taken."""

    retcode: int
    ticket: str
    """Its order's."""
    is_ticket_whole: bool
    deal: str
    """Empty where it names none: orders that wait have none yet."""
    done_units: int


def read_answer(what: str, instrument: Instrument, reply: Mapping[str, Any]) -> Answer:
    """The answer to a trade, `what`. Raises Refused, NotSent or OutcomeUnknown, whichever it
    means."""
    retcode = reply.get("retcode")
    if type(retcode) is not int:
        words = str(reply.get("description", ""))[:_WORDS_MAX]
        raise OutcomeUnknown(f"{what}: the terminal failed without a return code: {words}")
    if not retcode and ERRORS_BEFORE in reply:
        # The Expert Advisor found an error and sent nothing to the broker.
        raise Refused(f"{what}: the terminal says {', '.join(reply[ERRORS_BEFORE])}")
    if retcode not in TAKEN:
        raise order_error(what, failure_of(retcode))
    try:
        ticket, is_whole = answered_ticket(reply)
        done_units = volume_units(reply.get("volume"), instrument)
    except Unreadable as error:
        raise OutcomeUnknown(
            f"{what}: it was taken, but its answer is unreadable: {error}"
        ) from None
    return Answer(retcode, ticket, is_whole, str(reply.get("deal") or ""), done_units)


def taken(
    ledger: Ledger, sent: Sent, instrument: Instrument, reply: Mapping[str, Any]
) -> VenueOrder:
    """The order after the terminal's answer to it. Raises as `read_answer`."""
    what = f"{sent.client_order_id} ({sent.symbol})"
    answer = read_answer(what, instrument, reply)
    ledger.learn_ticket(sent, answer.ticket, is_cut=not answer.is_ticket_whole)
    if sent.type is OrderType.MARKET and answer.retcode != PLACED:
        sent.answered_units = answer.done_units
        sent.answered_deal = answer.deal
        with suppress(Unreadable):  # a mean price is on no tick: then it says nothing
            sent.answered_price_units = price_units(reply.get("price"), instrument)
    # A deal's number says that it was done: orders that wait have none yet.
    if sent.type is not OrderType.MARKET or not answer.deal:
        return sent.told(0, OrderStatus.ACCEPTED)
    if answer.done_units >= sent.quantity_units:
        return sent.told(sent.quantity_units, OrderStatus.FILLED)
    return sent.told(answer.done_units, OrderStatus.CANCELLED, f"{answer.retcode}: filled in part")
