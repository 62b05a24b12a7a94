"""The simulated terminal, as a process and against a client that knows nothing of logos."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
import zmq
from mt5_helpers import WallClock, an_order, coin, lets_out, open_patiently
from waiting import until, until_answered

from logos.adapters.mt5.gateway.gateway import Gateway
from logos.adapters.mt5.gateway.settings import Endpoints, GatewaySettings
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.types import OrderStatus, Side
from logos.venues.contract import NotSent, OutcomeUnknown

FIELDS = (
    *("action", "actionType", "symbol", "chartTF", "fromDate", "toDate", "id", "magic"),
    *("volume", "price", "stoploss", "takeprofit", "expiration", "deviation", "comment"),
)
PATIENCE_MS = 20_000


class PlainClient:
    """A client as others write them: two sockets, one JSON dictionary, blocking."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._context = zmq.Context()
        self.system = self._socket(zmq.REQ, ports["system"])
        self.data = self._socket(zmq.PULL, ports["data"])
        self.live = self._socket(zmq.PULL, ports["live"])
        self.streaming = self._socket(zmq.PULL, ports["streaming"])

    def _socket(self, kind: int, port: int) -> Any:
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.rcvtimeo = PATIENCE_MS
        socket.connect(f"tcp://127.0.0.1:{port}")
        return socket

    def ask(self, **fields: Any) -> dict[str, Any]:
        return self.ask_raw(json.dumps(dict.fromkeys(FIELDS) | fields).encode())

    def ask_raw(self, frame: bytes) -> dict[str, Any]:
        self.system.send(frame)
        assert self.system.recv_string() == "OK"
        reply = self.data.recv_json()
        assert isinstance(reply, dict)
        assert isinstance(reply["error"], bool)
        return reply

    def close(self) -> None:
        for socket in (self.system, self.data, self.live, self.streaming):
            socket.close()
        self._context.term()


