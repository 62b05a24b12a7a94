"""The simulated gateway of Interactive Brokers restarts, loses its broker, and tells prices."""

from __future__ import annotations

# isort: split

import asyncio

import pytest
from ib_world import IB, client_of, errors_of, limit, run, stock, until

from logos.simulators.ib import TwsGateway

pytestmark = pytest.mark.long

# ---- connections that break ----


def test_the_client_reconnects_after_the_nightly_restart_and_finds_its_order_and_fills() -> None:
    async def story(gateway: TwsGateway) -> None:
        client = IB()
        await client.connectAsync("127.0.0.1", gateway.port, clientId=1, timeout=20)
        trade = client.placeOrder(stock(), limit("before"))
        await until(lambda: trade.orderStatus.status == "Submitted")
        order_id, lost = trade.order.orderId, []
        client.disconnectedEvent += lambda: lost.append(True)
        await gateway.restart()
        await until(lambda: lost)
        gateway.desk.fill(gateway.order("before"), "4", "13.20")
        await client.connectAsync("127.0.0.1", gateway.port, clientId=1, timeout=20)
        [found] = client.openTrades()
        assert (found.order.orderId, found.order.orderRef) == (order_id, "before")
        assert (found.orderStatus.filled, found.orderStatus.remaining) == (4.0, 6.0)
        [fill] = client.fills()
        assert (fill.execution.shares, fill.execution.orderRef) == (4.0, "before")
        client.disconnect()

    run(story)


def test_order_ids_may_roll_back_in_the_night() -> None:
    async def story(gateway: TwsGateway) -> None:
        gateway.quote("AAPL", "13.00", "13.10")
        async with client_of(gateway) as client:
            for _ in range(3):
                trade = client.placeOrder(stock(), limit())
                await until(lambda: trade.orderStatus.status == "Filled")  # noqa: B023
        before = [each.order_id for each in gateway.desk.book.orders]
        assert gateway.desk.next_id(1) == before[-1] + 1
        await gateway.restart(are_ids_kept=False)
        assert gateway.desk.next_id(1) == 1
        async with client_of(gateway) as client:
            client.client._reqIdSeq = before[0]
            trade = client.placeOrder(stock(), limit("anew"))
            await until(lambda: len(gateway.desk.book.orders) == 4)
            assert gateway.order("anew").order_id == before[0]
            assert len({each.perm_id for each in gateway.desk.book.orders}) == 4

    run(story)


def test_the_broker_is_lost_and_comes_back() -> None:
    async def story(gateway: TwsGateway) -> None:
        async with client_of(gateway) as client:
            told = errors_of(client)
            gateway.lose_broker()
            trade = client.placeOrder(stock(), limit())
            await until(lambda: gateway.desk.book.orders)
            gateway.find_broker()
            await until(lambda: trade.orderStatus.status == "Submitted")
            gateway.lose_broker()
            gateway.find_broker(is_data_kept=False)
            await until(lambda: len(told) == 4)
            assert [code for _, code, _ in told] == [1100, 1102, 1100, 1101]

    run(story)


def test_executions_may_come_without_an_end() -> None:
    async def story(gateway: TwsGateway) -> None:
        async with client_of(gateway) as client:
            gateway.ends_missing.add(55)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.reqExecutionsAsync(), 0.2)

    run(story)


# ---- market data ----


def test_delayed_data_says_that_it_is_and_has_ticks_of_its_own() -> None:
    async def story(gateway: TwsGateway) -> None:
        gateway.subscribed.clear()
        gateway.quote("AAPL", "188.50", "188.60", "188.55")
        async with client_of(gateway) as client:
            told = errors_of(client)
            ticker = client.reqMktData(stock())
            await until(lambda: told)
            assert told[0][1] == 354
            client.cancelMktData(stock())
            client.reqMarketDataType(3)
            ticker = client.reqMktData(stock())
            await until(lambda: ticker.last == 188.55)
            assert (ticker.bid, ticker.ask, ticker.marketDataType) == (188.5, 188.6, 3)
            assert told[1][1] == 10167
            gateway.quote("AAPL", "188.51", "188.61")
            await until(lambda: ticker.bid == 188.51)

    run(story)


def test_live_data_historical_bars_and_bars_of_five_seconds() -> None:
    async def story(gateway: TwsGateway) -> None:
        gateway.quote("AAPL", "188.50", "188.60")
        async with client_of(gateway) as client:
            client.reqMarketDataType(3)
            ticker = client.reqMktData(stock())
            await until(lambda: ticker.ask == 188.6)
            assert ticker.marketDataType == 1
            cells: list[object] = [1_767_225_600, 188.5, 188.7, 188.4, 188.6, 1200, 188.55, 9]
            for price, size in (("188.5", "300"), ("188.7", "500"), ("188.6", "400")):
                gateway.trade("AAPL", price, size)
            found = await client.reqHistoricalDataAsync(
                stock(), "", "1 D", "8 hours", "TRADES", False
            )
            volume = sum(bar.volume for bar in found)
            assert (found[0].open, found[-1].close, volume) == (188.5, 188.6, 1200)
            bars = client.reqRealTimeBars(stock(), 5, "TRADES", False)
            await until(lambda: gateway.asked(50))
            gateway.data.bar("AAPL", *cells)
            await until(lambda: bars)
            assert (bars[0].open_, bars[0].volume) == (188.5, 1200)

    run(story)
