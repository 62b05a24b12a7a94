"""The simulated terminal as the published Expert Advisor, on its sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import zmq
import zmq.asyncio
from mt5_helpers import quiet
from waiting import until

from logos.simulators.mt5.simulator import SimOptions, Simulator

SYMBOL = "BTCUSD.s"


@asynccontextmanager
async def on_sockets(timer_s: float = 0.001, **more: Any) -> AsyncIterator[tuple[Simulator, Any]]:
    """The whole simulator, and a plain client's sockets by name, connected when asked for."""
    symbols = {SYMBOL: quiet()}
    options = SimOptions(ea="published", timer_s=timer_s, **more)
    simulator = Simulator(symbols, options, lambda _: None)
    await simulator.start()
    context = zmq.asyncio.Context()
    made: list[zmq.asyncio.Socket] = []

    def connect(name: str) -> zmq.asyncio.Socket:
        socket = context.socket(zmq.REQ if name == "system" else zmq.PULL)
        socket.linger = 0
        socket.connect(f"tcp://127.0.0.1:{simulator.ports[name]}")
        made.append(socket)
        return socket

    try:
        yield simulator, connect
    finally:
        for socket in made:
            socket.close()
        context.term()
        await simulator.stop()


def test_what_is_no_json_brings_an_error_before_the_ok_and_another_after_it() -> None:
    async def scenario() -> None:
        async with on_sockets() as (_, connect):
            system, data = connect("system"), connect("data")
            await system.send(b"{not json")
            assert await system.recv() == b"OK"
            first, second = json.loads(await data.recv()), json.loads(await data.recv())
            assert (first["lastError"], first["function"]) == ("65537", "RequestHandler")
            assert (second["lastError"], second["function"]) == ("65538", "RequestHandler")

    asyncio.run(scenario())


def test_frames_without_a_client_are_dropped() -> None:
    async def scenario() -> None:
        async with on_sockets() as (simulator, connect):
            system = connect("system")
            await system.send(json.dumps({"action": "BALANCE"}).encode())
            assert await system.recv() == b"OK"
            await until(lambda: simulator.dropped == 1, "the answer to be dropped")
            data = connect("data")
            while not await data.poll(20):  # until the connection is there
                await system.send(json.dumps({"action": "ACCOUNT"}).encode())
                assert await system.recv() == b"OK"
            assert "currency" in json.loads(await data.recv()), "an old answer was kept"

    asyncio.run(scenario())


def test_one_request_is_read_at_each_timer_event() -> None:
    async def scenario() -> None:
        async with on_sockets() as (simulator, connect):
            read_before: list[int] = []
            assert simulator._expert is not None
            simulator._expert.on_timer = lambda: read_before.append(simulator.requests)  # type: ignore[method-assign]
            for client in [connect("system") for _ in range(3)]:
                await client.send(json.dumps({"action": "BALANCE"}).encode())
            await until(lambda: simulator.requests == 3, "three requests to be read")
            assert {0, 1, 2} <= set(read_before), "two requests at one event of the timer"

    asyncio.run(scenario())
