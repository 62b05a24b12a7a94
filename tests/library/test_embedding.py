"""`logos.LiveEngine`: an engine that a program of one's own feeds, tick by tick."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import logos
from logos import Answer, Context, Quote, Side, Strategy
from logos.core.records import RefusalRecord
from logos.core.types import Code, SessionStatus, SwitchState
from logos.library.engine import Action, LiveEngine
from logos.session.outcome import ExitCode

ACME = logos.instrument("ACME", tick="0.01", lot="1", quote="USD")
CASH = {"USD": 10_000}


class Buyer(Strategy):
    """Buys one at the ticks it is told."""

    def __init__(self, *ticks: int) -> None:
        self.ticks = ticks
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        return logos.market(Side.BUY, 1) if self.seen in self.ticks else None


def quote(second: int, bid: object = "10.00", ask: object = "10.02") -> dict[str, Any]:
    return {
        "symbol": "ACME",
        "time": f"2026-01-05T14:30:{second:02d}Z",
        "bid": bid,
        "ask": ask,
    }


def engine(home: Path, *ticks: int, **words: Any) -> LiveEngine:
    return LiveEngine(Buyer(*ticks), ACME, cash=CASH, home=home, fill="bid_ask", **words)


def test_an_embedded_engine_in_ten_lines(tmp_path: Path) -> None:
    with logos.LiveEngine(Buyer(2), ACME, cash=CASH, home=tmp_path, fill="bid_ask") as made:
        first = made.process(quote(1))
        second = made.process(quote(2))
        assert first.action is Action.NO_SIGNAL
        assert second.action is Action.ORDER_GENERATED
        assert second.order is not None
        assert second.order.client_order_id == f"{made.session_id}-1"
        assert second.fills[0].price == Decimal("10.02")
        assert second.circuit_breaker is SwitchState.SAFE
        assert made.position("ACME") == 1
        assert made.equity("USD") == Decimal("9999.98")
    result = made.close()
    assert result.status is SessionStatus.ENDED
    assert result.summary["ticks"] == 2
    assert len(result.trades) == 1


def test_ticks_can_be_awaited(tmp_path: Path) -> None:
    async def drive() -> list[Action]:
        with engine(tmp_path, 2) as made:
            return [(await made.process_tick(quote(second))).action for second in (1, 2, 3)]

    assert asyncio.run(drive()) == [Action.NO_SIGNAL, Action.ORDER_GENERATED, Action.NO_SIGNAL]


@pytest.mark.long
def test_gate_1_blocks_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with engine(tmp_path, 5, 6) as made, caplog.at_level(logging.WARNING, "logos.library.engine"):
        for second in range(1, 5):
            assert made.process(quote(second)).action is Action.NO_SIGNAL
        made.switch.engage("enough", "me")
        blocked = made.process(quote(5))
        assert blocked.action is Action.BLOCKED
        assert blocked.reason == "KILL_SWITCH_ACTIVE: enough (by me)"
        assert blocked.circuit_breaker is SwitchState.ENGAGED
        assert blocked.order is None
        assert made.process(quote(6)).action is Action.BLOCKED
    said = [each.message for each in caplog.records if each.name == "logos.library.engine"]
    assert said == ["[KILL_SWITCH] ENGAGED at tick #5: enough (by me)"]
    assert made.close().summary["orders"] == 0
    assert made.close().summary["blocked"] == 2


def test_gate_2_blocks_what_the_strategy_asked_for_meanwhile(tmp_path: Path) -> None:
    breaker = logos.CircuitBreaker(tmp_path / "state" / "kill-switch")

    class Engaging(Buyer):
        def on_quote(self, context: Context, quote: Quote) -> Answer:
            answer = super().on_quote(context, quote)
            if answer is not None:
                breaker.engage("in the middle of it", "me")
            return answer

    with LiveEngine(Engaging(2), ACME, cash=CASH, home=tmp_path, fill="bid_ask") as made:
        made.process(quote(1))
        blocked = made.process(quote(2))
    assert blocked.action is Action.BLOCKED
    assert blocked.reason.startswith("KILL_SWITCH_ACTIVATED_MID_PROCESSING: in the middle of it")
    assert made.close().summary["orders"] == 0


def test_a_refusal_is_told_with_its_code(tmp_path: Path) -> None:
    limits = {"risk": {"max_position": "1"}}
    with engine(tmp_path, 1, 2, config=limits) as made:
        assert made.process(quote(1)).action is Action.ORDER_GENERATED
        refused = made.process(quote(2))
    assert refused.action is Action.REFUSED
    assert refused.reason.startswith("MAX_POSITION: ")
    [record] = [each for each in refused.records if isinstance(each, RefusalRecord)]
    assert record.code is Code.MAX_POSITION


def test_an_engaged_switch_ends_the_session_if_the_settings_say_so(tmp_path: Path) -> None:
    made = engine(tmp_path, config={"switch": {"on_engaged": "halt"}})
    made.process(quote(1))
    made.switch.engage("enough", "me")
    assert made.process(quote(2)).action is Action.BLOCKED
    with pytest.raises(logos.LogosError, match=r"is over \(HALTED: .*make a new engine"):
        made.process(quote(3))
    assert made.close().exit_code is ExitCode.HALTED


@pytest.mark.parametrize(
    ("tick", "message"),
    [
        (quote(1) | {"symbol": "OTHER"}, "this engine trades ACME, and nothing else"),
        (quote(1, bid=10.001), "price 10.001 is not a multiple of the tick 0.01"),
        (quote(1, bid=float("nan")), "not a finite number"),
        (quote(1) | {"time": "2026-01-05 14:30:01"}, "names no time zone"),
        (quote(0), "older than the tick before it"),
        ({"symbol": "ACME"}, "no figures make no quote"),
        ({"symbol": "ACME", "bid": 1}, "bid make no quote"),
        ({"symbol": "ACME", "price": 1, "side": "up"}, "neither buy nor sell"),
        (
            {"symbol": "ACME", "open": 1, "high": 1, "low": 2, "close": 1, "interval": "1m"},
            "high is below low",
        ),
        (3, "not a tick: a int"),
    ],
)
def test_a_tick_that_is_none_changes_nothing(tmp_path: Path, tick: Any, message: str) -> None:
    with engine(tmp_path) as made:
        made.process(quote(1))
        with pytest.raises(logos.DataError, match=message):
            made.process(tick)
        assert made.process(quote(2)).tick_id == 2


def test_every_kind_of_tick(tmp_path: Path) -> None:
    class Watching(Strategy):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def on_quote(self, context: Context, quote: Quote) -> Answer:
            self.seen.append(f"{quote.bid:.2f} {quote.bid_size_units}")
            return None

        def on_trade(self, context: Context, trade: logos.Trade) -> Answer:
            self.seen.append(f"{trade.price:.2f} {trade.aggressor}")
            return None

        def on_bar(self, context: Context, bar: logos.Bar | logos.QuoteBar) -> Answer:
            self.seen.append(f"{bar.close:.2f} {bar.volume_units}")
            return None

    watching = Watching()
    with LiveEngine(watching, {"ACME": ACME}, cash=CASH, home=tmp_path) as made:
        made.process({"bid": 10.0, "ask": 10.01, "bid_size": 7, "ask_size": 8})  # now, of ACME
        made.process({"price": "10.01", "size": 3, "side": "Buy"})
        made.process({"open": 1, "high": 1, "low": 1, "close": 1, "volume": 5, "interval": "1m"})
        now_ns = made._session.now_ns
        made.process(Quote(now_ns, "ACME", 1000, 1001, 1, 1, ACME))
        assert made.latency.count == 4
    assert watching.seen == ["10.00 7", "10.01 BUY", "1.00 5", "10.00 1"]


def test_its_session_is_replayed_from_what_it_recorded(tmp_path: Path) -> None:
    with engine(tmp_path, 2, 3) as made:
        for second in range(1, 6):
            made.process(quote(second))
    again = logos.replay(made.session_id, strategy=Buyer(2, 3), home=tmp_path)
    assert again.summary == logos.result(made.session_id, home=tmp_path).summary


def test_a_stopped_engine_goes_on_where_it_was(tmp_path: Path) -> None:
    made = engine(tmp_path, 2, 5)
    for second in (1, 2, 3):
        made.process(quote(second))
    assert made.stop().status is SessionStatus.STOPPED
    with LiveEngine.resume(made.session_id, Buyer(2, 5), home=tmp_path) as again:
        assert again.position("ACME") == 1
        with pytest.raises(logos.DataError, match="older than the tick before it"):
            again.process(quote(2))
        assert again.process(quote(4)).action is Action.NO_SIGNAL
        assert again.process(quote(5)).action is Action.ORDER_GENERATED
    whole = engine(tmp_path / "whole", 2, 5)
    for second in range(1, 6):
        whole.process(quote(second))
    assert again.close().summary["currencies"] == whole.close().summary["currencies"]


def test_a_failing_strategy_is_an_error_and_the_session_is_sealed(tmp_path: Path) -> None:
    class Failing(Strategy):
        def on_quote(self, context: Context, quote: Quote) -> Answer:
            raise RuntimeError("no idea")

    made = LiveEngine(Failing(), ACME, cash=CASH, home=tmp_path)
    with pytest.raises(
        logos.StrategyError,
        match=r"no idea \(test_embedding.py:\d+, in on_quote\); the session is sealed in",
    ):
        made.process(quote(1))
    assert made.close().exit_code is ExitCode.STRATEGY_FAILED


def test_a_keyboard_interrupt_of_the_strategys_own_seals_and_an_operators_does_not(
    tmp_path: Path,
) -> None:
    class Own(Strategy):
        def on_quote(self, context: Context, quote: Quote) -> Answer:
            raise KeyboardInterrupt

    class Interrupted(Strategy):
        def on_quote(self, context: Context, quote: Quote) -> Answer:
            signal.raise_signal(signal.SIGINT)
            return [Side.BUY for _ in range(100)]

    made = LiveEngine(Own(), ACME, cash=CASH, home=tmp_path)
    with pytest.raises(logos.StrategyError, match="on_quote: KeyboardInterrupt"):
        made.process(quote(1))
    assert made.close().exit_code is ExitCode.STRATEGY_FAILED
    made = LiveEngine(Interrupted(), ACME, cash=CASH, home=tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            made.process(quote(1))
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(logos.LogosError, match="resume it"):
        made.close()


def test_signals_of_the_process_stay_with_the_program(tmp_path: Path) -> None:
    assert threading.current_thread() is threading.main_thread()
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with engine(tmp_path):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_engine_is_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with engine(tmp_path, 1) as made:
        made.process(quote(1))
        made.switch.engage("enough", "me")
        made.process(quote(2))
    assert capfd.readouterr() == ("", "")


@pytest.mark.long
def test_an_engine_without_a_tick_ends_in_order(tmp_path: Path) -> None:
    with engine(tmp_path) as made:
        pass
    assert made.close().exit_code is ExitCode.BAD_DATA


def test_what_an_operator_would_hear_goes_to_the_programs_own_logging(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with engine(tmp_path) as made:
        made.process(quote(1))
    told = [(each.name, each.levelname) for each in caplog.records if "kill switch" in each.message]
    assert told == [("logos.library.sessions", "WARNING")]
    assert "armed for paper" in caplog.text
    assert capfd.readouterr() == ("", "")
