"""The rule on tickets: at a hedging account positions are closed by name, the session's own alone.

The session's record of its requests (`SESSION.tickets.jsonl`) is held against what the simulator
read, and the simulator's deals, position by position, against the order in which they may be
closed. On a netting account there is nothing to close by ticket, and nothing may have been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from logos.adapters.mt5.tickets.legs import OPENS, leg_comment, order_comment
from logos.core.fixed import to_decimal
from logos.stress.evidence import Evidence, Record

_ENTRY_IN: Final = 0
"""DEAL_ENTRY_IN: the deal opened a position."""


def check_tickets(evidence: Evidence) -> tuple[str, list[str]]:
    """Each request was recorded before it was read, and came once, as it was recorded. Each close
    is of the oldest position of its symbol that the session holds, and never are both sides of a
    symbol open."""
    if not evidence.plan.is_hedging:
        names = [each["client_id"] for each in evidence.requests]
        numbered = [name for name in names if order_comment(name) != name]
        numbered += [each["client_id"] for each in evidence.requests if each.get("id")]
        words = "is a request by ticket, and the account is a netting one"
        return "a netting account", [f"{name} {words}" for name in dict.fromkeys(numbered)]
    recorded = {
        leg_comment(each["order"], each["number"]): each
        for each in evidence.tickets
        if "symbol" in each
    }
    problems = [*_as_recorded(evidence, recorded), *_as_dealt(evidence)]
    closes = sum(deal["entry"] != _ENTRY_IN for deal in evidence.deals)
    return (
        f"{len(recorded)} requests recorded, {len(evidence.requests)} at the simulator; "
        f"{len(evidence.deals) - closes} positions opened, {closes} times closed, whole or in part",
        problems,
    )


def _as_recorded(evidence: Evidence, recorded: dict[str, Record]) -> Iterator[str]:
    """What is wrong with the record, and with requests against it."""
    numbers = Counter(
        leg_comment(each["order"], each["number"]) for each in evidence.tickets if "symbol" in each
    )
    sent = Counter(each["client_id"] for each in evidence.requests)
    for what, counts in (("recorded", numbers), ("sent", sent)):
        yield from (f"{name} was {what} {n} times" for name, n in counts.items() if n > 1)
    for request in evidence.requests:
        name, record = request["client_id"], recorded.get(request["client_id"])
        if record is None:
            yield f"{name} was sent, and not recorded"
            continue
        if record["ts_ns"] > request["ts_ns"]:
            yield f"{name} was recorded after it was sent"
        decimals = evidence.quantity_decimals(record["symbol"])
        volume = to_decimal(record["units"], decimals)
        meant = (record["symbol"], record["closes"], volume)
        ticket = str(request["id"]) if request["id"] else OPENS
        asked = (request["symbol"], ticket, Decimal(str(request["volume"])))
        if meant != asked:
            yield f"{name} asked for {_words(*asked)}, recorded is {_words(*meant)}"


def _words(symbol: str, ticket: str, volume: Decimal) -> str:
    what = f"{volume} of ticket {ticket}" if ticket else f"{volume} to open"
    return f"{what} in {symbol}"


class _Position:
    """A position of the session, followed through the simulator's deals; long above 0."""

    __slots__ = ("name", "symbol", "time_s", "volume")

    def __init__(self, deal: Record) -> None:
        self.name = int(deal["position"])
        self.symbol = str(deal["symbol"])
        self.time_s = int(deal["time_s"])
        self.volume = Decimal(0)


def _as_dealt(evidence: Evidence) -> Iterator[str]:
    """What is wrong with positions, deal by deal."""
    held: dict[int, _Position] = {}
    for deal in evidence.deals:
        name, ticket = int(deal["position"]), deal["ticket"]
        if deal["entry"] == _ENTRY_IN:
            held.setdefault(name, _Position(deal))
        elif name not in held:
            yield f"deal {ticket} closed position {name}, which the session does not hold"
            continue
        else:
            older = [
                each.name
                for each in held.values()
                if each.symbol == deal["symbol"]
                and (each.time_s, each.name) < (held[name].time_s, name)
            ]
            if older:
                yield f"deal {ticket} closed position {name} before the older {older[0]}"
        volume = Decimal(deal["volume"])
        held[name].volume += volume if deal["is_buy"] else -volume
        if not held[name].volume:
            del held[name]
        sides = {each.volume > 0 for each in held.values() if each.symbol == deal["symbol"]}
        if len(sides) > 1:
            yield f"deal {ticket}: both sides of {deal['symbol']} are open"
