"""`logos.run`, `resume`, `replay` and `result`: a session from Python, quietly, in its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from library_helpers import CASH, Crossing, frame
from library_helpers import WORDS as ACME
from places import CACHE, PROJECT

import logos
from logos import Answer, Bar, Context, QuoteBar, Strategy
from logos.core.types import SessionStatus
from logos.library.sessions import Session
from logos.session.outcome import ExitCode


class Failing(Strategy):
    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        raise RuntimeError("no idea")


def on_frame(home: Path, **words: Any) -> logos.Result:
    data = logos.bars(frame(), **ACME)
    return logos.run(Crossing(60), data=data, cash=CASH, home=home, **words)


def test_one_call_runs_a_session_on_files(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = logos.run(Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH, home=tmp_path)
    assert result.status is SessionStatus.ENDED
    assert result.ok
    assert result.check() is result
    assert result.exit_code is ExitCode.FINISHED
    assert result.folder == tmp_path / "runs" / "live" / "sessions" / "session-0001"
    assert result.home == tmp_path
    assert result.summary["ticks"] == len(frame())
    assert result.summary["orders"] > 10
    assert capfd.readouterr() == ("", "")  # library calls are quiet


def test_a_caller_who_asks_hears_of_the_session(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logos.run(Crossing(60), data=CACHE, symbols="ACME", cash=CASH, home=tmp_path, verbose=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "armed for paper" in err
    assert "ticks" in err


def test_the_state_at_the_end_says_when_and_with_which_seed(tmp_path: Path) -> None:
    result = on_frame(tmp_path, seed=7)
    state = json.loads((result.folder / "state.json").read_bytes())
    assert state["seed"] == 7
    assert state["start"] == result.summary["first_event"] == "2026-01-05T13:31:00.000000000Z"
    assert state["end"] == result.summary["last_event"] == "2026-01-07T20:00:00.000000000Z"


def test_the_default_place_is_the_workspace(logos_home: Path) -> None:
    result = logos.run(Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH)
    assert result.home == logos_home
    assert logos.result(result.session_id).summary == result.summary


def test_a_temporary_home_has_a_switch_of_its_own(logos_home: Path) -> None:
    logos.CircuitBreaker().engage("not now")
    with pytest.raises(logos.LogosError, match="not now"):
        logos.run(Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH)
    result = logos.run(Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH, home="temporary")
    assert result.ok
    assert logos_home not in result.folder.parents
    assert (result.home / "state" / "kill-switch").is_dir()


@pytest.mark.long
def test_a_temporary_home_goes_with_its_process() -> None:
    script = (
        "import logos\n"
        f"result = logos.run('sma_cross', data={str(CACHE)!r}, symbols=['ACME'], "
        "cash={'USD': 1000}, home='temporary')\n"
        "assert result.folder.is_dir()\n"
        "print(result.home)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not Path(done.stdout.strip()).exists()
    assert done.stderr == ""


@pytest.mark.long
def test_a_frame_gives_the_bytes_that_its_file_gives(tmp_path: Path) -> None:
    fees = {"per_unit": "0.005", "minimum": "1", "decimals": 2, "rounding": "up"}
    table = logos.bars(frame(), **ACME, base="ACME", min_quantity="1", fees=fees)
    from_table = logos.run(Crossing(60), data=table, cash=CASH, home=tmp_path / "table")
    from_file = logos.run(
        Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH, home=tmp_path / "file"
    )
    for name in ("orders.csv", "trades.csv", "positions.csv", "account.csv"):
        assert (from_table.folder / name).read_bytes() == (from_file.folder / name).read_bytes()


@pytest.mark.long
def test_a_session_on_a_frame_is_replayed_with_the_frame(tmp_path: Path) -> None:
    result = on_frame(tmp_path)
    again = logos.replay(
        result.session_id, strategy=Crossing(60), data=logos.bars(frame(), **ACME), home=tmp_path
    )
    assert again.summary == result.summary


@pytest.mark.long
def test_what_the_files_do_not_hold_must_be_given_again(tmp_path: Path) -> None:
    result = on_frame(tmp_path)
    data = logos.bars(frame(), **ACME)
    with pytest.raises(
        logos.LogosError, match=r"library_helpers:Crossing, an object that.*give it again"
    ):
        logos.replay(result.session_id, data=data, home=tmp_path)
    with pytest.raises(logos.LogosError, match=r"ran on tables in memory \(ACME\).*data="):
        logos.replay(result.session_id, strategy=Crossing(60), home=tmp_path)


@pytest.mark.long
def test_other_data_is_noticed_by_its_fingerprint(tmp_path: Path) -> None:
    result = on_frame(tmp_path)
    other = frame()
    other.iloc[700, 4] += 1  # one volume
    with pytest.raises(logos.LogosError, match=r"the market data of session .* changed"):
        logos.replay(
            result.session_id,
            strategy=Crossing(60),
            data=logos.bars(other, **ACME),
            home=tmp_path,
        )


@pytest.mark.long
def test_another_strategy_is_noticed(tmp_path: Path) -> None:
    result = on_frame(tmp_path)
    data = logos.bars(frame(), **ACME)
    with pytest.raises(logos.LogosError, match=r"state\.jsonl:[0-9]+ is"):
        logos.replay(result.session_id, strategy=Crossing(59), data=data, home=tmp_path)
    with pytest.raises(logos.LogosError, match=r"the source of the strategy"):
        logos.replay(result.session_id, strategy=Failing(), data=data, home=tmp_path)


@pytest.mark.long
def test_a_stopped_session_is_resumed_with_its_frame(tmp_path: Path) -> None:
    class Stopping(Crossing):
        """An operator's Ctrl-C after some bars."""

        stop_at = 300

        def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
            self.stop_at -= 1
            if self.stop_at == 0:
                os.kill(os.getpid(), 2)
            return super().on_bar(context, bar)

    data = logos.bars(frame(), **ACME)
    stopped = logos.run(Stopping(60), data=data, cash=CASH, home=tmp_path)
    assert stopped.status is SessionStatus.STOPPED
    assert stopped.ok
    calm = Stopping(60)
    calm.stop_at = -1
    ended = logos.resume(stopped.session_id, strategy=calm, data=data, home=tmp_path)
    assert ended.status is SessionStatus.ENDED
    whole = on_frame(tmp_path / "whole")
    assert ended.summary["currencies"] == whole.summary["currencies"]


