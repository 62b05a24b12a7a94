"""What a session is not resumed, sealed or replayed with; nothing of it is touched then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crash_helpers import Bench, operations_of
from crash_sessions import (
    STORIES,
    Story,
    begin,
    files_of,
    log_file,
    replay,
    resume,
    session_folder,
    stopped,
)
from crash_strategies import Restless, Saving
from file_faults import Cut, at
from journal_helpers import change_manifest

from logos import __version__
from logos.cli.main import main
from logos.config import ConfigError
from logos.core.gates import InProcessSwitch
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import SessionStatus, SwitchState
from logos.journal.lock import SessionBusyError
from logos.journal.writer import JournalWriter
from logos.killswitch.breaker import CircuitBreaker
from logos.session import ExitCode, entry, history
from logos.session.artifacts.recoveries import RECOVERIES
from logos.session.open import open_session
from logos.session.opening.machine_switch import SwitchEngagedError
from logos.session.opening.spec import Purpose, SessionSpec
from logos.session.restoring import CannotResumeError

TRADING = STORIES["trading"]
SAVED = STORIES["saved"]


@pytest.fixture(scope="module", autouse=True)
def counted() -> None:
    """Count before every session is judged, which makes operations of its own."""
    for name in ("trading", "saved"):
        operations_of(name)


def crash(name: str, home: Path, share: float = 0.5) -> None:
    """A story that lost its process after that share of its file operations."""
    assert Bench(name, home).go(at(int(operations_of(name) * share), Cut())) is None


def last_recovery(home: Path) -> dict[str, Any]:
    *_, line = (session_folder(home) / RECOVERIES).read_text().splitlines()
    told: dict[str, Any] = json.loads(line)
    return told


# ---- not the session that began ----


def in_words(words: str) -> str:
    return f"{words} of session crashed changed since it began: put back what was there"


class Quiet(Strategy):
    """From another file than the story's."""

    def on_quote(self, context: Context, quote: Any) -> Answer:
        return None


SOURCE = (
    "the source of the strategy or of a guard, or the signals file, of session crashed changed "
    "since it began"
)
DATA = {
    "symbol": "AAA",
    "kind": "quotes",
    "files": {"AAA.csv": "0" * 64},
    "rows": 1,
    "rows_dropped": 0,
    "first": "",
    "last": "",
    "accepted_defects": {},
}
CHANGED_FIELDS = {
    "data": ([DATA], in_words("the market data")),
    "strategy": ("elsewhere:Other", in_words("the strategy")),
    "strategy_fingerprint": ("0" * 64, SOURCE),
    "config_hash": ("0" * 64, in_words("the settings")),
    "software": ("0.0.1", f"begun by logos 0.0.1, this is {__version__}: use that version"),
}


@pytest.mark.long
@pytest.mark.parametrize("field", CHANGED_FIELDS)
def test_a_session_that_began_otherwise_is_not_resumed_sealed_or_replayed(
    tmp_path: Path, field: str
) -> None:
    value, words = CHANGED_FIELDS[field]
    begin(TRADING, tmp_path, InProcessSwitch())
    folder = session_folder(tmp_path)
    change_manifest(folder, **{field: value})
    before = files_of(tmp_path)
    with pytest.raises(CannotResumeError, match=words):
        replay(TRADING, tmp_path)
    (folder / "host.json").unlink()  # as if it had crashed
    for is_seal in (False, True):
        with pytest.raises(CannotResumeError, match=words):
            resume(TRADING, tmp_path, InProcessSwitch(), seal=is_seal)
    assert files_of(tmp_path) == before
    assert not (folder / RECOVERIES).exists(), "nothing was resumed"


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Saving(), in_words("the strategy")),  # another class of the same file
        (Quiet(), SOURCE),
        (None, r"was run with crash_strategies:Restless, an object that its files do not hold"),
    ],
)
def test_another_strategy_or_none_is_refused(
    tmp_path: Path, strategy: Strategy | None, words: str
) -> None:
    crash("trading", tmp_path)
    before = files_of(tmp_path)
    with pytest.raises(CannotResumeError, match=words):
        entry.resume(
            "crashed",
            strategy=strategy,
            feed=TRADING.feed,
            switch=InProcessSwitch(),
            home=tmp_path,
        )
    assert files_of(tmp_path) == before


def test_a_session_on_tables_is_not_resumed_without_them(tmp_path: Path) -> None:
    crash("trading", tmp_path)
    with pytest.raises(CannotResumeError, match=r"ran on tables in memory \(AAA, BBB, CCC\)"):
        entry.resume("crashed", strategy=TRADING.strategy, switch=InProcessSwitch(), home=tmp_path)


