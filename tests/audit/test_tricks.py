"""What a strategy can do to the process that guards it, and that `logos verify` finds it.

Python keeps no strategy from the objects of its own process: `gc` lists them all. So the tricks
here work, as far as they go. What counts: a session in which one worked is not called intact.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from journal_helpers import BarByBar, bars

from logos import session
from logos.audit.verdict import Verdict
from logos.audit.verify import verify
from logos.core import pipeline
from logos.core.context import CoreContext
from logos.core.gates import InProcessSwitch
from logos.core.handlers.figures import Figures
from logos.core.handlers.tools import Tools
from logos.core.order_manager import OrderManager
from logos.core.risk import Approved, judged_price
from logos.core.safety import SafetyMonitor
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import Side, SwitchState
from logos.journal.writer import JournalWriter
from logos.session import ExitCode, SessionResult
from logos.session import seal as sealing
from logos.session.artifacts.session_md.page import session_markdown

pytestmark = pytest.mark.long

T = TypeVar("T")

LIMITS: dict[str, Any] = {
    "max_order_quantity": "5",
    "max_position": "10",
    "max_order_notional": "60",
    "actions": {"max_position": "engage"},
    "total": {"max_orders": 3, "max_orders_window_s": "100000"},
}


def all_of(kind: type[T]) -> list[T]:
    """Every object of a class in this process, those that the collector set aside too."""
    gc.unfreeze()
    return [each for each in gc.get_objects() if type(each) is kind]


class Greedy(Strategy):
    """Buys seven shares at every bar, more than the limits allow; its trick comes at the second."""

    def __init__(self, trick: Callable[[], object] = lambda: None, quantity: int = 7) -> None:
        self.trick = trick
        self.quantity = quantity
        self.seen = 0

    def on_bar(self, context: Context, bar: Any) -> Answer:
        self.seen += 1
        if self.seen == 2:
            self.trick()
        return market(Side.BUY, self.quantity)


def run(home: Path, acting: Strategy, /, **tables: Any) -> SessionResult:
    """A session of forty bars with limits, in the workspace `home`."""
    config: dict[str, Any] = {
        "session": {"id": "tricked"},
        "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
        "account": {"balances": {"USD": "1000000"}},
        "risk": LIMITS,
        **tables,
    }
    return session.run(
        config, strategy=acting, feed=BarByBar(bars(40)), switch=InProcessSwitch(), home=home
    )


def found(verdict: Verdict) -> list[str]:
    return [str(each) for each in verdict.findings]


@pytest.fixture(autouse=True)
def no_core_of_before() -> Iterator[None]:
    """No core of an earlier test is left for `gc` to find."""
    gc.collect()
    yield
    gc.collect()


def test_without_a_trick_the_limits_hold_and_the_session_is_intact(tmp_path: Path) -> None:
    result = run(tmp_path, Greedy())
    assert result.summary["orders"] == 0
    assert result.summary["refused"] > 0
    verdict = verify(result.folder)
    assert (found(verdict), verdict.exit_code) == ([], ExitCode.FINISHED)


def loosen_limits() -> None:
    """Take the limits away, in every object that holds one."""
    for manager in all_of(OrderManager):
        manager.guards.order_count = 0
        for state in manager.states.values():
            state.limits.order_quantity = state.limits.order_notional = 0
            state.limits.position = 0


@pytest.mark.long
def test_loosened_limits_are_found_order_by_order(tmp_path: Path) -> None:
    result = run(tmp_path, Greedy(loosen_limits))
    assert result.summary["orders"] == 39
    verdict = verify(result.folder)
    assert (verdict.exit_code, verdict.orders) == (ExitCode.DIFFERS, 39)
    for words in (
        "order 1 of ACME: 7 units, max_order_quantity is 5",
        "max_order_notional is 6000",
        "order 2 of ACME: a position of 14 units could result, max_position is 10",
        "order 4 of ACME: made after 3 others in the window, total.max_orders is 3",
    ):
        assert any(words in each for each in found(verdict)), words


EXPOSED: dict[str, Any] = {
    "total": {"max_gross_exposure": "100", "max_net_exposure": "100", "max_drawdown": "10"}
}


def loosen_exposure() -> None:
    """Take the limits of the ledger away."""
    for manager in all_of(OrderManager):
        for ledger in manager.account.ledgers:
            limits = ledger.limits
            limits.gross_exposure = limits.net_exposure = limits.drawdown = 0
            limits.has_gross_limit = False


def test_loosened_limits_of_exposure_are_found(tmp_path: Path) -> None:
    result = run(tmp_path, Greedy(loosen_exposure), risk=EXPOSED)
    assert result.summary["orders"] > 30
    verdict = verify(result.folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    assert any("a gross exposure of" in each for each in found(verdict))


@pytest.mark.long
def test_loosened_parts_of_equity_are_found(tmp_path: Path) -> None:
    def loosen() -> None:
        for manager in all_of(OrderManager):
            for state in manager.states.values():
                state.limits.order_share = state.limits.position_share = 0

    shares = {"max_order_share": "0.00005", "max_position_share": "0.0001"}
    honest = run(tmp_path / "honest", Greedy(), risk=shares)
    assert (honest.summary["orders"], verify(honest.folder).findings) == (0, [])
    verdict = verify(run(tmp_path / "tricked", Greedy(loosen), risk=shares).folder)
    for words in ("max_order_share comes to", "max_position_share comes to"):
        assert any(words in each for each in found(verdict)), words


def test_a_ledger_whose_exposure_is_made_to_vanish_is_found(tmp_path: Path) -> None:
    def forge() -> None:
        for manager in all_of(OrderManager):
            for ledger in manager.account.ledgers:
                ledger.gross_exposure = ledger.net_exposure = -(10**12)

    verdict = verify(run(tmp_path, Greedy(forge), risk=EXPOSED).folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    assert any("does not agree with the fills before it" in each for each in found(verdict))


def test_a_guard_function_that_was_replaced_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def approve(intent: Any, state: Any, guards: Any, now_ns: int) -> Approved:
        return Approved(intent, 0, judged_price(intent, state))

    def replace() -> None:
        monkeypatch.setattr(pipeline, "check_intent", approve)

    result = run(tmp_path, Greedy(replace))
    verdict = verify(result.folder)
    if result.summary["orders"]:
        assert verdict.exit_code is ExitCode.DIFFERS
        assert any("max_order_quantity is 5" in each for each in found(verdict))
    else:  # the compiled core does not look the function up anew
        assert verdict.exit_code is ExitCode.FINISHED


def take_switch() -> None:
    """Put a switch that nobody engages in the place of the session's."""
    for manager in all_of(OrderManager):
        manager.switch = Deaf()
    for safety in all_of(SafetyMonitor):
        safety._switch = Deaf()


