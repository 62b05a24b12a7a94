"""Frames that no terminal should send: read or refused in words, and never taken for an answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from decimal import Decimal
from pathlib import Path
from random import Random

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
import zmq
import zmq.asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from mt5_helpers import WallClock, an_order, lets_out, trade

from logos.adapters.mt5.gateway.failures import QuestionLost, TradeLost
from logos.adapters.mt5.gateway.gateway import Gateway
from logos.adapters.mt5.gateway.settings import Endpoints, GatewaySettings
from logos.adapters.mt5.gateway.sockets import FRAME_BYTES_MAX
from logos.adapters.mt5.gateway.wire import FIELDS, FrameError, Question, decode_frame, number
from logos.files import JsonLines

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@pytest.mark.long
@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused_in_words(frame: bytes) -> None:
    try:
        value = decode_frame(frame, 200)
    except FrameError:
        return
    assert isinstance(value, dict)
    assert len(frame) <= 200


@pytest.mark.long
@given(st.dictionaries(st.text(max_size=4), _JSON, max_size=3))
@settings(max_examples=80, deadline=None)
def test_objects_are_read_exactly_and_without_floats(value: dict[str, object]) -> None:
    def no_floats(item: object) -> None:
        assert not isinstance(item, float)
        for inner in (
            item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        ):
            no_floats(inner)

    try:
        read = decode_frame(json.dumps(value).encode("utf-8", "replace"), 10_000)
    except FrameError:
        return
    no_floats(read)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"", "not JSON"),
        (b"OK", "not JSON"),
        (b"[1]", "no object"),
        (b"7", "no object"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": 1e99}', "out of range"),
        (b'{"a": 1e-99}', "out of range"),
        (b'{"a": ' + b"9" * 60 + b"}", "out of range"),
        (b'{"a": [[[[[[1]]]]]]}', "nested deeper"),
        (b'{"a": ' + b"[" * 100_000, "nested deeper"),
        (b'{"a": "\xff"}', "not JSON"),
        (b'{"a": "' + b"x" * 5_000_000 + b'"}', "at most"),
    ],
)
def test_each_kind_of_bad_frame_has_its_words(frame: bytes, words: str) -> None:
    with pytest.raises(FrameError, match=words):
        decode_frame(frame, 1_000_000)


def test_numbers_are_read_and_written_digit_for_digit() -> None:
    read = decode_frame(b'{"a": 1.12181, "b": 7, "c": 0.30000000000000004}', 100)
    assert read == {"a": Decimal("1.12181"), "b": 7, "c": Decimal("0.30000000000000004")}
    question = Question({"action": "TRADE", "price": number("1.10000")}, "t")
    assert b'"price":1.10000' in question.frame
    with pytest.raises(ValueError, match="not a JSON number"):
        number("Infinity")


@given(st.text(max_size=8), st.sampled_from([{"action": "ACCOUNT"}, {"action": "X", "id": 7}]))
def test_a_request_that_is_given_an_id_is_the_same_request_with_it(
    rid: str, fields: dict[str, object]
) -> None:
    question = Question(fields, "token")
    before = json.loads(question.frame)
    question.identify(rid)
    assert json.loads(question.frame) == {**before, "rid": rid}
    assert before == dict.fromkeys(FIELDS) | fields | {"comment": "token"}


class BadTerminal:
    """Confirms every request and then answers it as the test says; heartbeats included."""

    def __init__(self) -> None:
        self._context = zmq.asyncio.Context()
        self.system = self._context.socket(zmq.REP)
        self.pushers = [self._context.socket(zmq.PUSH) for _ in range(3)]
        self.ports = []
        for socket in (self.system, *self.pushers):
            socket.linger = 0
            self.ports.append(socket.bind_to_random_port("tcp://127.0.0.1"))
        self.answers: list[bytes] = []
        self.confirmation = b"OK"
        self.trades = 0
        self.task = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            request = json.loads(await self.system.recv())
            await self.system.send(self.confirmation)
            if request["action"] == "TRADE":
                self.trades += 1
                for answer in self.answers:
                    await self.pushers[0].send(answer)
                continue
            bodies: dict[str, dict[str, object]] = {
                "ACCOUNT": {"server": "x", "balance": 1},
                "BALANCE": {"balance": 1},
            }
            reply = {"error": False, **bodies[request["action"]], "comment": request["comment"]}
            await self.pushers[0].send(json.dumps(reply).encode())

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        for socket in (self.system, *self.pushers):
            socket.close()
        self._context.term()


async def _with_bad_terminal(answers: list[bytes], confirmation: bytes = b"OK") -> list[str]:
    """Send a trade to a terminal that answers so; the gateway must work on afterwards."""
    terminal = BadTerminal()
    system, data, live, streaming = terminal.ports
    short = GatewaySettings(
        reply_timeout_s=0.2, heartbeat_s=60.0, reply_bytes_max=100_000, push_bytes_max=1_000
    )
    reasons: list[str] = []

    def log(record: object) -> None:
        assert isinstance(record, dict)
        if record["action"] == "ZMQ_BAD_FRAME":
            reasons.append(str(record["reason"]))

    ends = Endpoints(system=system, data=data, live=live, streaming=streaming)
    gateway = Gateway(ends, short, WallClock(), log, lambda _: None, lets_out)
    try:
        await gateway.open()
        terminal.answers, terminal.confirmation = answers, confirmation
        with pytest.raises(TradeLost):
            await gateway.request("A", trade("A", "run-1"), an_order())
        terminal.confirmation = b"OK"
        reply = await gateway.request("", {"action": "BALANCE"})
        assert reply["balance"] == 1
        assert terminal.trades == 1
        for pusher, receive in zip(
            terminal.pushers[1:], (gateway.next_live, gateway.next_transaction), strict=True
        ):
            for answer in (*answers, b"{" + b" " * 2_000 + b"}"):
                await pusher.send(answer)
            heard = None
            while heard != {"status": "CONNECTED"}:
                await pusher.send(b'{"status": "CONNECTED"}')
                heard = await receive(0.1)
                assert heard is None or isinstance(heard, dict)
    finally:
        await gateway.close()
        await terminal.close()
    return reasons


def test_garbage_instead_of_an_answer_leaves_a_trade_unknown_and_the_gateway_alive() -> None:
    generator = Random(11)
    garbage = [generator.randbytes(generator.randrange(80)) for _ in range(50)]
    garbage += [b"[]", b"7", b'{"error": false}', b'{"retcode": 10009', b'{"a":' * 40]
    reasons = asyncio.run(_with_bad_terminal(garbage))
    assert len(reasons) > 50


def test_an_answer_that_is_too_long_is_refused_and_those_after_it_are_read() -> None:
    whole = b'{"error": false, "retcode": 10009, "order": 5, "comment": "run-1", "x": "'
    reasons = asyncio.run(_with_bad_terminal([whole + b"x" * 200_000 + b'"}']))
    assert "a frame of 200075 bytes; at most 100000 are read" in reasons


@pytest.mark.long
def test_a_port_that_was_cut_off_for_a_monstrous_frame_is_connected_anew() -> None:
    async def scenario() -> None:
        terminal = BadTerminal()
        system, data, live, streaming = terminal.ports
        soon = GatewaySettings(reply_timeout_s=0.3, heartbeat_s=60.0, renew_after_s=0.3)
        ends = Endpoints(system=system, data=data, live=live, streaming=streaming)
        gateway = Gateway(ends, soon, WallClock(), lambda _: None, lambda _: None, lets_out)
        try:
            await gateway.open()
            await terminal.pushers[1].send(b" " * (FRAME_BYTES_MAX + 1), copy=False)
            heard = None
            while heard is None:
                # Nobody is there to take it while the port is cut off.
                with contextlib.suppress(zmq.Again):
                    await terminal.pushers[1].send(b'{"status": "CONNECTED"}', zmq.NOBLOCK)
                heard = await gateway.next_live(0.1)
            assert heard == {"status": "CONNECTED"}
        finally:
            await gateway.close()
            await terminal.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("confirmation", [b"", b"ERROR", b"ok", b"OK\0", b"x" * 500])
def test_anything_but_ok_means_that_the_request_may_not_have_been_read(confirmation: bytes) -> None:
    reasons = asyncio.run(_with_bad_terminal([], confirmation))
    assert "anything but OK" in reasons


def test_a_gateway_that_is_not_open_asks_nothing() -> None:
    async def scenario() -> None:
        gateway = Gateway(
            Endpoints(), GatewaySettings(), WallClock(), lambda _: None, lambda _: None, lets_out
        )
        with pytest.raises(QuestionLost, match="not open"):
            await gateway.request("", {"action": "BALANCE"})
        with pytest.raises(QuestionLost, match="not open"):
            await gateway.next_live(0.1)
        await gateway.close()

    asyncio.run(scenario())


def test_the_lock_log_is_one_object_a_line(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "gateway.jsonl"
    log = JsonLines(path)
    log({"action": "ZMQ_LOCK_ACQUIRE", "symbol": "A\nB", "lock_id": 1})
    log({"action": "ZMQ_LOCK_RELEASE", "symbol": "A\nB", "lock_id": 1})
    log.close()
    log.close()
    lines = path.read_text().splitlines()
    assert [json.loads(line)["action"] for line in lines] == [
        "ZMQ_LOCK_ACQUIRE",
        "ZMQ_LOCK_RELEASE",
    ]
