"""A session names its data by symbol, and two lengths of bars of one symbol are two things."""

from __future__ import annotations

from pathlib import Path

import pytest
from feed_helpers import BAR_HEADER, write

from logos.config import Config, make_config
from logos.core.messages import Bar, QuoteBar
from logos.core.strategy import Answer, Context, Strategy
from logos.data.names import stem_for
from logos.errors import DataError
from logos.session.entry import drive
from logos.session.open import open_session
from logos.session.opening.recorded import find_sources
from logos.session.opening.spec import SessionSpec
from logos.session.plan import make_plan

SYMBOLS = ["^GSPC", "EURUSD=X", "BTC/USDT:USDT", "BRK.B", "BTC_USDT", "ES=F", "ÜBER", "BTCUSDT"]


def minute(count: int, volume: int = 1) -> str:
    return f"2024-01-02T{count // 60:02d}:{count % 60:02d}:00Z,10,12,9,11,{volume}"


def instruments(*symbols: str) -> str:
    table = 'tick = "0.01"\nlot = "0.01"\nquote = "USD"\n'
    return "".join(f'[instruments."{symbol}"]\n{table}' for symbol in symbols)


def settings(*data: str) -> Config:
    return make_config({"data": {"paths": list(data)}, "session": {"seed": 1}})


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_symbol_of_any_spelling_is_found_in_the_cache(logos_home: Path, symbol: str) -> None:
    folder = logos_home / "data" / "cache" / "binance"
    folder.mkdir(parents=True)
    for each in SYMBOLS:
        name = stem_for(each, "binance", "1m") + ".csv"
        write(folder / name, BAR_HEADER, [minute(count) for count in range(3)])
    (folder / "broken_1m.csv").write_text("x\n")  # another symbol's file is in nobody's way
    (folder / "instruments.toml").write_text(instruments(*SYMBOLS))
    (source,) = find_sources(settings(symbol))
    assert source.symbol == symbol
    plan = make_plan(settings(symbol), strategy=Heard())
    assert list(plan.instruments) == [symbol]


def test_a_file_goes_before_a_symbol_and_what_is_neither_is_named(
    logos_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache = logos_home / "data" / "cache"
    cache.mkdir(parents=True)
    write(cache / "SPY_1m.csv", BAR_HEADER, [minute(0)])
    with pytest.raises(DataError, match=r"QQQ: there is no such file .* no data .*it has SPY"):
        find_sources(settings("QQQ"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("SPY").mkdir()
    write(Path("SPY") / "OTHER_1m.csv", BAR_HEADER, [minute(0)])
    assert [each.symbol for each in find_sources(settings("SPY"))] == ["OTHER"]


class Heard(Strategy):
    """Writes down the length, close and volume of each bar; buys at the second."""

    def __init__(self) -> None:
        self.bars: list[tuple[int, int]] = []

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.bars.append((bar.interval_ns // 60_000_000_000, bar.volume_units))
        return None


class Hours(Heard):
    timeframes = ("1h",)


def run(folder: Path, strategy: Heard) -> None:
    config = settings(str(folder))
    with open_session(SessionSpec(config=config, strategy=strategy)) as session:
        drive(session)


def two_lengths(folder: Path) -> Path:
    folder.mkdir()
    rows = [minute(count) for count in range(120)]
    write(folder / "A_1m.csv", BAR_HEADER, rows)
    hours = [minute(0, 60), minute(60, 60)]
    write(folder / "A_1h.csv", BAR_HEADER, hours)
    (folder / "instruments.toml").write_text(instruments("A"))
    return folder


def test_bars_of_two_lengths_are_both_heard_and_say_which_they_are(
    logos_home: Path, tmp_path: Path
) -> None:
    strategy = Heard()
    run(two_lengths(tmp_path / "d"), strategy)
    assert strategy.bars.count((1, 100)) == 120
    assert strategy.bars.count((60, 6000)) == 2


def test_bars_that_are_made_of_the_shorter_hold_nothing_twice(
    logos_home: Path, tmp_path: Path
) -> None:
    strategy = Hours()
    run(two_lengths(tmp_path / "d"), strategy)
    assert strategy.bars == [(60, 6000), (60, 6000)]