@pytest.mark.long
def test_a_named_strategy_needs_nothing_again(tmp_path: Path) -> None:
    result = logos.run(
        "sma_cross",
        params={"fast": 5, "slow": 20},
        data=CACHE,
        symbols=["ACME"],
        cash=CASH,
        home=tmp_path,
    )
    assert logos.replay(result.session_id, home=tmp_path).summary == result.summary


def test_a_class_is_made_with_its_parameters(tmp_path: Path) -> None:
    by_class = logos.run(
        Crossing, params={"length": 30}, data=CACHE, symbols="ACME", cash=CASH, home=tmp_path
    )
    by_hand = logos.run(Crossing(30), data=CACHE, symbols="ACME", cash=CASH, home=tmp_path)
    assert by_class.summary["currencies"] == by_hand.summary["currencies"]
    assert by_hand.session_id == "session-0002"


def test_a_failing_strategy_gives_a_result_that_says_so(tmp_path: Path) -> None:
    result = logos.run(Failing(), data=CACHE, symbols=["ACME"], cash=CASH, home=tmp_path)
    assert result.status is SessionStatus.FAILED
    assert result.exit_code is ExitCode.STRATEGY_FAILED
    assert "no idea" in result.reason
    with pytest.raises(
        logos.StrategyError,
        match=r"no idea \(test_run.py:\d+, in on_bar\)\nWhat was done until then is in",
    ):
        result.check()
    saved = logos.result(result.session_id, home=tmp_path)
    assert saved.exit_code is ExitCode.STRATEGY_FAILED
    assert saved.summary == result.summary


def test_settings_of_a_file_lie_below_the_words(tmp_path: Path) -> None:
    file = tmp_path / "session.toml"
    file.write_text(
        '[strategy]\nname = "ema_cross"\nparams = { fast = 3, slow = 9 }\n'
        '[account]\nbalances = { USD = "5" }\n[risk]\nmax_position = "7"\n'
    )
    session = Session(
        Crossing(60), data=CACHE, cash=CASH, config=file, home=tmp_path, seed=3, fill="bid_ask"
    )
    assert session.config.strategy.name == ""
    assert session.config.strategy.params == {}
    assert session.config.account.balances == {"USD": Decimal(100_000)}
    assert session.config.risk.max_position == 7
    assert session.config.session.seed == 3
    assert session.config.paper.fill.value == "bid_ask"
    assert session.config.data.accept == ["gap"]


