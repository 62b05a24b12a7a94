"""The simulated terminal speaks the table of docs/MT5.md, "Our own Expert Advisor"."""

from __future__ import annotations

import asyncio
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mql_reader import protocol_rows
from mt5_helpers import CALM, an_order, bench, coin, quiet, trade
from places import PROJECT

from logos.simulators.mt5.simulator import SimOptions
from logos.simulators.mt5.wire import RequestError, parse_request

ROWS = protocol_rows((PROJECT / "docs" / "MT5.md").read_text(encoding="utf-8"))
QUESTIONS = [
    row for row in ROWS if row[0] and row[0][0] not in ("CONFIG", "RESET", "TRADE") and row[2]
]
SYMBOL = "A.s"
Row = tuple[list[str], list[str], list[str]]


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: "-".join(row[0]))
def test_each_answer_has_every_field_of_the_table(
    row: tuple[list[str], list[str], list[str]],
) -> None:
    (action, *kind), _, fields = row

    async def scenario() -> dict[str, Any]:
        async with bench(SimOptions(has_ids=True), quiet(SYMBOL), settings=CALM) as box:
            order = an_order(coin(SYMBOL), name="run-1")
            await box.gateway.request(SYMBOL, trade(SYMBOL, "run-1"), order)
            waiting = {**trade(SYMBOL, "run-2", "BUY_LIMIT"), "price": 50}
            await box.gateway.request(SYMBOL, waiting, an_order(coin(SYMBOL), name="run-2"))
            asked: dict[str, object] = {"action": action, "symbol": SYMBOL, "chartTF": "M1"}
            if kind:
                asked["actionType"] = kind[0]
            return await box.gateway.request("", asked)

    reply = asyncio.run(scenario())
    assert reply["error"] is False
    entries = reply.get(fields[0])
    found = set(reply)
    if isinstance(entries, list) and entries and isinstance(entries[0], dict):
        found |= set(entries[0])
    assert set(fields) <= found


def test_the_answer_to_a_trade_has_every_field_of_the_table() -> None:
    [fields] = [writes for names, _, writes in ROWS if names == ["TRADE", "ORDER_TYPE_BUY"]]

    async def scenario() -> dict[str, Any]:
        async with bench(SimOptions(has_ids=True), quiet(SYMBOL), settings=CALM) as box:
            order = an_order(coin(SYMBOL), name="run-1")
            return await box.gateway.request(SYMBOL, trade(SYMBOL, "run-1"), order)

    assert set(fields) | {"error", "comment", "rid"} <= set(asyncio.run(scenario()))


@pytest.mark.parametrize(("written", "whole"), [("1.9", 1), ("0", 0), ("7", 7)])
def test_a_moment_with_a_fraction_is_its_whole_second(written: str, whole: int) -> None:
    """ejtraderMT 1.0.5 writes `fromDate` so; a ticket with a fraction is refused as before."""
    request = parse_request(b'{"action":"HISTORY","fromDate":%s}' % written.encode())
    assert request.from_s == whole
    with pytest.raises(RequestError, match="id is not a whole number"):
        parse_request(b'{"action":"TRADE","id":1.5}')


def test_a_fill_is_told_by_itself_as_the_history_lists_it() -> None:
    async def scenario(has_ids: bool) -> tuple[Any, Any]:
        async with bench(SimOptions(has_ids=has_ids), quiet(SYMBOL), settings=CALM) as box:
            order = an_order(coin(SYMBOL), name="run-1")
            await box.gateway.request(SYMBOL, trade(SYMBOL, "run-1"), order)
            frame = await box.gateway.next_transaction(5.0)
            asked = {"action": "HISTORY", "actionType": "TRADES", "fromDate": 0}
            listed = await box.gateway.request("", asked)
            assert frame is not None
            return frame.get("deal"), listed["trades"]

    deal, listed = asyncio.run(scenario(has_ids=True))
    assert [deal] == listed
    assert asyncio.run(scenario(has_ids=False))[0] is None