@pytest.mark.long
def test_a_strategy_that_is_named_in_the_settings_need_not_be_given_again(tmp_path: Path) -> None:
    config = {
        **TRADING.config,
        "strategy": {
            "name": "schedule",
            "params": {
                "orders": [
                    {
                        "time": "2023-11-14T22:14:00Z",
                        "symbol": "AAA",
                        "side": "BUY",
                        "quantity": 10,
                    }
                ]
            },
        },
    }
    options: dict[str, Any] = {"home": tmp_path, "switch": InProcessSwitch()}
    began = entry.run(config, feed=TRADING.feed, **options)
    assert (began.status, began.summary["orders"]) == (SessionStatus.ENDED, 1)
    expected = files_of(tmp_path)
    entry.replay("crashed", feed=TRADING.feed, home=tmp_path)
    (session_folder(tmp_path) / "host.json").unlink()
    resumed = entry.resume("crashed", feed=TRADING.feed, **options)
    assert resumed.status is SessionStatus.ENDED
    assert files_of(tmp_path) == expected


@pytest.mark.long
def test_a_session_on_signals_reads_them_again(tmp_path: Path) -> None:
    signals = tmp_path / "signals.csv"
    signals.write_text(
        "timestamp,symbol,side,quantity\n"
        "2023-11-14T22:13:30Z,AAA,BUY,10\n2023-11-14T22:14:40Z,AAA,SELL,4\n"
    )
    config = {**TRADING.config, "strategy": {"signals": str(signals)}}
    home = tmp_path / "home"
    options: dict[str, Any] = {"home": home, "switch": InProcessSwitch()}
    began = entry.run(config, feed=TRADING.feed, **options)
    assert (began.summary["orders"], began.summary["strategy"]) == (2, f"signals from {signals}")
    expected = files_of(home)
    entry.replay("crashed", feed=TRADING.feed, home=home)
    folder = session_folder(home)
    (folder / "host.json").unlink()
    drop_lines(folder / "state.jsonl", 3)
    resumed = entry.resume("crashed", feed=TRADING.feed, **options)
    assert (resumed.status, resumed.summary["orders"]) == (SessionStatus.ENDED, 2)
    assert files_of(home) == expected
    (folder / "host.json").unlink()
    signals.write_text(signals.read_text().replace("SELL,4", "SELL,5"))
    with pytest.raises(CannotResumeError, match="signals file, of session crashed changed"):
        entry.resume("crashed", feed=TRADING.feed, **options)


# ---- nothing to resume ----


@pytest.mark.long
@pytest.mark.parametrize("is_seal", [False, True])
@pytest.mark.parametrize(("name", "status"), [("trading", "ENDED"), ("halted", "HALTED")])
def test_a_session_that_has_ended_is_neither_resumed_nor_sealed(
    tmp_path: Path, name: str, status: str, is_seal: bool
) -> None:
    begin(STORIES[name], tmp_path, InProcessSwitch())
    before = files_of(tmp_path)
    with pytest.raises(CannotResumeError, match=rf"crashed has ended \({status}\): there is noth"):
        resume(STORIES[name], tmp_path, InProcessSwitch(), seal=is_seal)
    assert files_of(tmp_path) == before
    assert (session_folder(tmp_path) / "host.json").is_file()


@pytest.mark.long
def test_a_sealed_session_is_not_resumed_again_and_replays(tmp_path: Path) -> None:
    crash("trading", tmp_path)
    sealed = resume(TRADING, tmp_path, InProcessSwitch(), seal=True)
    assert (sealed.status, sealed.exit_code) == (
        SessionStatus.CRASHED_RECOVERED,
        ExitCode.FINISHED,
    )
    for is_seal in (False, True):
        with pytest.raises(CannotResumeError, match=r"has ended \(CRASHED_RECOVERED\)"):
            resume(TRADING, tmp_path, InProcessSwitch(), seal=is_seal)
    replay(TRADING, tmp_path)


@pytest.mark.long
def test_a_stopped_session_is_not_sealed_and_names_the_way(tmp_path: Path) -> None:
    begin(stopped(TRADING, 5), tmp_path, InProcessSwitch())
    words = "did not crash but was stopped, and is sealed: resume it by `logos resume crashed`"
    with pytest.raises(CannotResumeError, match=words):
        resume(TRADING, tmp_path, InProcessSwitch(), seal=True)
    assert resume(TRADING, tmp_path, InProcessSwitch()).status is SessionStatus.ENDED


@pytest.mark.long
@pytest.mark.parametrize("missing", ["host.json", "the seal"])
def test_a_session_that_was_never_finished_is_not_replayed(tmp_path: Path, missing: str) -> None:
    begin(TRADING, tmp_path, InProcessSwitch())
    folder = session_folder(tmp_path)
    if missing == "host.json":
        (folder / missing).unlink()
    else:
        drop_lines(folder / "state.jsonl", 1)
    with pytest.raises(
        CannotResumeError, match=r"was never finished: finish it with `logos resume crashed`"
    ):
        replay(TRADING, tmp_path)


