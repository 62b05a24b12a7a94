"""What the simulated terminal does at each request besides the request: read it, draw its fate."""

from __future__ import annotations

import asyncio

import msgspec
import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from logos.simulators.mt5.faults import FaultPlan, fate_of
from logos.simulators.mt5.ports import SystemPort


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_plan_without_faults_is_not_drawn_from_and_comes_to_the_same(
    seed: int, sequence: int
) -> None:
    is_drawn = FaultPlan(seed=seed, lost=1e-300)
    assert not is_drawn.spares_requests
    assert fate_of(FaultPlan(seed=seed), sequence) == fate_of(is_drawn, sequence)


@pytest.mark.parametrize(
    "share", ["unread", "ok_lost", "lost", "late", "twice", "requote", "partial", "damaged"]
)
def test_no_fault_of_a_plan_is_passed_over(share: str) -> None:
    plan = msgspec.convert({share: 1.0}, FaultPlan)
    assert fate_of(plan, 1) != fate_of(FaultPlan(), 1)
    assert fate_of(FaultPlan(retcodes={10004: 1.0}), 1).retcode == 10004


def test_requests_of_two_clients_are_read_in_turn_and_those_of_one_that_has_gone_forgotten() -> (
    None
):
    async def scenario() -> list[bytes]:
        with zmq.Context() as context:
            port = SystemPort(context)
            number = port.socket.bind_to_random_port("tcp://127.0.0.1")
            clients = [context.socket(zmq.REQ) for _ in range(2)]
            for client in clients:
                client.linger = 0
                client.connect(f"tcp://127.0.0.1:{number}")
            read: list[bytes] = []
            assert port.read() is None
            for turn in range(3):
                waiting = asyncio.create_task(port.next())
                await asyncio.sleep(0)
                for index, client in enumerate(clients):
                    client.send(b"%d of %d" % (turn, index))
                for parts in (await waiting, await port.next()):
                    read.append(parts[2])
                    port.confirm(parts[0])
                for client in clients:
                    assert client.recv() == b"OK"
            gone = clients.pop()
            gone.send(b"the last")
            parts = await port.next()
            gone.close(linger=0)
            port.confirm(parts[0])
            clients[0].send(b"still here")
            read.append((await port.next())[2])
            port.close()
            clients[0].close(linger=0)
            return read

    read = asyncio.run(asyncio.wait_for(scenario(), 20))
    assert read[-1] == b"still here"
    assert [sorted(read[at : at + 2]) for at in (0, 2, 4)] == [
        [b"%d of %d" % (turn, index) for index in range(2)] for turn in range(3)
    ]
