"""The dry run at a terminal, line by line, and the limits of what a frame may hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from mt5_helpers import bench, coin

from logos.adapters.mt5.check import check_terminal
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.mt5.gateway.wire import FrameError, decode_frame
from logos.config.proved import MT5_SIMULATOR, unproved_terminal
from logos.simulators.mt5.faults import FaultPlan
from logos.venues.contract import Unavailable

Answers = dict[str, Any]
Line = tuple[str, bool, str]

GOOD: Answers = {
    "ACCOUNT": {
        "broker": "b", "server": MT5_SIMULATOR, "currency": "USD", "trading_allowed": 1,
        "bot_trading": 1,
    },
    "CONFIG": {"error": False},
    "BALANCE": {"error": False},
    "ORDERS": {"orders": [{"comment": "s-1-1"}]},
    "HISTORY": {"trades": [{"magic": 7}]},
}  # fmt: skip

SOUND: list[Line] = [
    ("terminal", True, f"b on {MT5_SIMULATOR}"),
    ("sandbox", True, f"server {MT5_SIMULATOR!r}, session says sandbox"),
    ("permission", True, "trading and automatic trading are allowed"),
    ("BTCUSD.s currency", True, "USD, the account is in USD"),
    ("BTCUSD.s", True, "known to the terminal; its lot and contract size are not told"),
    ("recognition", True, "orders and deals carry what they are recognised by"),
    ("attribution", True, "answers carry the request's comment"),
]


def lines_of(answers: Answers, *, sandbox: bool = True, does_echo: bool = True) -> list[Line]:
    async def ask(fields: Mapping[str, object]) -> dict[str, Any]:
        answer = answers[str(fields["action"])]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    lines = asyncio.run(check_terminal(ask, {"BTCUSD.s": coin()}, sandbox, lambda: does_echo))
    return [(line.name, line.is_ok, line.detail) for line in lines]


def test_a_terminal_that_is_well() -> None:
    assert lines_of(GOOD) == SOUND


@pytest.mark.parametrize(
    ("bridge", "line"),
    [
        ("logos/1", ("positions", True, "orders close the session's own tickets")),
        (None, ("positions", False, "use a netting account, or logos' own Expert Advisor")),
    ],
)
def test_a_hedging_account_is_said_with_what_it_means(bridge: str | None, line: Line) -> None:
    mode = {"margin_mode": "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING", "bridge": bridge}
    found = lines_of(GOOD | {"ACCOUNT": GOOD["ACCOUNT"] | mode})
    [more] = [each for each in found if each not in SOUND]
    assert more[:2] == line[:2]
    assert line[2] in more[2]


LOST = Unavailable("lost")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"ACCOUNT": {**GOOD["ACCOUNT"], "server": "x-Real"}},
         ("sandbox", False, "server 'x-Real', session says sandbox: use an account that fits, or "
          "correct the session")),
        ({"ACCOUNT": {**GOOD["ACCOUNT"], "trading_allowed": 0}},
         ("permission", False, "trading_allowed is off: the broker does not let this account "
          "trade")),
        ({"ACCOUNT": {**GOOD["ACCOUNT"], "bot_trading": 0}},
         ("permission", False, "bot_trading is off: switch Algo Trading on in the terminal")),
        ({"ACCOUNT": {**GOOD["ACCOUNT"], "currency": "EUR"}},
         ("BTCUSD.s currency", False, "USD, the account is in EUR: profits are converted at the "
          "broker's rate, not booked here")),
        ({"CONFIG": {"error": True, "description": "no such symbol"}},
         ("BTCUSD.s", False, "the terminal does not have it (no such symbol): show it in Market "
          "Watch, and write it with its suffix")),
        ({"CONFIG": LOST}, ("BTCUSD.s", False, "lost")),
        ({"ORDERS": LOST}, ("recognition", False, "orders: lost")),
        ({"HISTORY": {}}, ("recognition", False, "trades: the answer has no list of trades")),
        ({"HISTORY": {"trades": [7]}},
         ("recognition", False, "trades: an entry of trades is no object")),
        ({"HISTORY": {"trades": [{"ticket": 7}]}},
         ("recognition", False, "trades carry no comment or magic: an order whose answer is lost "
          "could not be found again; see docs/MT5.md")),
        ({"ORDERS": {"orders": [{}]}, "HISTORY": {"trades": [{}]}},
         ("recognition", True, "no orders or deals yet, so it cannot be seen")),
    ],
)  # fmt: skip
def test_what_is_not_well_is_one_line(change: Answers, line: Line) -> None:
    sound = [each for each in SOUND if each[0] != line[0]]
    found = lines_of({**GOOD, **change})
    assert line in found
    if "ACCOUNT" not in change:
        assert [each for each in found if each[0] != line[0]] == sound


def test_a_terminal_that_does_not_answer_is_the_only_line() -> None:
    assert lines_of({"ACCOUNT": LOST}) == [
        ("terminal", False, "lost: is the terminal running, with the Expert Advisor on a chart and "
         "DLLs allowed?"),
    ]  # fmt: skip


def test_a_terminal_that_does_not_echo_costs_time_and_is_no_error() -> None:
    assert lines_of(GOOD, does_echo=False)[-1] == (
        "attribution", True, "answers do not say whose they are: after each loss the gateway has "
        "to ask twice; docs/MT5.md has the line to add to the Expert Advisor",
    )  # fmt: skip


@pytest.mark.parametrize("server", ["x-Demo", "x-Real", "", "logos-mt5-sim-Real"])
def test_a_terminal_that_is_not_the_simulators_has_not_been_proved(server: str) -> None:
    found = lines_of({**GOOD, "ACCOUNT": {**GOOD["ACCOUNT"], "server": server}})
    [line] = [each for each in found if each[0] == "adapter"]
    assert line[1:] == (False, unproved_terminal(server))
    assert f"a terminal at {server!r} has not been proved" in line[2]


def test_a_live_session_wants_a_live_server() -> None:
    assert lines_of(GOOD, sandbox=False)[1] == (
        "sandbox", False, f"server {MT5_SIMULATOR!r}, session says live: use an account that fits, "
        "or correct the session",
    )  # fmt: skip


# ---- frames ----


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("1.5e40", True), ("1.5e41", False), ("1.5e-40", True), ("1.5e-41", False),
        (str(2**128 - 1), True), (str(2**128), False), (str(-(2**128) + 1), True),
    ],
)  # fmt: skip
def test_a_number_is_read_up_to_its_limits(text: str, is_read: bool) -> None:
    frame = f'{{"a": [{text}]}}'.encode()
    if is_read:
        [value] = decode_frame(frame, 1_000)["a"]
        assert value == Decimal(text)
    else:
        with pytest.raises(FrameError, match=r"^a frame with a number out of range$"):
            decode_frame(frame, 1_000)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"[1]", "a frame that is JSON, but no object"),
        (b"OK", "a frame that is not JSON (DecodeError)"),
        (b'{"a": "' + b"x" * 90 + b'"}', "a frame of 99 bytes; at most 50 are read"),
        (b'{"a": [[[[[[1]]]]]]}', "a frame nested deeper than 6"),
    ],
)
def test_a_frame_that_cannot_be_used_says_why(frame: bytes, words: str) -> None:
    with pytest.raises(FrameError) as caught:
        decode_frame(frame, 50)
    assert str(caught.value) == words


# ---- a terminal's death ----


@pytest.mark.long
def test_a_terminal_that_answered_a_moment_ago_is_not_dead_after_one_loss() -> None:
    patient = GatewaySettings(reply_timeout_s=0.15, heartbeat_s=60.0, dead_after_s=0.5)

    async def scenario() -> None:
        async with bench(None, settings=patient) as box:
            await asyncio.sleep(0.5)  # longer than that since it was opened
            await box.gateway.request("", {"action": "BALANCE"})
            box.simulator.faults = FaultPlan(lost=1.0)
            with pytest.raises(Unavailable):
                await box.gateway.request("", {"action": "BALANCE"})
            assert not box.gateway.is_dead
            assert box.deaths == []

    asyncio.run(scenario())