def test_a_float_means_the_decimal_that_python_shows() -> None:
    session = Session("sma_cross", data=CACHE, cash={"USD": 0.1}, home="temporary")
    assert session.config.account.balances == {"USD": Decimal("0.1")}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"cahs": {"USD": 1}}, "unknown option 'cahs'"),
        ({"symbol": "ACME"}, "unknown option 'symbol'"),
        ({"parms": {}}, "did you mean 'params'"),
        ({"data": pd.DataFrame()}, "a DataFrame does not say what it holds: wrap a table"),
        ({"data": ["data/cache", 3]}, "a int does not say what it holds"),
        ({"data": "nowhere"}, "nowhere: there is no such file or folder"),
        ({"data": None}, "no market data"),
        ({"signals": "signals.csv"}, "strategy and signals are both given"),
        ({"params": {"length": 3}}, "has been made already"),
        ({"accept": ["gaps"]}, "cannot accept gaps"),
        ({"symbols": ["NONE"]}, "no market data for NONE"),
        ({"fill": "always"}, "paper.fill"),
        ({"start": pd.Timestamp("2026-01-05")}, "start and end need a time zone"),
        ({"session_id": "../up"}, "not a session id"),
        ({"config": {"risc": {}}}, "did you mean 'risk'"),
    ],
)
def test_what_is_wrong_is_a_logos_error_that_says_so(
    words: dict[str, Any], message: str, tmp_path: Path
) -> None:
    given = {"data": CACHE, "symbols": ["ACME"], "cash": CASH, "home": tmp_path, **words}
    with pytest.raises(logos.LogosError) as caught:
        logos.run(Crossing(60), **given)
    assert message in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_strategy_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(logos.ConfigError, match="a int is none"):
        logos.run(3, data=CACHE, home=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(logos.ConfigError, match="no strategy"):
        logos.run(data=CACHE, symbols=["ACME"], home=tmp_path)


def test_a_workspace_that_cannot_be_written_is_a_logos_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(logos.WorkspaceError, match="give a folder that may be written as home="):
        logos.run(Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH, home=blocked)


def test_an_unknown_or_unfinished_session_has_no_result(tmp_path: Path) -> None:
    with pytest.raises(logos.ConfigError, match=r"no such session: .*nothing"):
        logos.result("nothing", home=tmp_path)
    result = on_frame(tmp_path)
    (result.folder / "host.json").unlink()
    with pytest.raises(logos.LogosError, match=r"has not ended.*logos resume session-0001"):
        logos.result("session-0001", home=tmp_path)


@pytest.mark.long
def test_times_cut_tables_as_they_cut_files(tmp_path: Path) -> None:
    words: dict[str, Any] = {"start": "2026-01-05T14:00:00Z", "end": "2026-01-05T15:00:00Z"}
    table = on_frame(tmp_path, **words)
    file = logos.run(Crossing(60), data=CACHE, symbols=["ACME"], cash=CASH, home=tmp_path, **words)
    assert table.summary["ticks"] == file.summary["ticks"] == 60
    data = logos.bars(frame(), **ACME)
    again = logos.replay(table.session_id, strategy=Crossing(60), data=data, home=tmp_path)
    assert again.summary["ticks"] == 60
    with pytest.raises(logos.DataError, match="there are no events in the time asked for"):
        on_frame(tmp_path, start="2027-01-01T00:00:00Z")


def test_tables_that_cannot_be_what_the_session_trades(tmp_path: Path) -> None:
    data = logos.bars(frame(), **ACME)
    with pytest.raises(logos.DataError, match="no table of OTHER was given; given: ACME"):
        logos.run(Crossing(60), data=data, symbols=["OTHER"], home=tmp_path)
    with pytest.raises(logos.ConfigError, match="give each table once"):
        logos.run(Crossing(60), data=[data, data], home=tmp_path)
    with pytest.raises(logos.ConfigError, match="files or tables, not both"):
        logos.run(Crossing(60), data=[data, CACHE], home=tmp_path)


# ---- signals ----


def signal_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "timestamp": pd.to_datetime(["2026-01-05T14:00:00Z", "2026-01-05T15:00:00Z"], utc=True),
            "symbol": ["ACME", "ACME"],
            "side": ["LONG", "FLAT"],
        }
    )


@pytest.mark.long
def test_signals_in_a_table_do_what_those_in_a_file_do(tmp_path: Path) -> None:
    file = tmp_path / "signals.csv"
    signal_table().to_csv(file, index=False)
    words: dict[str, Any] = {
        "data": CACHE,
        "symbols": ["ACME"],
        "cash": CASH,
        "home": tmp_path,
        "params": {"quantity": 10},
    }
    by_table = logos.run(signals=signal_table(), **words)
    by_file = logos.run(signals=file, **words)
    by_index = logos.run(signals=signal_table().set_index("timestamp"), **words)
    assert by_table.summary["orders"] == 2
    for other in (by_file, by_index):
        assert other.summary["currencies"] == by_table.summary["currencies"]
    again = logos.replay(
        by_table.session_id, signals=signal_table(), params={"quantity": 10}, home=tmp_path
    )
    assert again.summary == by_table.summary
    with pytest.raises(logos.LogosError, match="the source of the strategy"):
        logos.replay(
            by_table.session_id, signals=signal_table(), params={"quantity": 11}, home=tmp_path
        )


def test_signals_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(logos.DataError, match="row 0: LONG is a position of what size"):
        logos.run(signals=signal_table(), data=CACHE, home=tmp_path)
    with pytest.raises(logos.DataError, match="none of the columns timestamp, symbol"):
        logos.run(signals=pd.DataFrame({"a": [1]}), data=CACHE, home=tmp_path)
    with pytest.raises(logos.ConfigError, match="'length' is not quantity or delay_s"):
        logos.run(signals=signal_table(), params={"length": 3}, data=CACHE, home=tmp_path)


@pytest.mark.long
def test_the_command_line_says_what_a_replay_of_objects_needs(tmp_path: Path) -> None:
    result = on_frame(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "logos.live", "replay", result.session_id],
        env={**os.environ, "LOGOS_HOME": str(tmp_path)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "give it again" in done.stderr
    assert "logos.replay" in done.stderr
