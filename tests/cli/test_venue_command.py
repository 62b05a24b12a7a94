"""`logos venue`: what it prints, how it ends, and that it never sends an order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from venue_tools import KEY, PAPER_KEY, PAPER_SECRET, SECRET

from logos.adapters import catalog
from logos.cli.main import main
from logos.installation import install_command
from logos.simulators.exchange.server import Exchange

CONFIG = """
[instruments.BTCUSDT]
base = "BTC"
quote = "USDT"
tick = "0.01"
lot = "0.00001"
min_quantity = "0.00001"
min_notional = "{notional}"
"""
SHARES = """
[instruments.AAPL]
quote = "USD"
tick = "0.01"
lot = "1"
"""


def write(home: Path, text: str) -> str:
    path = home / "session.toml"
    path.write_text(text)
    return str(path)


def methods(exchange: Exchange) -> set[str]:
    return {each.method for each in exchange.requests}


@pytest.mark.long
def test_a_venue_that_is_ready_ends_with_zero_and_no_order(
    binance_keys: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(binance_keys, CONFIG.format(notional=5))
    assert main(["venue", "check", "ccxt:binance", "--config", config, "--url", exchange.url]) == 0
    output = capsys.readouterr()
    assert "all fine; no order was sent" in output.out
    assert "ok   BTCUSDT tick" in output.out
    assert "ok   permissions" in output.out
    assert f"orders would go to {exchange.url.removeprefix('http://')}" in output.out
    assert methods(exchange) == {"GET"}
    for secret in (KEY, SECRET):
        assert secret[:6] not in output.out + output.err


@pytest.mark.long
def test_a_venue_that_differs_ends_with_two_and_says_what_to_write(
    binance_keys: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(binance_keys, CONFIG.format(notional=1))
    assert main(["venue", "check", "ccxt:binance", "--config", config, "--url", exchange.url]) == 2
    output = capsys.readouterr().out
    assert "BAD  BTCUSDT min_notional" in output
    assert 'set instruments.BTCUSDT.min_notional = "5"' in output
    assert "not ready: see BAD above; no order was sent" in output
    assert methods(exchange) == {"GET"}


@pytest.mark.long
def test_settings_of_the_file_are_used_and_json_is_one_object(
    binance_keys: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    venue = f'[venue]\nname = "ccxt"\nexchange = "binance"\nurl = "{exchange.url}"\n'
    config = write(binance_keys, venue + CONFIG.format(notional=5))
    assert main(["venue", "check", "ccxt", "--config", config, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["fine"] is True
    assert {"name": "credentials", "is_ok": True, "detail": "present"} in report["lines"]


def test_shares_are_checked_with_paper_keys(
    home: Path,
    exchange: Exchange,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", PAPER_KEY)
    monkeypatch.setenv("APCA_API_SECRET_KEY", PAPER_SECRET)
    config = write(home, SHARES)
    assert main(["venue", "check", "alpaca", "--config", config, "--url", exchange.url]) == 0
    output = capsys.readouterr().out
    assert "ok   AAPL market" in output
    assert methods(exchange) == {"GET"}
    # A paper key is not taken for leave to trade.
    assert main(["venue", "check", "alpaca", "--no-sandbox", "--url", exchange.url]) == 2
    assert "is a paper key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ccxt:binance", ["LOGOS_CCXT_BINANCE_SANDBOX_KEY", ".env", "testnet.binance.vision"]),
        ("alpaca", ["APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "app.alpaca.markets"]),
    ],
)
def test_missing_keys_end_with_two_and_what_to_set_and_where_to_get_it(
    home: Path, capsys: pytest.CaptureFixture[str], name: str, words: list[str]
) -> None:
    assert main(["venue", "check", name]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    for word in [*words, str(home)]:
        assert word in output.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ib", "--url", "tcp://127.0.0.1:1/7"], "no connection to 127.0.0.1:1: "),
        (["ib", "--url", "tcp://example.com:4002"], "'example.com' is not this machine"),
        (["nowhere"], "use one of paper, ccxt, alpaca, mt5, mt5-native, ib"),
        (["ccxt"], "exchange"),
        (["ccxt:binance", "--config", "missing.toml"], "no such file"),
    ],
)
def test_what_cannot_be_checked_ends_with_two_and_says_why(
    binance_keys: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["venue", "check", *arguments]) == 2
    output = capsys.readouterr()
    assert words in output.out + output.err


def test_the_paper_market_needs_no_check(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["venue", "check", "paper"]) == 0
    assert "nothing to check" in capsys.readouterr().out


def test_a_library_that_is_missing_is_named(
    home: Path,
    binance_keys: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def not_installed(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'ccxt'", name="ccxt")

    monkeypatch.setattr(catalog, "_made", not_installed)
    assert main(["venue", "check", "ccxt:binance"]) == 2
    assert install_command("ccxt") in capsys.readouterr().err
    monkeypatch.setattr(catalog, "find_spec", lambda _: None)
    assert main(["venue", "list"]) == 0
    assert install_command("alpaca") in capsys.readouterr().out


def test_the_list_names_every_venue(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["venue", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "paper",
        "ccxt",
        "alpaca",
        "mt5",
        "mt5-native",
        "ib",
    ]
    assert "to look at, not for orders" in lines[-1]


@pytest.mark.parametrize("exchange", ["kraken", "kucoin", "coinbase", "mexc"])
def test_an_exchange_without_a_sandbox_is_looked_at_without_one_and_asks_for_no_such_keys(
    exchange: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["venue", "check", f"ccxt:{exchange}"]) == 2
    said = capsys.readouterr().err
    assert f"the exchange '{exchange}' has no sandbox in ccxt" in said
    assert f"logos venue check ccxt:{exchange} --no-sandbox" in said
    assert "SANDBOX_KEY" not in said
    assert main(["venue", "check", f"ccxt:{exchange}", "--no-sandbox"]) == 2
    said = capsys.readouterr().err
    assert f"set LOGOS_CCXT_{exchange.upper()}_KEY" in said, "the keys that it does need"
    assert "sandbox" not in said.lower()


def test_an_exchange_with_a_sandbox_asks_for_its_keys(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["venue", "check", "ccxt:bybit"]) == 2
    assert "LOGOS_CCXT_BYBIT_SANDBOX_KEY" in capsys.readouterr().err
