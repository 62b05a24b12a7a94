"""The venue over MetaQuotes' Python package: what its calls, codes and blocking mean.

The contract suite (tests/venues) runs over it too; here is what only this adapter does.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_package import TIMEOUT, Package
from venue_native_box import NativeBox

from logos.adapters.mt5.native import NEVER_LEFT, NativeTerminal, exact
from logos.adapters.mt5.native_venue import load_package
from logos.config import Config, ConfigError, VenueName, VenueSettings, make_config
from logos.config.proved import unproved
from logos.core.outbox import SubmitOrder
from logos.execution.clock import SystemClock
from logos.session.connections import venue_of
from logos.venues.contract import NotSent, OutcomeUnknown, Unavailable


def story(tell: Callable[[NativeBox], Coroutine[Any, Any, None]], *, is_open: bool = True) -> None:
    async def whole() -> None:
        box = NativeBox()
        try:
            if is_open:
                await box.venue.open()
            await tell(box)
        finally:
            await box.venue.close()

    asyncio.run(whole())


def link_of(box: NativeBox) -> NativeTerminal:
    link: Any = box.venue
    return link._link  # type: ignore[no-any-return]


@pytest.mark.parametrize("code", [-1, -2, -3, -4, -5, -6, -7, -8, -10000, -10001, -10002, -10003,
                                  -10004, -10005])  # fmt: skip
def test_each_code_says_whether_an_order_left(code: int) -> None:
    """Every code of the documented table; only those that say so mean that nothing left."""

    async def tell(box: NativeBox) -> None:
        box.package.loses_trades, box.package.carries_out = code, False
        with pytest.raises(NotSent if code in NEVER_LEFT else OutcomeUnknown, match=str(code)):
            await box.submit(box.rest())

    story(tell)


def test_a_call_that_does_not_come_back_is_unknown_and_nothing_is_sent_behind_it() -> None:
    async def tell(box: NativeBox) -> None:
        go_on = threading.Event()
        link_of(box)._timeout_s = 0.05
        box.package.blocks = lambda: go_on.wait(10)
        with pytest.raises(OutcomeUnknown, match="did not answer within"):
            await box.submit(box.rest())
        with pytest.raises(Unavailable, match="an earlier call has not come back"):
            await box.venue.open_orders()
        go_on.set()
        link_of(box)._timeout_s = 5.0
        assert (await box.find()).client_order_id == "s-1-1"
        assert box.arrived() == ["s-1-1"]

    story(tell)


def test_the_gate_is_asked_once_nothing_else_is_called_and_keeps_the_order_back() -> None:
    async def tell(box: NativeBox) -> None:
        link = link_of(box)
        link.door.gate = lambda _: "the switch is engaged"
        with pytest.raises(NotSent, match="the switch is engaged"):
            await box.submit(box.rest())
        assert box.package.sent == []
        link.door.gate = lambda _: ""
        await box.submit(box.rest())
        link.door.gate = lambda _: "the switch is engaged"
        await box.cancel()  # cancels pass always

    story(tell)


def test_a_switch_thrown_while_the_price_is_asked_for_keeps_the_order_back() -> None:
    """The last look is in the step in which the order leaves, behind everything that can take
    time."""

    async def tell(box: NativeBox) -> None:
        link, priced = link_of(box), box.package.symbol_info_tick

        def slow(symbol: str) -> Any:
            link.door.gate = lambda _: "the switch is engaged"
            return priced(symbol)

        box.package.symbol_info_tick = slow  # type: ignore[method-assign]
        with pytest.raises(NotSent, match="the switch is engaged"):
            await box.submit(box.at_once())
        assert box.package.sent == []

    story(tell)


def test_a_switch_that_was_reset_again_meanwhile_keeps_the_order_back_too() -> None:
    async def tell(box: NativeBox) -> None:
        epochs, priced = [1], box.package.symbol_info_tick
        link_of(box).door.epoch = lambda: epochs[0]

        def slow(symbol: str) -> Any:
            epochs[0] += 2
            return priced(symbol)

        box.package.symbol_info_tick = slow  # type: ignore[method-assign]
        with pytest.raises(NotSent, match="changed while the order waited"):
            await box.submit(box.at_once())
        assert box.package.sent == []

    story(tell)


def test_an_order_whose_price_does_not_come_was_not_sent() -> None:
    async def tell(box: NativeBox) -> None:
        go_on, priced = threading.Event(), box.package.symbol_info_tick
        link_of(box)._timeout_s = 0.05

        def slow(symbol: str) -> Any:
            go_on.wait(10)
            return priced(symbol)

        box.package.symbol_info_tick = slow  # type: ignore[method-assign]
        with pytest.raises(NotSent, match="did not answer within"):
            await box.submit(box.at_once())
        go_on.set()
        link_of(box)._timeout_s = 5.0
        await box.venue.open_orders()  # it has come back
        assert box.package.sent == []

    story(tell)


@pytest.mark.parametrize(("modes", "filling"), [(3, 1), (2, 1), (1, 0), (0, 2)])
def test_a_market_order_is_filled_as_its_symbol_allows(modes: int, filling: int) -> None:
    async def tell(box: NativeBox) -> None:
        box.package.filling_mode = modes
        await box.submit(box.at_once(3))
        [request] = box.package.sent
        assert request["type_filling"] == filling
        assert (request["price"], request["volume"]) == (100.1, 0.03)

    story(tell)


def test_a_market_order_without_a_price_is_not_sent() -> None:
    async def tell(box: NativeBox) -> None:
        box.package.symbol_info_tick = lambda symbol: None  # type: ignore[method-assign]
        with pytest.raises(NotSent, match="price cannot be had"):
            await box.submit(box.at_once())
        assert box.package.sent == []

    story(tell)


@pytest.mark.parametrize(
    ("function", "field", "question"),
    [
        ("orders_get", "ORDER", "open_orders"),
        ("positions_get", "POSITION", "positions"),
        ("history_deals_get", "DEAL", "fills"),
    ],
)
def test_a_type_that_nobody_knows_is_told_by_its_number(
    function: str, field: str, question: str
) -> None:
    async def tell(box: NativeBox) -> None:
        await box.submit(box.rest())
        await box.submit(box.at_once(), "s-1-2")
        right: Callable[..., Any] = getattr(box.package, function)

        def other(*given: Any) -> Any:
            return tuple(each._replace(type=97) for each in right(*given))

        setattr(box.package, function, other)
        questions: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "open_orders": box.venue.open_orders,
            "positions": box.venue.positions,
            "fills": lambda: box.venue.fills_since(box.since_ns),
        }
        with pytest.raises(Unavailable, match="97"):
            await questions[question]()

    story(tell)


def test_a_hedging_account_is_refused_and_so_is_a_terminal_that_is_not_there() -> None:
    async def hedging(box: NativeBox) -> None:
        box.package.margin_mode = 2
        with pytest.raises(Unavailable, match="a netting account is needed"):
            await box.venue.open()

    async def absent(box: NativeBox) -> None:
        box.package.fails_with = TIMEOUT
        with pytest.raises(Unavailable, match="could not be reached: failure -10005"):
            await box.venue.open()
        assert not box.package.is_open

    story(hedging, is_open=False)
    story(absent, is_open=False)


def test_floats_are_taken_by_their_shortest_text() -> None:
    assert (exact(0.1), exact(108.023), exact(1e-05)) == (
        Decimal("0.1"), Decimal("108.023"), Decimal("0.00001"),
    )  # fmt: skip


def test_a_request_that_the_package_has_no_function_for_is_an_error_and_calls_nothing() -> None:
    async def tell(box: NativeBox) -> None:
        reply = await link_of(box).request("", {"action": "RESET"})
        assert reply == {"error": True, "description": "the package has no RESET"}

    story(tell)


def test_the_stand_in_has_the_documented_fields() -> None:
    """Of https://www.mql5.com/en/docs/python_metatrader5, the pages of history_deals_get and
    order_send."""
    package = Package(lambda: 1)
    package.initialize()
    assert package.history_deals_get(0, 1) == ()
    assert package.order_send({"action": 1, "comment": "x" * 32}) is None
    assert package.last_error()[0] == -2


# ---- how it is found ----


def settings(url: str = "") -> Config:
    venue = VenueSettings(name=VenueName.MT5_NATIVE, live=True, url=url)
    return msgspec.structs.replace(make_config({}), venue=venue)


def test_a_package_that_is_missing_is_told_with_what_to_do(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "MetaTrader5", None)
    monkeypatch.setitem(sys.modules, "mt5linux", None)
    for url in ("", "tcp://127.0.0.1:18812"):
        with pytest.raises(ConfigError, match="pip install MetaTrader5, on Windows"):
            venue_of(settings(url=url), {}, "s-1", SystemClock(), Random(1))


def test_the_package_or_its_stand_in_elsewhere_is_used(monkeypatch: Any) -> None:
    made: list[dict[str, Any]] = []
    package = Package(lambda: 1)

    class Linux:
        @staticmethod
        def MetaTrader5(**given: Any) -> Package:
            made.append(given)
            return package

    monkeypatch.setitem(sys.modules, "MetaTrader5", package)
    monkeypatch.setitem(sys.modules, "mt5linux", Linux)
    assert load_package("") is package
    assert load_package("tcp://127.0.0.1:4711") is package
    assert made == [{"host": "127.0.0.1", "port": 4711}]
    with pytest.raises(ConfigError, match=r"venue\.url"):
        load_package("tcp://terminal.example.com:4711")


def test_it_can_be_looked_at_and_sends_no_order_before_it_is_proved(monkeypatch: Any) -> None:
    package = Package(lambda: 1_700_000_000)
    monkeypatch.setitem(sys.modules, "MetaTrader5", package)
    instruments = {package.symbol: package.instrument}

    async def whole() -> None:
        venue = venue_of(settings(), instruments, "s-1", SystemClock(), Random(1))
        assert venue is not None
        lines = await venue.check()
        assert {line.name for line in lines} >= {"terminal", "sandbox", "permission"}
        with pytest.raises(NotSent, match="have not been proved"):
            await venue.submit(SubmitOrder(NativeBox().rest(), "s-1-1", 0))
        await venue.close()

    asyncio.run(whole())
    assert package.sent == []
    assert "has not been proved" in unproved(settings())
