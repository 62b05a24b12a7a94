"""Whatever a strategy raises is its failure, and ends the session with everything written.

Also what would end a process (SystemExit, GeneratorExit, a KeyboardInterrupt of its own), and
answers whose own methods raise. An operator's interrupt in the middle of a strategy stays a stop.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from session_helpers import table
from wrong_sessions import (
    CONFIG,
    STRATEGIES,
    STRATEGY,
    Workspace,
    assert_one_message,
    workspace_with_a_session,
)

from logos.interrupts import OperatorInterrupt, is_interrupt
from logos.session import ExitCode

TRICKS = (
    STRATEGIES
    + """

class Own(BaseException):
    pass


class Silent(BaseException):
    def __str__(self):
        raise GeneratorExit


class Raising(Buys):
    def fifth(self, context):
        raise self.error


class RaisesOwn(Raising):
    error = Own("the model is gone")


class RaisesGeneratorExit(Raising):
    error = GeneratorExit("the model is gone")


class RaisesInterrupt(Raising):
    error = KeyboardInterrupt("the model is gone")


class RaisesSilent(Raising):
    error = Silent("the model is gone")


class RaisesEndless(Raising):
    error = RuntimeError("the model is gone " * 1_000_000)


class RaisesMemoryError(Buys):
    def fifth(self, context):
        return bytearray(1 << 60)


class Recurses(Buys):
    def fifth(self, context):
        return self.fifth(context)


class ExitsInStart(Buys):
    def on_start(self, context):
        raise Own("the model is gone")


class ExitsInFill(Buys):
    def on_fill(self, context, fill):
        raise KeyboardInterrupt("the model is gone")


class ExitsInStop(Buys):
    def on_stop(self, context):
        raise GeneratorExit("the model is gone")


class ExitsWhenCounted(Buys):
    @property
    def unused(self):
        raise SystemExit("the model is gone")


class ExitsWhenNotAnAnswer(Buys):
    def fifth(self, context):
        class Trick:
            @property
            def symbol(self):
                raise SystemExit("the model is gone")
        return Trick()


class Many(Buys):
    def fifth(self, context):
        return [Side.BUY] * 10_001


class Hostile(list):
    def __iter__(self):
        raise SystemExit("the model is gone")
    __len__ = __getitem__ = __contains__ = __iter__


class HostileTuple(tuple):
    def __iter__(self):
        raise SystemExit("the model is gone")
    __len__ = __getitem__ = __contains__ = __iter__


class Word(str):
    def __hash__(self):
        raise SystemExit("the model is gone")
    __eq__ = __len__ = __str__ = __repr__ = isprintable = lambda *_: 1 / 0


class Lot(int):
    def __str__(self):
        raise SystemExit("the model is gone")
    __repr__ = __format__ = __int__ = __index__ = __lt__ = __gt__ = __bool__ = __str__


class Tricks(Buys):
    def fifth(self, context):
        word = Word("ACME")
        return Hostile([
            market(Side.BUY, Lot(1), symbol=word, tag=Word("mine")),
            market(Side.BUY, Lot(-1)),
        ])

    def on_stop(self, context):
        return HostileTuple([market(Side.SELL, Lot(1), symbol="ACME"), Cancel(tag=Word("mine"))])


class InterruptedTwice(Buys):
    def fifth(self, context):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            pass