def test_a_session_that_is_not_there_is_no_session(tmp_path: Path) -> None:
    for call in (resume, replay):
        with pytest.raises(ConfigError, match="no such session"):
            call(TRADING, tmp_path)


# ---- somebody else has it ----


@pytest.mark.long
@pytest.mark.parametrize("is_seal", [False, True])
def test_a_session_that_another_process_writes_is_left_alone(tmp_path: Path, is_seal: bool) -> None:
    crash("saved", tmp_path)
    folder = session_folder(tmp_path)
    size = (folder / "state.jsonl").stat().st_size
    before = files_of(tmp_path)
    other = JournalWriter.continuing(folder / "state.jsonl", size)
    try:
        with pytest.raises(SessionBusyError, match="in use by a running session"):
            resume(SAVED, tmp_path, InProcessSwitch(), seal=is_seal)
        assert files_of(tmp_path) == before
    finally:
        other.close()
    assert resume(SAVED, tmp_path, InProcessSwitch(), seal=is_seal).exit_code == 0


# ---- the kill switch ----


def drop_lines(journal: Path, count: int) -> None:
    """The journal as a crash leaves it that came so many lines before its end."""
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-count]))


def engaged(home: Path) -> None:
    """The workspace's own switch, engaged before the session is resumed."""
    switch = CircuitBreaker(home / "state" / "kill-switch")
    switch.engage("drill", "ann")
    switch.close()


@pytest.mark.long
def test_an_engaged_switch_lets_only_a_session_be_resumed_that_was_ending_for_it(
    tmp_path: Path,
) -> None:
    trading, halted = tmp_path / "trading", tmp_path / "halted"
    crash("trading", trading)
    begin(STORIES["halted"], halted, InProcessSwitch())
    (session_folder(halted) / "host.json").unlink()
    drop_lines(session_folder(halted) / "state.jsonl", 1)
    engaged(trading)
    before = files_of(trading)
    with pytest.raises(SwitchEngagedError, match="drill"):
        resume(TRADING, trading)
    assert files_of(trading) == before
    engaged(halted)
    assert resume(STORIES["halted"], halted).status is SessionStatus.HALTED


@pytest.mark.long
def test_a_switch_that_was_reduced_only_does_not_excuse_an_engaged_one(tmp_path: Path) -> None:
    class Reducing(Story):
        """Its strategy's switch is brought to REDUCE_ONLY from outside, and never engaged."""

        switch = InProcessSwitch()

        @property
        def feed(self) -> Any:
            return _Reduced(super().feed, self.switch)

    story = Reducing(60, 10)
    begin(story, tmp_path, story.switch)
    recorded = history.read_session(session_folder(tmp_path)).recording.switches
    assert [record.state for record in recorded] == [SwitchState.REDUCE_ONLY.name]
    (session_folder(tmp_path) / "host.json").unlink()
    drop_lines(session_folder(tmp_path) / "state.jsonl", 3)
    engaged(tmp_path)
    with pytest.raises(SwitchEngagedError, match="drill"):
        resume(Story(60, 10), tmp_path)


class _Reduced:
    def __init__(self, feed: Any, switch: InProcessSwitch) -> None:
        self._feed = feed
        self._switch = switch

    def chunks(self) -> Iterator[Any]:
        for number, events in enumerate(self._feed.chunks()):
            if number == 3:
                self._switch.set_reduce_only("a drill", "the test")
            yield events


# ---- what each ends with ----


def test_a_spec_is_for_trading_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert SessionSpec().purpose is Purpose.TRADE
    assert {each.value for each in Purpose} == {*("trade", "seal", "replay", "look", "reconcile")}
    crash("trading", tmp_path)
    spec = SessionSpec(
        session_id="crashed",
        strategy=TRADING.strategy,
        feed=TRADING.feed,
        switch=InProcessSwitch(),
        home=tmp_path,
    )
    with open_session(spec) as session:
        assert not session.is_over
        assert session.session_id == "crashed"
    assert last_recovery(tmp_path)["result"] == "", "it was opened and not driven"


@pytest.mark.long
def test_a_new_sessions_log_is_its_own(tmp_path: Path) -> None:
    begin(TRADING, tmp_path, InProcessSwitch())
    assert log_file(tmp_path).is_file()
    assert isinstance(TRADING.strategy, Restless)
    with pytest.raises(ConfigError, match="exists already"):
        begin(TRADING, tmp_path, InProcessSwitch())


@pytest.mark.parametrize("command", ["resume", "replay"])
def test_the_commands_refuse_with_the_code_of_a_wrong_setting(
    logos_home: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "nobody"]) == ExitCode.BAD_CONFIGURATION
    assert "no such session" in capsys.readouterr().err
