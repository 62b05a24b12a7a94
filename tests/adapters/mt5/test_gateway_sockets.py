"""What the gateway's sockets hand over, and when, while a request is being confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter_ns

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
import zmq

from logos.adapters.mt5.gateway.settings import Endpoints, GatewaySettings
from logos.adapters.mt5.gateway.sockets import LIVE, SYSTEM, PortError, Sockets, Waker

_NAMES = ("system", "data", "live", "streaming")
_NS_PER_MS = 1_000_000


class Terminal:
    """The terminal's ends, and whoever takes what comes by itself."""

    def __init__(self) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        kinds = (zmq.REP, zmq.PUSH, zmq.PUSH, zmq.PUSH)
        self.ends = dict(zip(_NAMES, map(self.context.socket, kinds), strict=True))
        system, data, live, streaming = (
            end.bind_to_random_port("tcp://127.0.0.1") for end in self.ends.values()
        )
        where = Endpoints(system=system, data=data, live=live, streaming=streaming)
        self.taken: list[bytes | PortError] = []
        self.is_wanted = True
        self.waker = Waker()
        self.sockets = Sockets(where, GatewaySettings(), None, self, self.waker)

    def wants(self, _name: str) -> bool:
        return self.is_wanted

    def take(self, _name: str, frame: bytes | PortError) -> None:
        self.taken.append(frame)

    def ask(self, frame: bytes) -> None:
        """Send a request, and have it arrive."""
        assert self.sockets.can_send(_in_ms(5_000), lambda: False)
        self.sockets.send(frame)
        assert self.ends["system"].recv() == frame

    def arrive(self, name: str) -> None:
        """Wait until something lies at that port."""
        assert self.sockets._sockets[name].poll(5_000)

    def close(self) -> None:
        self.sockets.close()
        self.waker.close()
        for end in self.ends.values():
            end.close(linger=0)
        self.context.term()


def _in_ms(milliseconds: int) -> int:
    return perf_counter_ns() + milliseconds * _NS_PER_MS


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def test_a_confirmation_is_read_before_the_prices_that_came_with_it(terminal: Terminal) -> None:
    terminal.ask(b"order")
    for frame in (b"price 1", b"price 2"):
        terminal.ends["live"].send(frame)
    terminal.arrive(LIVE)
    terminal.ends["system"].send(b"OK")
    terminal.arrive(SYSTEM)
    assert terminal.sockets.receive(SYSTEM, _in_ms(5_000), lambda: False) == b"OK"
    assert terminal.taken == []
    while len(terminal.taken) < 2:
        terminal.sockets.hand_over(5_000)
    assert terminal.taken == [b"price 1", b"price 2"]


def test_prices_go_on_while_a_confirmation_does_not_come(terminal: Terminal) -> None:
    terminal.ask(b"order")
    terminal.ends["live"].send(b"price")
    terminal.arrive(LIVE)
    assert terminal.sockets.receive(SYSTEM, _in_ms(20), lambda: False) is None
    assert terminal.taken == [b"price"]


def test_a_wait_for_a_confirmation_that_is_given_up_ends_at_once(terminal: Terminal) -> None:
    terminal.ask(b"order")
    given_up = iter((False, True))
    terminal.waker.wake()
    assert terminal.sockets.receive(SYSTEM, _in_ms(60_000), lambda: next(given_up)) is None


def test_what_is_not_wanted_stays_where_it_is(terminal: Terminal) -> None:
    terminal.ends["live"].send(b"price")
    terminal.arrive(LIVE)
    terminal.is_wanted = False
    terminal.sockets.hand_over(0)
    assert terminal.taken == []
    terminal.is_wanted = True
    terminal.sockets.hand_over(0)
    assert terminal.taken == [b"price"]