"""
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = workspace_with_a_session(tmp_path_factory.mktemp("exceptions"))
    made.write("user_strategies.py", TRICKS)
    return made


def traded(workspace: Workspace, name: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    workspace.write(f"{name}.toml", CONFIG.replace(STRATEGY, f'name = "user_strategies:{name}"'))
    given = ("--config", f"{name}.toml", "--session-id", f"run_{name}", "--quiet")
    # What an interrupt does is seen in a process alone.
    run = workspace.spawn if "Interrupt" in name or name == "ExitsInFill" else workspace.trade
    return run(*given), workspace.sessions / f"run_{name}"


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Exits", "on_bar: SystemExit: 0"),
        ("RaisesOwn", "on_bar: Own: the model is gone"),
        ("RaisesGeneratorExit", "on_bar: GeneratorExit: the model is gone"),
        ("RaisesInterrupt", "on_bar: KeyboardInterrupt: the model is gone"),
        ("RaisesSilent", "on_bar: Silent: (its text cannot be made: GeneratorExit)"),
        ("RaisesEndless", "on_bar: RuntimeError: the model is gone the model is gone"),
        ("RaisesMemoryError", "on_bar: MemoryError: "),
        ("Recurses", "on_bar: RecursionError: maximum recursion depth exceeded"),
        ("ExitsInStart", "on_start: Own: the model is gone"),
        ("ExitsInFill", "on_fill: KeyboardInterrupt: the model is gone"),
        ("ExitsInStop", "on_stop: GeneratorExit: the model is gone"),
        ("ExitsWhenCounted", "unused: SystemExit: the model is gone"),
        ("ExitsWhenNotAnAnswer", "a list of these, not Trick"),
        ("Many", "10001 requests are answered to one event; at most 10000 are taken"),
    ],
)
def test_whatever_a_strategy_raises_seals_the_session_as_its_failure(
    workspace: Workspace, name: str, words: str
) -> None:
    done, folder = traded(workspace, name)
    assert_one_message(done, ExitCode.STRATEGY_FAILED, words, str(folder))
    assert len(done.stderr) < 4_000
    lines = (folder / "state.jsonl").read_text(encoding="utf-8").splitlines()
    assert '"kind":"sealed"' in lines[-1]
    assert words in lines[-1]
    assert (folder / "host.json").is_file()
    assert "**FAILED**" in (folder / "session.md").read_text(encoding="utf-8")
    ended = {"FILLED", "CANCELLED", "REJECTED", "EXPIRED"}
    assert {order["status"] for order in table(folder, "orders")} <= ended


@pytest.mark.long
def test_methods_of_derived_classes_in_an_answer_are_never_called(workspace: Workspace) -> None:
    done, folder = traded(workspace, "Tricks")
    assert (done.returncode, done.stderr) == (0, "")
    orders = [(order["side"], order["quantity"]) for order in table(folder, "orders")]
    assert orders == [("BUY", "2"), ("BUY", "1"), ("BUY", "1"), ("SELL", "1")]
    report = (folder / "session.md").read_text(encoding="utf-8")
    assert "| NEGATIVE_QUANTITY | 1 |" in report
    assert "| UNKNOWN_ORDER | 1 |" in report


@pytest.mark.long
def test_a_second_signal_in_the_middle_of_a_strategy_is_the_operators(workspace: Workspace) -> None:
    done, folder = traded(workspace, "InterruptedTwice")
    assert done.returncode == 130
    assert "terminated by a second signal" in done.stderr
    assert not (folder / "host.json").exists(), "it can be resumed"
    last = (folder / "state.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert '"kind":"sealed"' not in last


# ---- whose interrupt it is ----


@pytest.fixture
def pythons_handler() -> Iterator[None]:
    """Tests that run in the background of a shell begin with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("pythons_handler")
def test_an_interrupt_is_known_by_where_it_begins() -> None:
    with pytest.raises(KeyboardInterrupt) as raised:
        raise KeyboardInterrupt
    assert not is_interrupt(raised.value)
    with pytest.raises(KeyboardInterrupt) as came:
        signal.raise_signal(signal.SIGINT)
    assert is_interrupt(came.value)
    with pytest.raises(OperatorInterrupt) as ours:
        raise OperatorInterrupt
    assert is_interrupt(ours.value)
    assert not is_interrupt(SystemExit())
    assert not is_interrupt(None)


def test_a_handler_of_the_program_around_raises_an_operators_interrupt() -> None:
    def on_signal(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        with pytest.raises(KeyboardInterrupt) as came:
            signal.raise_signal(signal.SIGINT)
        assert is_interrupt(came.value)
    finally:
        signal.signal(signal.SIGINT, before)
