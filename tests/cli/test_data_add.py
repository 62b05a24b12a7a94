"""From a vendor's file to a session in two commands, with no settings written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from logos.cli.main import main


def _binance() -> str:
    rows = []
    for at in range(40):
        opened = 1704067200000 + at * 60_000
        price = 42_000 + at % 7
        figures = f"{price}.10,{price + 2}.00,{price - 2}.00,{price + 1}.50,3.50000"
        rows.append(f"{opened},{figures},{opened + 59_999},1,2,3,4,0\n")
    return "".join(rows)


def _yfinance() -> str:
    head = "Price,Close,High,Low,Open,Volume\nTicker,MSFT,MSFT,MSFT,MSFT,MSFT\nDate,,,,,\n"
    days = [f"2024-01-{day:02d}" for day in range(2, 32)]
    rows = [f"{day},{371 + at % 2}.5,373.0,369.25,370.75,1000\n" for at, day in enumerate(days)]
    return head + "".join(rows)


def _mt5() -> str:
    head = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
    return head + "".join(
        f"2024.03.07\t09:{at:02d}:00\t1.0938{at % 9}\t1.09399\t1.09380\t1.0939{at % 9}\t52\t0\t3\n"
        for at in range(40)
    )


def _tradingview() -> str:
    return "time,open,high,low,close,Volume\n" + "".join(
        f"{1709251200 + at * 3600},1.0800,1.0805,1.0795,1.080{at % 5},100\n" for at in range(40)
    )


ROADS = [
    ("BTCUSDT-1m-2024-01-01.csv", _binance, (), "BTCUSDT", "1m"),
    ("MSFT.csv", _yfinance, ("--quote", "USD"), "MSFT", "1d"),
    ("EURUSD_M1.csv", _mt5, ("--timezone", "Europe/Athens"), "EURUSD", "1m"),
    ("OANDA_EURUSD, 60.csv", _tradingview, (), "EURUSD", "1h"),
]


@pytest.mark.long
@pytest.mark.parametrize(("name", "text", "words", "symbol", "interval"), ROADS)
def test_a_vendors_file_trades_after_two_commands(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: Callable[[], str],
    words: tuple[str, ...],
    symbol: str,
    interval: str,
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text())
    assert main(["data", "add", name, *words]) == 0
    shown = capsys.readouterr().out
    assert f"symbol     {symbol}" in shown
    assert f"interval   {interval}, " in shown
    assert f"--data {symbol}" in shown
    (made,) = (tmp_path / "home" / "data" / "cache").glob("*.csv")
    assert made.name.startswith(f"{symbol}_")
    parameters = ["--param", "fast=2", "--param", "slow=5", "--param", "quantity=1"]
    command = ["trade", "--strategy", "sma_cross", *parameters, "--data", symbol, "--quiet"]
    code = main(command)
    assert code == 0, capsys.readouterr().err


def test_a_file_that_no_session_would_use_is_named_and_nothing_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path / "home"))
    path = tmp_path / "COIN_1m.csv"
    path.write_text(
        "timestamp,open,high,low,close,volume\n"
        "2024-01-02T10:00:00Z,10,11,9,10,5\n2024-01-02T10:01:00Z,10,9,11,10,5\n"
    )
    assert main(["data", "add", str(path)]) == 3
    assert "high_below_low" in capsys.readouterr().err
    assert not list((tmp_path / "home").rglob("*.csv"))
    assert not list((tmp_path / "home").rglob("*.toml"))


def test_gaps_are_counted_with_the_option_that_accepts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path / "home"))
    path = tmp_path / "COIN_1m.csv"
    path.write_text(
        "timestamp,open,high,low,close,volume\n"
        + "".join(f"2024-01-02T10:0{at}:00Z,10,11,9,10,5\n" for at in (0, 1, 2, 5))
    )
    assert main(["data", "add", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "checked: gap 1" in shown
    assert "--data COIN --accept gap" in shown


def test_the_instruments_beside_the_data_are_added_to_and_never_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    before = '# my own\n[instruments.COIN]  # by hand\ntick = "0.5"\nlot = "1"\nquote = "USD"\n'
    (out / "instruments.toml").write_text(before)
    for symbol in ("COIN", "OTHER"):
        path = tmp_path / f"{symbol}_1m.csv"
        path.write_text(
            "timestamp,open,high,low,close,volume\n"
            "2024-01-02T10:00:00Z,10.25,11,9,10,5\n2024-01-02T10:01:00Z,10,11,9,10,5\n"
        )
        assert main(["data", "import", str(path), "--out", str(out)]) == 0
    text = (out / "instruments.toml").read_text()
    assert text.startswith(before)
    assert text.count("[instruments.COIN]") == 1
    assert '[instruments.OTHER]\ntick = "0.01"' in text
    (out / "instruments.toml").write_text("[instruments\n")
    path = tmp_path / "THIRD_1m.csv"
    path.write_text((tmp_path / "COIN_1m.csv").read_text())
    assert main(["data", "import", str(path), "--out", str(out)]) == 3
    assert "correct the file first" in capsys.readouterr().err
    assert not list(out.glob("THIRD*"))
