"""The judge's rule on tickets, on evidence of a hedging account made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from stress_evidence import BTC, evidence, put

from logos.cli.main import main
from logos.stress.ticket_rules import check_tickets


def request(name: str, ts_ns: int, volume: str, closes: int = 0) -> Any:
    return {"client_id": name, "symbol": BTC, "ts_ns": ts_ns, "id": closes, "volume": volume}


def recorded(order: str, number: int, ts_ns: int, units: int, closes: str = "") -> Any:
    return {
        "order": order, "number": number, "symbol": BTC, "side": "SELL" if closes else "BUY",
        "units": units, "closes": closes, "ts_ns": ts_ns,
    }  # fmt: skip


def deal(ticket: int, position: int, is_buy: bool, volume: str, entry: int) -> Any:
    return {
        "ticket": ticket, "position": position, "symbol": BTC, "is_buy": is_buy, "volume": volume,
        "entry": entry, "time_s": 7 + ticket // 10, "comment": "",
    }  # fmt: skip


def hedging() -> Any:
    """Two positions are opened, and an order closes the first and a part of the second."""
    made = evidence()
    made.plan = msgspec.structs.replace(made.plan, is_hedging=True)
    made.requests = [
        request("s-1", 10, "0.02"), request("s-2", 20, "0.03"),
        request("s-3", 30, "0.02", 1001), request("s-3.2", 40, "0.01", 1002),
    ]  # fmt: skip
    made.tickets = [
        recorded("s-1", 1, 9, 2), {"order": "s-1", "number": 1, "outcome": "done", "done_units": 2},
        recorded("s-2", 1, 19, 3), recorded("s-3", 1, 29, 2, "1001"),
        recorded("s-3", 2, 39, 1, "1002"),
    ]  # fmt: skip
    made.deals = [
        deal(10, 1001, True, "0.02", 0), deal(20, 1002, True, "0.03", 0),
        deal(30, 1001, False, "0.02", 1), deal(40, 1002, False, "0.01", 1),
    ]  # fmt: skip
    return made


def test_what_was_recorded_sent_and_dealt_as_it_must_be_passes() -> None:
    what, problems = check_tickets(hedging())
    assert problems == []
    assert what == (
        "4 requests recorded, 4 at the simulator; 2 positions opened, 2 times closed, whole or "
        "in part"
    )


CHANGES: list[tuple[Callable[[Any], object], str]] = [
    (lambda e: e.tickets.pop(3), "s-3 was sent, and not recorded"),
    (lambda e: e.tickets.append(e.tickets[0]), "s-1 was recorded 2 times"),
    (lambda e: e.requests.append(e.requests[3]), "s-3.2 was sent 2 times"),
    (lambda e: put(e.tickets[3], ts_ns=31), "s-3 was recorded after it was sent"),
    (
        lambda e: put(e.requests[3], id=1001),
        "s-3.2 asked for 0.01 of ticket 1001 in BTC.s, recorded is 0.01 of ticket 1002 in BTC.s",
    ),
    (
        lambda e: put(e.requests[0], volume="0.03"),
        "s-1 asked for 0.03 to open in BTC.s, recorded is 0.02 to open in BTC.s",
    ),
    (
        lambda e: put(e.deals[3], position=7),
        "deal 40 closed position 7, which the session does not hold",
    ),
    (
        lambda e: put(e.deals[2], position=1002),
        "deal 30 closed position 1002 before the older 1001",
    ),
    (lambda e: put(e.deals[1], is_buy=False), "deal 20: both sides of BTC.s are open"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_each_thing_that_is_otherwise_is_said(change: Callable[[Any], object], words: str) -> None:
    each = hedging()
    change(each)
    assert words in check_tickets(each)[1]


def test_the_published_expert_advisor_cannot_hedge_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["stress", "--hedging", "--ea", "published", "--signals", "1"]) == 2
    assert "--hedging needs logos' own Expert Advisor" in capsys.readouterr().err
