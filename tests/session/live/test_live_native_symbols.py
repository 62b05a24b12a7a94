"""Symbols as venues spell them, through a whole session: signals, a calendar, a live feed, a stop,
its resumption, and a replay."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from feed_helpers import BAR_HEADER, write
from live_session_helpers import HandClock

from logos.audit.verify import verify
from logos.config import Config, make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote
from logos.core.types import NS_PER_SECOND, SessionStatus
from logos.data.names import stem_for
from logos.data.readers.numbers import format_timestamp
from logos.feeds.contract import Sink
from logos.session import SessionResult
from logos.session.build import make_instruments
from logos.session.connections import Outside
from logos.session.entry import drive, replay, resume, run_live
from logos.session.open import open_session
from logos.session.opening import hours
from logos.session.opening.spec import SessionSpec
from logos.testing.clock import START_NS

SYMBOLS = ("BTC/USDT:USDT", "^GSPC", "BRK.B")
CLOSED_NS = (START_NS // (60 * NS_PER_SECOND) + 2) * 60 * NS_PER_SECOND
BEGIN_NS = CLOSED_NS - 6 * NS_PER_SECOND
STEP_NS = NS_PER_SECOND // 10
WISHES = [
    (0.5, "BTC/USDT:USDT", "2"),
    (1.0, "^GSPC", "-1"),
    (1.5, "BRK.B", "3"),
    (4.0, "BTC/USDT:USDT", "-1"),
    # The exchange of BRK.B has closed, the others are open all day.
    (7.0, "BRK.B", "0"),
    (7.5, "^GSPC", "0"),
]
HELD = {"BTC/USDT:USDT": "-1", "^GSPC": "0", "BRK.B": "3"}


class Feed:
    """Quotes of all symbols by turns, a tenth of a second apart; SIGTERM comes behind that of
    `stop_at`."""

    name = "recorded"

    def __init__(self, config: Config, clock: HandClock, count: int, stop_at: int = -1) -> None:
        self.symbols: Sequence[str] = SYMBOLS
        self._clock: Any = clock
        self._instruments = make_instruments(config.instruments)
        self._count, self._stop_at = count, stop_at

    async def run(self, sink: Sink) -> None:
        for number in range(self._count):
            self._clock._now_ns += STEP_NS
            symbol = SYMBOLS[number % len(SYMBOLS)]
            now_ns, price = self._clock.now_ns(), 10_000 + number
            event = Quote(now_ns, symbol, price, price + 1, 500, 500, self._instruments[symbol])
            while not sink.market(event, now_ns):
                await sink.room()
            for _ in range(4):
                await asyncio.sleep(0)
            if number == self._stop_at:
                os.kill(os.getpid(), signal.SIGTERM)


def signals(path: Path) -> Path:
    rows = [
        f"{format_timestamp(BEGIN_NS + round(at * NS_PER_SECOND))},{symbol},{target}\n"
        for at, symbol, target in WISHES
    ]
    path.write_text("timestamp,symbol,target\n" + "".join(rows))
    return path


def calendar(path: Path) -> Path:
    """A file of one exchange whose session ends soon."""
    day_ns = 24 * 3600 * NS_PER_SECOND
    first, last = (format_timestamp(BEGIN_NS + days * day_ns)[:10] for days in (-5, 420))
    ends = (BEGIN_NS // day_ns * day_ns, CLOSED_NS)
    session = "/".join(format_timestamp(each) for each in ends)
    path.write_text(
        f'calendar = "XNYS"\nfrom = "{first}"\nto = "{last}"\nsessions = [\n    "{session}",\n]\n'
    )
    return path


def settings(folder: Path, **tables: Any) -> Config:
    plain = {"quote": "USD", "tick": "0.01", "lot": "1", "settlement": "margin"}
    table: dict[str, Any] = {symbol: dict(plain) for symbol in SYMBOLS}
    table["BRK.B"]["calendar"] = str(calendar(folder / "xnys.toml"))
    return make_config(
        {
            "session": {"id": "live"},
            "paper": {"fill": "bid_ask"},
            "strategy": {"signals": str(signals(folder / "wishes.csv"))},
            "instruments": table,
            "risk": {"unlimited": True},
            **tables,
        }
    )


def outside(config: Config, clock: HandClock, count: int, stop_at: int = -1) -> dict[str, Any]:
    feed = Feed(config, clock, count, stop_at)
    return {
        "outside": Outside(feeds=[feed], clock=clock),
        "switch": InProcessSwitch(),
        "tell": lambda _: None,
    }


@pytest.mark.long
def test_signals_of_native_symbols_and_a_calendar_hold_over_a_live_feed_a_stop_and_a_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hours, "time", SimpleNamespace(time_ns=lambda: BEGIN_NS))
    config, clock = settings(tmp_path), HandClock()
    clock._now_ns = BEGIN_NS
    home = tmp_path / "home"
    stopped = run_live(config, home=home, **outside(config, clock, 1_000, stop_at=30))
    assert stopped.status is SessionStatus.STOPPED
    replay("live", home=home)
    ended: SessionResult = resume("live", home=home, **outside(config, clock, 60))
    assert ended.summary["symbols"].keys() == set(SYMBOLS)
    held = {symbol: each["position"] for symbol, each in ended.summary["symbols"].items()}
    assert held == HELD
    assert ended.summary["refusals"] == {"MARKET_CLOSED": 1}, ended.summary
    again = replay("live", home=home)
    assert again.summary == ended.summary
    report = verify(ended.folder)
    assert report.exit_code == 0, report


def test_signals_of_native_symbols_trade_on_recorded_data(logos_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for symbol in SYMBOLS:
        stamps = [format_timestamp(BEGIN_NS + second * NS_PER_SECOND) for second in range(12)]
        name = stem_for(symbol, "1s") + ".csv"
        write(folder / name, BAR_HEADER, [f"{stamp},100,101,99,100,5" for stamp in stamps])
    config = settings(tmp_path, data={"paths": [str(folder)]}, session={"id": "told"}, paper={})
    with open_session(SessionSpec(config=config)) as opened:
        result = drive(opened)
    held = {symbol: each["position"] for symbol, each in result.summary["symbols"].items()}
    assert held == HELD
    assert replay("told", home=logos_home).summary == result.summary