class Deaf:
    """A switch that does not engage."""

    epoch = 0

    flag = bytearray(1)

    def authority(self) -> SwitchState:
        return SwitchState.SAFE

    def engage(self, reason: str, by: str) -> None:
        pass

    def set_reduce_only(self, reason: str, by: str) -> None:
        pass

    def why(self) -> str:
        return ""


@pytest.mark.long
def test_a_switch_that_was_replaced_is_found_when_a_guard_engages_it(tmp_path: Path) -> None:
    limits = {"max_position": "10", "actions": {"max_position": "engage"}}
    honest = run(tmp_path / "honest", Greedy(), risk=limits)
    assert (honest.status.value, honest.summary["orders"]) == ("HALTED", 1)
    assert verify(honest.folder).exit_code is ExitCode.FINISHED
    result = run(tmp_path / "tricked", Greedy(take_switch), risk=limits)
    assert result.status.value == "ENDED"
    verdict = verify(result.folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    assert any("a guard was to make the switch ENGAGED; it did not" in e for e in found(verdict))


def test_an_engaged_switch_that_the_session_no_longer_sees_is_found(tmp_path: Path) -> None:
    """What was seen of the switch is put back to SAFE after an engagement."""

    def engage_and_forget() -> None:
        for safety in all_of(SafetyMonitor):
            safety._switch.engage("a test", "the test")
            safety.see_switch("tick")
            safety.seen = SwitchState.SAFE.value
            safety._switch.flag[0] = 0  # type: ignore[index]

    result = run(tmp_path, Greedy(engage_and_forget, 5))
    assert result.summary["orders"] > 1
    verdict = verify(result.folder)
    assert any("made while the kill switch was ENGAGED" in each for each in found(verdict))


@pytest.mark.parametrize("what", ["bytes", "line", "record"])
def test_what_is_written_into_the_journals_buffer_is_found(tmp_path: Path, what: str) -> None:
    def write() -> None:
        writers = [each for each in all_of(JournalWriter) if each.path.name == "state.jsonl"]
        [writer] = [each for each in writers if each.path.is_relative_to(tmp_path)]
        if what == "bytes":
            writer._buffer += b"nothing\n"
        elif what == "line":
            writer._buffer[:] = bytes(writer._buffer).rpartition(b"\n{")[0] + b"\n"
        else:
            writer.append({"kind": "order", "order_id": 1})

    class Writing(Greedy):
        def on_bar(self, context: Context, bar: Any) -> Answer:
            super().on_bar(context, bar)
            return market(Side.BUY, 5) if self.seen < 4 else None

    result = run(tmp_path, Writing(write))
    assert verify(result.folder).exit_code is ExitCode.DAMAGED


def test_a_fill_that_is_changed_before_it_is_written_down_is_found(tmp_path: Path) -> None:
    class Forging(Greedy):
        def on_bar(self, context: Context, bar: Any) -> Answer:
            self.seen += 1
            return market(Side.BUY, 5) if self.seen == 1 else None

        def on_fill(self, context: Context, fill: Any) -> Answer:
            msgspec.structs.force_setattr(fill, "price_units", fill.price_units // 2)
            return None

    verdict = verify(run(tmp_path, Forging()).folder)
    assert verdict.exit_code is ExitCode.DIFFERS


def test_a_page_that_says_other_figures_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = session_markdown

    def flatter(summary: Any) -> str:
        return honest(summary).replace(" 1,000,000.00 | ", " 9,000,000.00 | ", 1)

    def replace() -> None:
        monkeypatch.setattr(sealing, "session_markdown", flatter)

    verdict = verify(run(tmp_path, Greedy(replace, 5)).folder)
    assert [each.file for each in verdict.findings] == ["session.md"]


def test_a_line_taken_out_of_the_decision_log_is_found(tmp_path: Path) -> None:
    result = run(tmp_path, Greedy(quantity=5))
    log = tmp_path / "logos" / "logs" / "tricked.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:1] + lines[2:]))
    [finding] = verify(result.folder).findings
    assert (finding.file, finding.place) == ("tricked.jsonl", "line 2, character 30")


# ---- what a strategy is shown ----


def reachable(start: object) -> Iterator[tuple[str, object]]:
    """Every object that plain attributes lead to, of names that are not the language's own."""
    seen: set[int] = set()
    waiting = [("context", start)]
    while waiting:
        path, value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield path, value
        if isinstance(value, dict | list | tuple):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [(f"{path}[{key!r}]", each) for key, each in items]
        for name in dir(value):
            if not name.startswith("__"):
                try:
                    waiting.append((f"{path}.{name}", getattr(value, name)))
                except Exception:
                    continue


def test_the_context_shows_no_path_to_an_object_of_the_core(tmp_path: Path) -> None:
    paths: list[tuple[str, object]] = []

    class Looking(Strategy):
        def on_bar(self, context: Context, bar: Any) -> Answer:
            if not paths:
                paths.extend(reachable(context))
            return None

    run(tmp_path, Looking())
    assert len(paths) > 20
    # A compiled function that encloses something is an object of a class of its module; `Figures`
    # and `Tools` are tuples of such functions, and whatever they lead to is looked at as well.
    tuples = (Figures, Tools)
    functions_of = (CoreContext.__module__, *(each.__module__ for each in tuples))
    kinds = {
        path: type(value)
        for path, value in paths
        if type(value).__module__.startswith("logos.")
        and type(value) not in (CoreContext, *tuples)
        and not (callable(value) and type(value).__module__ in functions_of)
    }
    assert kinds == {}


def test_what_a_strategy_does_to_its_parameters_changes_no_settings(tmp_path: Path) -> None:
    class Meddling(Strategy):
        def on_start(self, context: Context) -> Answer:
            params: Any = context.params
            params["list"].append(4)
            params.clear()
            return None

    settings = {"params": {"list": [1, 2, 3]}}
    result = run(tmp_path, Meddling(), strategy=settings)
    assert verify(result.folder).exit_code is ExitCode.FINISHED
    assert '"list":[1,2,3]' in (result.folder / "config.json").read_text().replace(" ", "").replace(
        "\n", ""
    )
