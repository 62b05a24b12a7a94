"""The simulated terminal on a hedging account, as MetaQuotes' documentation and CTrade say.

MQL5 book, "Closing a position: full and partial": the position to be closed must be named by its
ticket; with less volume than it has a part is closed. MQL5 reference, Position Properties:
POSITION_IDENTIFIER stays for a position's life and is that of its opening order, in each of its
deals as DEAL_POSITION_ID; POSITION_TICKET may change, as by swaps with re-opening.
"""

from __future__ import annotations

import json
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import Hand, coin, quiet

from logos.simulators.mt5.book import SimBook
from logos.simulators.mt5.faults import Fate
from logos.simulators.mt5.simulator import SimOptions, Simulator
from logos.simulators.mt5.wire import parse_request

SYMBOL = "BTCUSD.s"
WELL = Fate("", 0, False)


class Terminal:
    """A hedging terminal without sockets."""

    def __init__(self) -> None:
        self.audit: list[dict[str, Any]] = []
        options = SimOptions(is_hedging=True, has_ids=True)
        self.simulator = Simulator(
            {SYMBOL: quiet()}, options, lambda record: self.audit.append(dict(record)), Hand()
        )
        self.book = self.simulator.book
        self.simulator.terminal.price(SYMBOL, 10_000, 10_010)

    def trade(self, kind: str, volume: str = "0.30", **fields: Any) -> dict[str, Any]:
        text = {"action": "TRADE", "actionType": kind, "symbol": SYMBOL, "volume": volume, **fields}
        request = parse_request(json.dumps(text).encode())
        return dict(self.simulator.terminal.handle(request, WELL))

    def held(self) -> list[tuple[int, int]]:
        return [(each.ticket, each.volume_units) for each in self.book.holdings.open()]


def test_a_sale_opens_a_position_of_its_own_and_reduces_nothing() -> None:
    on = Terminal()
    bought = on.trade("ORDER_TYPE_BUY", comment="run-1", magic=7)
    sold = on.trade("ORDER_TYPE_SELL", "0.20")
    assert on.held() == [(bought["order"], 30), (sold["order"], -20)]
    assert on.book.holdings.net_units(SYMBOL) == 10
    assert [deal.entry for deal in on.book.deals] == [0, 0]


def test_a_close_names_its_ticket_and_its_deal_the_position() -> None:
    on = Terminal()
    first = on.trade("ORDER_TYPE_BUY")["order"]
    second = on.trade("ORDER_TYPE_BUY", "0.50")["order"]
    part = on.trade("POSITION_PARTIAL", "0.20", id=second, comment="run-3.2", magic=9)
    assert (part["retcode"], on.held()) == (10009, [(first, 30), (second, 30)])
    deal = on.book.deals[-1]
    assert (deal.position, deal.entry, deal.comment, deal.magic) == (second, 1, "run-3.2", 9)
    assert on.trade("POSITION_CLOSE_ID", id=first)["retcode"] == 10009
    assert on.held() == [(second, 30)]


@pytest.mark.parametrize(
    ("volume", "ticket", "retcode"), [("0.31", 1001, 10038), ("0.30", 4711, 10036)]
)
def test_more_than_is_held_and_what_is_not_there_cannot_be_closed(
    volume: str, ticket: int, retcode: int
) -> None:
    on = Terminal()
    on.trade("ORDER_TYPE_BUY")
    assert on.trade("POSITION_PARTIAL", volume, id=ticket)["retcode"] == retcode
    assert on.held() == [(1001, 30)]


def test_a_ticket_may_change_and_the_identifier_stays() -> None:
    on = Terminal()
    old = on.trade("ORDER_TYPE_BUY")["order"]
    on.book.charge_swap(old, -(10**18), reopens=True)
    [position] = on.book.holdings.open()
    assert (position.ticket != old, position.identifier) == (True, old)
    assert on.trade("POSITION_PARTIAL", "0.10", id=old)["retcode"] == 10036
    assert on.trade("POSITION_PARTIAL", "0.10", id=position.ticket)["retcode"] == 10009
    assert on.book.deals[-1].position == old
    assert on.book.deals[-1].swap == -(10**18) // 3, "a third of it, rounded down"


def test_a_stop_closes_its_own_position_and_its_deal_has_the_positions_magic() -> None:
    on = Terminal()
    on.trade("ORDER_TYPE_BUY", comment="run-1", magic=7, stoploss="99.00")
    other = on.trade("ORDER_TYPE_BUY", comment="run-2", magic=8)["order"]
    on.simulator.terminal.price(SYMBOL, 9_900, 9_910)
    assert on.held() == [(other, 30)]
    deal = on.book.deals[-1]
    assert (deal.position, deal.magic, deal.comment) == (1001, 7, "[sl 99.00]")


def test_each_position_is_listed_once_with_its_identifier_and_the_account_says_what_it_is() -> None:
    on = Terminal()
    on.trade("ORDER_TYPE_BUY")
    on.trade("ORDER_TYPE_SELL")
    answers = on.simulator.terminal._answers
    listed = answers.answer(parse_request(b'{"action": "POSITIONS"}'))["positions"]
    assert [(each["id"], each["identifier"]) for each in listed] == [(1001, 1001), (1003, 1003)]  # type: ignore[attr-defined]
    request = parse_request(b'{"action": "BALANCE"}')
    told = on.simulator._extension.complete(request, answers.answer(request), 0)
    assert told["margin_mode"] == "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING"


def test_the_books_are_made_again_from_the_audit() -> None:
    on = Terminal()
    on.trade("ORDER_TYPE_BUY")
    on.trade("ORDER_TYPE_SELL", "0.10")
    on.book.charge_swap(1001, -300, reopens=True)
    on.trade("POSITION_PARTIAL", "0.10", id=on.held()[0][0])
    again = SimBook({SYMBOL: coin()}, "100000", {}, lambda _: None, is_hedging=True)
    again.restore(on.audit)
    assert [(each.ticket, each.volume_units, each.swap) for each in again.holdings.open()] == [
        (each.ticket, each.volume_units, each.swap) for each in on.book.holdings.open()
    ]
    assert again.balance == on.book.balance
