"""Guards that users write: asked about every order, recorded, replayed, failing closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from guard_helpers import BUY, SELL, A, B
from places import PROJECT
from session_helpers import ListFeed, session_config

import logos
from logos import session
from logos.config import ConfigError
from logos.core.gates import InProcessSwitch
from logos.core.guards import Action, OwnGuard
from logos.core.guards.own import OrderView
from logos.core.instrument import instrument
from logos.core.messages import Quote
from logos.core.records import GuardRecord, Record, RefusalRecord
from logos.core.strategy import Answer, Context, Strategy, limit, market
from logos.core.types import Code, FillRule, OrderType, SessionStatus, Side, TimeInForce
from logos.errors import StrategyError
from logos.library.options import tables_of
from logos.session.entry import replay, resume
from logos.session.restoring import CannotResumeError
from logos.strategies.load import StrategyLoadError
from logos.strategies.own_guards import load_guards
from logos.testing.builders import Scripted, orders_in, paper_rules, quote, trading_core

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
SECOND = 10**9


def played(*guards: Callable[[Any], object], **limits: Any) -> list[Record]:
    """A buy of 5 at 100, then a limit sale of 2 at 110 tagged "out", before these guards."""
    script: dict[int, Answer] = {1: market(BUY, 5), 2: limit(SELL, 2, 110, tag="out")}
    core = trading_core(Scripted(script), A, rules=paper_rules(FillRule.BID_ASK), **limits)
    core.order_manager.guards.own = [OwnGuard(f"g{n}", each) for n, each in enumerate(guards, 1)]
    core.start(1)
    core.run([quote(A, 1, "99", "100"), quote(A, 2, "99", "100")])
    return core.take_effects()


def refusals(records: list[Record]) -> list[RefusalRecord]:
    return [each for each in records if isinstance(each, RefusalRecord)]


def test_a_guard_that_says_nothing_changes_nothing() -> None:
    assert played(lambda _: None) == played()


def test_a_guard_sees_the_order_its_instrument_and_the_account() -> None:
    seen: list[Any] = []
    figures: list[tuple[object, ...]] = []

    def look(order: OrderView) -> None:
        seen.append(order)
        figures.append(
            (order.price_ns, order.position, order.open_buy, order.open_sell, order.equity)
        )

    played(look)
    buy, sale = seen
    assert (buy.symbol, buy.side, buy.type) == ("AAA", Side.BUY, OrderType.MARKET)
    assert (buy.quantity, buy.limit_price, buy.stop_price, buy.tag) == (5, None, None, "")
    assert (buy.value, buy.currency, buy.now_ns) == (500, "USD", 1)
    assert (sale.type, sale.limit_price, sale.tag) == (OrderType.LIMIT, Decimal(110), "out")
    assert sale.time_in_force is TimeInForce.GTC
    assert (sale.bid, sale.ask, sale.value) == (99, 100, 220)
    assert (sale.initial_equity, sale.high_water, sale.day_start_equity) == (10**6,) * 3
    assert (sale.gross_exposure, sale.net_exposure) == (Decimal(495), Decimal(495))
    assert figures == [(1, 0, 0, 0, 10**6), (2, 5, 0, 0, 10**6 - 5)]
    assert (buy.open_orders, sale.open_orders) == (1, 1), "a view shows the state of now"
    with pytest.raises(AttributeError):
        sale.quantity = Decimal(1)


def test_a_refusal_is_recorded_with_its_text_and_the_order_is_not_made() -> None:
    records = played(lambda order: "no sales" if order.side is SELL else None)
    assert refusals(records) == [RefusalRecord(2, 2, "AAA", Code.USER_GUARD, "g1: no sales")]
    assert [order.side for order in orders_in(records)] == [BUY]


def test_all_are_asked_and_speak_with_one_code_after_the_other_guards() -> None:
    def first(_: OrderView) -> str:
        return "never"

    def second(_: OrderView) -> str:
        return "on no day"

    refusal = refusals(played(first, second, max_order_quantity="4"))[0]
    assert (refusal.code, refusal.also) == (Code.MAX_ORDER_QUANTITY, (Code.USER_GUARD,))
    assert refusals(played(first, second))[0].detail == "g1: never; g2: on no day"


def test_whatever_a_guard_raises_refuses_but_an_interrupt_ends_the_session() -> None:
    class Own(BaseException):
        def __str__(self) -> str:
            raise SystemExit

    def strange(_: OrderView) -> None:
        raise Own

    def interrupts(_: OrderView) -> None:
        raise KeyboardInterrupt

    records = played(strange)
    assert orders_in(records) == []
    assert refusals(records)[0].detail == (
        "g1: raised Own: (its text cannot be made: SystemExit); refused for safety"
    )
    with pytest.raises(StrategyError, match="guard g1 raised KeyboardInterrupt"):
        played(interrupts)


def test_a_guard_that_raises_refuses_and_says_so() -> None:
    def broken(_: OrderView) -> None:
        raise ZeroDivisionError("by a guard")

    def leaves(_: OrderView) -> None:
        raise SystemExit(0)

    records = played(broken, leaves)
    assert orders_in(records) == []
    assert refusals(records)[0].detail == (
        "g1: raised ZeroDivisionError: by a guard; refused for safety; "
        "g2: raised SystemExit: 0; refused for safety"
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (True, "answered a bool, not None or a text; refused for safety"),
        (0, "answered a int, not None or a text; refused for safety"),
        ("", "refused, without a reason"),
        ("two\nlines\x00", "two lines"),
        ("x" * 500, "x" * 200),
    ],
)
def test_anything_but_none_refuses_in_words_that_artifacts_can_hold(
    answer: object, words: str
) -> None:
    records = played(lambda _: answer)
    assert orders_in(records) == []
    assert refusals(records)[0].detail == f"g1: {words}"


def test_its_action_is_carried_out_as_of_any_guard() -> None:
    records = played(lambda _: "stop", actions={Code.USER_GUARD: Action.ENGAGE})
    guards = [each for each in records if isinstance(each, GuardRecord)]
    assert [(each.code, each.action, each.detail) for each in guards] == [
        (Code.USER_GUARD, "engage", "g1: stop")
    ]


def test_the_guard_of_the_examples_refuses_what_it_says() -> None:
    [guard] = load_guards([f"{PROJECT / 'examples' / 'own_guard.py'}:no_big_shorts"])
    assert played(guard.function) == played()
    script: dict[int, Answer] = {1: [market(SELL, 100), market(SELL, 1)], 2: market(BUY, 3_000)}
    core = trading_core(Scripted(script), B, rules=paper_rules(FillRule.BID_ASK))
    core.order_manager.guards.own = [guard]
    core.start(1)
    core.run([quote(B, 1, "99", "100"), quote(B, 2, "99", "100")])
    records = core.take_effects()
    assert [order.quantity_units for order in orders_in(records)] == [100]
    assert [each.detail.partition(": ")[2] for each in refusals(records)] == [
        "BBB: short by more than 100",
        "300000.00000000 is more than a fifth of equity",
    ]


# ---- in sessions ----

SMALL = '''
def small(order):
    """At most 3 at once."""
    return f"{order.quantity} is more than 3" if order.quantity > 3 else None
'''


class Grows(Strategy):
    """Buys 1, 2, 3 ... 6 units in turn; at tick `stop_at` its process is asked to stop, once."""

    def __init__(self, mark: Path | None = None, stop_at: int = 0) -> None:
        self._mark = mark
        self._stop_at = stop_at
        self._seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self._seen += 1
        if self._seen == self._stop_at and self._mark is not None and not self._mark.exists():
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGTERM)
        return market(BUY, self._seen % 6 + 1) if self._seen % 10 == 0 else None


def feed(ticks: int) -> ListFeed:
    return ListFeed(
        [Quote(n * SECOND, "ACME", 10_000, 10_002, 100, 100, ACME) for n in range(1, ticks + 1)], 50
    )


def begun(path: Path, ticks: int, strategy: Strategy) -> session.SessionResult:
    config = session_config(session={"id": "guarded"}, risk={"guards": [f"{path}:small"]})
    return session.run(config, strategy=strategy, feed=feed(ticks), switch=InProcessSwitch())


def journalled(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "state.jsonl").read_bytes().splitlines()
    bodies = [msgspec.json.decode(line)["body"] for line in lines]
    return [body for body in bodies if body["kind"] in ("refusal", "order")]


@pytest.fixture
def guard(tmp_path: Path, logos_home: Path) -> Path:
    path = tmp_path / "my_guards.py"
    path.write_text(SMALL)
    return path


def test_a_session_journals_refusals_and_replays_to_the_same_bytes(guard: Path) -> None:
    result = begun(guard, 100, Grows())
    records = journalled(result.folder)
    assert [each["kind"] for each in records].count("order") == 6
    found = [each for each in records if each["kind"] == "refusal"]
    assert {each["code"] for each in found} == {"USER_GUARD"}
    assert found[0]["detail"] == f"{guard}:small: 5 is more than 3"
    assert result.summary["refusals"] == {"USER_GUARD": 4}
    replay("guarded", strategy=Grows(), feed=feed(100))


@pytest.mark.long
def test_a_stopped_session_is_resumed_with_its_guards_as_if_it_had_run_through(
    guard: Path, tmp_path: Path
) -> None:
    ticks = 6_000
    mark = tmp_path / "stopped-once"
    stopped = begun(guard, ticks, Grows(mark, 95))
    assert stopped.status is SessionStatus.STOPPED
    result = resume("guarded", strategy=Grows(mark, 95), feed=feed(ticks), switch=InProcessSwitch())
    assert result.status is SessionStatus.ENDED
    assert result.summary["refusals"]["USER_GUARD"] == 200
    assert result.summary["orders"] == 400
    replay("guarded", strategy=Grows(mark, 95), feed=feed(ticks))


def test_a_session_whose_guard_changed_is_not_resumed(guard: Path, tmp_path: Path) -> None:
    mark = tmp_path / "stopped-once"
    assert begun(guard, 6_000, Grows(mark, 95)).status is SessionStatus.STOPPED
    guard.write_text(SMALL.replace("> 3", "> 4"))
    with pytest.raises(CannotResumeError, match="the source of the strategy or of a guard"):
        resume("guarded", strategy=Grows(mark, 95), feed=feed(6_000), switch=InProcessSwitch())


def test_a_session_without_guards_of_its_own_does_not_mention_them(logos_home: Path) -> None:
    result = session.run(
        session_config(), strategy=Grows(), feed=feed(10), switch=InProcessSwitch()
    )
    assert b'"guards"' not in (result.folder / "config.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("small", "guard 'small': write module:function or file.py:function"),
        ("gone.py:small", "there is no file gone.py"),
        ("no_such_module_of_guards:small", "there is no module no_such_module_of_guards"),
        ("json:small", "guard json:small: json has no function small"),
        ("json:JSONDecoder", "json has no function JSONDecoder"),
        ("json:dump", "guard json:dump: it must take one argument, the order"),
    ],
)
def test_a_name_that_is_no_guard_is_refused_before_the_session(
    name: str, words: str, logos_home: Path
) -> None:
    with pytest.raises(StrategyLoadError, match=words):
        load_guards([name])
    with pytest.raises(ConfigError, match=f"risk.guards: .*{words}"):
        session.run(
            session_config(risk={"guards": [name]}),
            strategy=Grows(),
            feed=feed(10),
            switch=InProcessSwitch(),
        )


def test_the_library_takes_functions_and_names() -> None:
    tables = tables_of({"guards": [begun, "a.py:b"]}, None, None)  # type: ignore[list-item]
    assert tables["risk"]["guards"] == [f"{__name__}:begun", "a.py:b"]
    with pytest.raises(logos.ConfigError, match="is not a function at the top of a module"):
        tables_of({"guards": [lambda _: None]}, None, None)