class Process:
    """`logos mt5-sim` and what it said first."""

    def __init__(self, audit: Path, *arguments: str) -> None:
        self.audit = audit
        command = [sys.executable, "-m", "logos.live", "mt5-sim", "--ports", "0,0,0,0"]
        command += ["--audit", str(audit), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.hello = json.loads(self.process.stdout.readline())
        self.client = PlainClient(self.hello["ports"])

    def records(self, kind: str) -> list[dict[str, Any]]:
        lines = self.audit.read_text().splitlines()
        return [r for r in map(json.loads, lines) if r["kind"] == kind]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.client.close()
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        code = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def running(audit: Path, *arguments: str) -> Iterator[Process]:
    process = Process(audit, *arguments)
    try:
        yield process
    finally:
        process.end()


def test_a_plain_client_sees_account_orders_deals_and_candles(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    # A minute of the terminal's clock passes in 20 ms.
    with running(
        audit, "--symbols", "BTCUSD.s,XAUUSD.s", "--interval-ms", "5", "--speed", "3000"
    ) as sim:
        client = sim.client
        assert client.ask(action="CONFIG", symbol="BTCUSD.s", chartTF="M1")["error"] is False
        account = client.ask(action="ACCOUNT")
        assert account["currency"] == "USD"
        assert account["balance"] == 100_000
        done = client.ask(
            action="TRADE",
            actionType="ORDER_TYPE_BUY",
            symbol="BTCUSD.s",
            volume=0.5,
            comment="mine-1",
        )
        assert (done["retcode"], done["result"]) == (10009, "TRADE_RETCODE_DONE")
        assert done["volume"] == 0.5
        assert done["order"] > 0
        assert done["deal"] > 0
        told = client.streaming.recv_json()
        request, reply = told["request"], told["reply"]
        assert told["deal"]["ticket"] == done["deal"]
        assert request["action"] == "TRADE_ACTION_DEAL"
        assert reply["order"] == done["order"]
        [position] = client.ask(action="POSITIONS")["positions"]
        assert (position["symbol"], position["volume"]) == ("BTCUSD.s", 0.5)
        waiting = client.ask(
            action="TRADE",
            actionType="ORDER_TYPE_BUY_LIMIT",
            symbol="XAUUSD.s",
            volume=1,
            price="100.00",
        )
        [order] = client.ask(action="ORDERS")["orders"]
        assert int(order["id"]) == waiting["order"]
        gone = client.ask(action="TRADE", actionType="ORDER_CANCEL", id=int(order["id"]))
        assert gone["error"] is False
        assert client.ask(action="ORDERS")["orders"] == []
        candle = client.live.recv_json()
        assert candle["status"] == "CONNECTED"
        assert candle["symbol"] == "BTCUSD.s"
        opened_s, opened, high, low, closed, volume = candle["data"]
        assert opened_s % 60 == 0
        assert low <= min(opened, closed) <= max(opened, closed) <= high
        assert volume >= 1
        history = client.ask(
            action="HISTORY", actionType="DATA", symbol="BTCUSD.s", chartTF="M1", fromDate=opened_s
        )
        assert history["data"][0] == candle["data"]
        closing = client.ask(action="TRADE", actionType="POSITION_CLOSE_SYMBOL", symbol="BTCUSD.s")
        assert closing["retcode"] == 10009
        first, last = client.ask(action="HISTORY", actionType="TRADES")["trades"]
        assert (first["entry"], last["entry"]) == (0, 1)
        made = (Decimal(str(last["price"])) - Decimal(str(first["price"]))) / 2
        assert Decimal(str(last["profit"])) == made
        wrong = client.ask(action="DANCE")
        assert wrong["error"] is True
        assert wrong["description"] == "Wrong action"
        assert wrong["function"]
        assert sim.end() == 0
        [books] = sim.records("books")
        assert books["symbols"]["BTCUSD.s"]["volume"] == "0.00"
        assert Decimal(books["balance"]) == 100_000 + made


@pytest.mark.long
def test_stops_of_a_position_close_it(tmp_path: Path) -> None:
    with running(tmp_path / "audit.jsonl", "--symbol", "A.s,price=100,interval_ms=2") as sim:
        bought = sim.client.ask(
            action="TRADE",
            actionType="ORDER_TYPE_BUY",
            symbol="A.s",
            volume=1,
            stoploss=99.9,
            takeprofit=100.2,
        )
        assert bought["error"] is False
        refused = sim.client.ask(
            action="TRADE", actionType="ORDER_TYPE_BUY", symbol="A.s", volume=1, stoploss=200
        )
        assert refused["retcode"] == 10016
        while sim.client.ask(action="POSITIONS")["positions"]:
            sim.client.ask(action="BALANCE")
        opened, closed = sim.client.ask(action="HISTORY", actionType="TRADES")["trades"]
        assert (opened["type"], closed["type"]) == ("buy", "sell")
        assert closed["price"] <= 99.9 or closed["price"] >= 100.2


def _mutated(frame: bytes, generator: Random) -> bytes:
    """A frame with something wrong, or something else altogether."""
    kind = generator.randrange(6)
    if kind == 0:
        return frame[: generator.randrange(len(frame))]
    if kind == 1:
        return generator.randbytes(generator.randrange(1, 200))
    if kind == 2:
        place = generator.randrange(len(frame))
        return frame[:place] + bytes([generator.randrange(256)]) + frame[place + 1 :]
    if kind == 3:
        return b"[" * generator.randrange(1, 3000) + frame
    if kind == 4:
        return b" " * (70_000) + frame
    fields = json.loads(frame)
    name = generator.choice(FIELDS)
    junk: list[Any] = [[], {}, True, -1, 1e300, "x" * 99, 10**40, "NaN", {"a": [1]}]
    fields[name] = generator.choice(junk)
    fields[generator.choice(("volume", "price"))] = generator.choice(junk)
    return json.dumps(fields).encode()


@pytest.mark.long
def test_damaged_requests_are_refused_in_words_and_make_no_order(tmp_path: Path) -> None:
    generator = Random(5)
    good = json.dumps(
        dict.fromkeys(FIELDS)
        | {
            "action": "TRADE",
            "actionType": "ORDER_TYPE_BUY_LIMIT",
            "symbol": "BTCUSD.s",
            "volume": -0.5,  # never a good one: whatever the damage does, no order may come of it
            "price": 50.0,
            "comment": "fuzz",
        }
    ).encode()
    with running(tmp_path / "audit.jsonl", "--symbols", "BTCUSD.s") as sim:
        client = sim.client
        for _ in range(400):
            reply = client.ask_raw(_mutated(good, generator))
            assert reply["error"] is True
            assert reply["description"]
            assert reply["function"]
        assert client.ask(action="ORDERS")["orders"] == []
        assert client.ask(action="HISTORY", actionType="TRADES")["trades"] == []
        # Oversized beyond words: cut off, and the next client is served.
        client.system.send(b"{" + b" " * 300_000)
        client.system.rcvtimeo = 200
        with pytest.raises(zmq.Again):
            client.system.recv()
        client.close()
        sim.client = PlainClient(sim.hello["ports"])
        assert sim.client.ask(action="BALANCE")["balance"] == 100_000
        assert sim.records("order") == []
        assert len(sim.records("malformed")) > 100


@pytest.mark.long
def test_a_killed_terminal_has_its_books_again_from_the_audit(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    arguments = ("--symbol", "BTCUSD.s,commission=0.5", "--seed", "4")
    sim = Process(audit, *arguments)
    for number in range(5):
        sim.client.ask(
            action="TRADE",
            actionType=("ORDER_TYPE_BUY", "ORDER_TYPE_SELL")[number % 2],
            symbol="BTCUSD.s",
            volume=number + 1,
            comment=f"run-{number}",
        )
    sim.client.ask(
        action="TRADE", actionType="ORDER_TYPE_BUY_LIMIT", symbol="BTCUSD.s", volume=1, price=50
    )
    before = {
        name: sim.client.ask(action="HISTORY" if name == "TRADES" else name, actionType=name)
        for name in ("TRADES", "ORDERS")
    }
    balance = sim.client.ask(action="BALANCE")["balance"]
    assert sim.end(signal.SIGKILL) == -signal.SIGKILL
    refused = subprocess.run(
        [sys.executable, "-m", "logos.live", "mt5-sim", "--symbols", "A", "--audit", str(audit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    with running(audit, *arguments, "--resume") as again:
        assert again.hello["deals"] == 5
        for name, reply in before.items():
            action = "HISTORY" if name == "TRADES" else name
            assert again.client.ask(action=action, actionType=name) == reply
        assert again.client.ask(action="BALANCE")["balance"] == balance
        new = again.client.ask(
            action="TRADE", actionType="ORDER_TYPE_BUY", symbol="BTCUSD.s", volume=1
        )
        assert new["order"] > max(deal["ticket"] for deal in before["TRADES"]["trades"])


@pytest.mark.long
def test_recorded_quotes_are_played_round_and_round(tmp_path: Path) -> None:
    quotes = tmp_path / "BTCUSD_quotes.csv"
    rows = [f"2024-01-01T00:00:0{n}Z,{100 + n}.00,{100 + n}.10,1,1" for n in range(3)]
    quotes.write_text("timestamp,bid,ask,bid_size,ask_size\n" + "\n".join(rows) + "\n")
    symbol = f"BTCUSD.s,quotes={quotes},interval_ms=2"
    with running(tmp_path / "audit.jsonl", "--symbol", symbol) as sim:
        sim.client.ask(action="CONFIG", symbol="BTCUSD.s", chartTF="TICK")
        bids = [sim.client.live.recv_json()["data"][1] for _ in range(7)]
        start = bids.index(100)
        assert bids[start : start + 4] == [100, 101, 102, 100]


@pytest.mark.long
def test_real_quotes_can_be_traded_on(tmp_path: Path, market_data: Path) -> None:
    path = market_data / "quotes" / "XAUUSD_oanda_tick_2014-05-04.csv"
    symbol = f"XAUUSD.s,quotes={path},tick=0.001,contract=100,interval_ms=2"
    with running(tmp_path / "audit.jsonl", "--symbol", symbol) as sim:
        done = sim.client.ask(
            action="TRADE", actionType="ORDER_TYPE_BUY", symbol="XAUUSD.s", volume=0.1
        )
        assert done["error"] is False
        assert 1290 < done["price"] < 1310


@pytest.mark.long
def test_a_killed_terminal_is_found_dead_and_its_books_agree_when_it_is_back(
    tmp_path: Path,
) -> None:
    audit = tmp_path / "audit.jsonl"
    hasty = GatewaySettings(reply_timeout_s=0.5, heartbeat_s=0.1, dead_after_s=0.6)

    async def scenario(first: Process) -> None:
        ends = Endpoints(**first.hello["ports"])
        deaths: list[str] = []
        gateway = Gateway(ends, hasty, WallClock(), lambda _: None, deaths.append, lets_out)
        made = coin()
        venue = Mt5Venue(
            gateway,
            {"BTCUSD.s": Mt5VenueSymbol(made, "BTCUSD.s")},
            WallClock(),
            session_id="run",
            is_sandbox=True,
            settle_s=0.1,
        )
        await open_patiently(gateway)
        await venue.open()
        there = set()
        for number in range(1, 30):
            if number == 15:
                first.process.kill()
            try:
                await venue.submit(an_order(made, Side.BUY, 1, name=f"run-{number}"))
                there.add(f"run-{number}")
            except (NotSent, OutcomeUnknown):
                break
        await until(lambda: bool(deaths), "the gateway finds the terminal dead")
        first.end()
        numbers = ",".join(str(port) for port in first.hello["ports"].values())
        with running(audit, "--symbols", "BTCUSD.s", "--resume", "--ports", numbers) as again:
            again.client.close()  # two clients would each get half of the answers
            await until(lambda: not gateway.is_dead, "the gateway finds the terminal back")
            for number in range(1, 30):
                if await _ask_until_answered(venue, f"run-{number}"):
                    there.add(f"run-{number}")
            fills = await venue.fills_since(0)
            assert {fill.client_order_id for fill in fills} == there
            assert len(fills) == len(there) >= 14
            assert await venue.positions() == {"BTCUSD.s": len(fills)}
            told = await venue.submit(an_order(made, Side.SELL, 1, name="run-100"))
            assert told.status is OrderStatus.FILLED
            await venue.close()

    process = Process(audit, "--symbols", "BTCUSD.s")
    process.client.close()  # two clients would each get half of the answers
    asyncio.run(scenario(process))


async def _ask_until_answered(venue: Mt5Venue, name: str) -> bool:
    return await until_answered(lambda: venue.find(name, "BTCUSD.s"), name) is not None
