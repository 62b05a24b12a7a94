"""`logos trade --live`: what is refused before anything is made, and before the switch latches."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from venue_tools import KEY

from logos.cli.main import main
from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence.account import AccountLock
from logos.session.presence.registry import enter
from logos.simulators.exchange.server import Exchange

LEAVE = ("--live", "--i-acknowledge-risk")
SETTINGS = """
[strategy]
name = "sma_cross"

[instruments.BTCUSDT]
base = "BTC"
quote = "USDT"
tick = "0.01"
lot = "0.00001"
min_quantity = "0.00001"
min_notional = "{notional}"

[account]
balances = {{ USDT = "500" }}

[risk]
max_order_notional = "100"
max_position = "1"
total = {{ max_drawdown = "100" }}

[venue]
name = "{venue}"
{place}

[live]
feed = "ccxt"
exchange = "{feed_exchange}"
url = "{url}"
stop_after_s = 1
"""


def settings(home: Path, url: str, **changes: str) -> str:
    words = {
        "notional": "5",
        "venue": "ccxt",
        "place": f'exchange = "binance"\nurl = "{url}"',
        "feed_exchange": "binance",
        "url": url,
        **changes,
    }
    path = home / "live.toml"
    path.write_text(SETTINGS.format(**words))
    return str(path)


def armed(home: Path) -> CircuitBreaker:
    """The workspace's switch, armed for real orders."""
    breaker = CircuitBreaker(home / "state" / "kill-switch", mode="live")
    breaker.reset("ann", "a test", 0)
    return breaker


def nothing_was_made(home: Path, switch: CircuitBreaker) -> bool:
    return switch.authority() is SwitchState.SAFE and not list(home.glob("runs/*/sessions/*"))


@pytest.mark.parametrize("exchange_id", ["bitstamp", "binanceus", "htx"])
@pytest.mark.parametrize("command", [("trade",), ("config", "check")], ids=["trade", "check"])
def test_an_exchange_that_was_not_proved_is_refused_with_a_sentence(
    binance_keys: Path,
    exchange: Exchange,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    exchange_id: str,
) -> None:
    for name in ("KEY", "SECRET", "PASSWORD"):
        monkeypatch.setenv(f"LOGOS_CCXT_{exchange_id.upper()}_SANDBOX_{name}", "x" * 16)
    switch = armed(binance_keys)
    place = f'exchange = "{exchange_id}"\nurl = "{exchange.url}"'
    config = settings(binance_keys, exchange.url, place=place)
    assert main([*command, "--config", config, *LEAVE]) == 2
    output = capsys.readouterr()
    assert f"'{exchange_id}' has not been proved" in output.out + output.err
    assert not exchange.requests
    assert nothing_was_made(binance_keys, switch)


def test_coins_against_coins_at_alpaca_are_refused_and_shares_are_not(
    home: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    markets = f'url = "{exchange.url}"'
    config = settings(home, exchange.url, venue="alpaca", place=markets)
    text = Path(config).read_text() + '\n[live.markets]\nBTCUSDT = "ETH/BTC"\n'
    Path(config).write_text(text)
    assert main(["trade", "--config", config, *LEAVE]) == 2
    assert "coins against coins at Alpaca (ETH/BTC) has not been proved" in capsys.readouterr().err
    Path(config).write_text(text.replace("ETH/BTC", "AAPL"))
    assert main(["trade", "--config", config, *LEAVE]) == 2
    assert "proved" not in capsys.readouterr().err


@pytest.mark.long
def test_a_dry_run_with_anything_bad_refuses_the_start(
    binance_keys: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    switch = armed(binance_keys)
    config = settings(binance_keys, exchange.url, notional="1")
    assert main(["trade", "--config", config, *LEAVE]) == 2
    error = capsys.readouterr().err
    assert "BAD  BTCUSDT min_notional: session 1, venue 5" in error
    assert {each.method for each in exchange.requests} == {"GET"}
    assert nothing_was_made(binance_keys, switch)


@pytest.mark.long
def test_a_venue_that_is_well_is_traded_at(
    binance_keys: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    armed(binance_keys)
    config = settings(binance_keys, exchange.url)
    assert main(["trade", "--config", config, *LEAVE]) == 0, capsys.readouterr().err
    assert exchange.asked("GET /api/v3/openOrders") > 0


@pytest.mark.parametrize(
    ("change", "words", "code"),
    [
        ({"feed_exchange": "binnance"}, "did you mean binance", 2),
        ({"notional": '5"\n[instruments.NOPE]\nquote = "USDT"\ntick = "0.01"\nlot = "1'}, "", 2),
    ],
    ids=["feed", "symbol"],
)
def test_a_typo_in_the_settings_engages_nothing(
    binance_keys: Path,
    exchange: Exchange,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    words: str,
    code: int,
) -> None:
    switch = armed(binance_keys)
    config = settings(binance_keys, exchange.url, **change)
    assert main(["trade", "--config", config, *LEAVE]) == code
    assert words in capsys.readouterr().err
    assert nothing_was_made(binance_keys, switch)


@pytest.mark.long
def test_a_market_that_the_feed_has_not_ends_a_paper_session_and_engages_nothing(
    binance_keys: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    switch = armed(binance_keys)
    config = settings(binance_keys, exchange.url, venue="paper", place="")
    text = Path(config).read_text().replace("BTCUSDT", "BTCUSTD").replace('"BTC"', '"BCT"')
    Path(config).write_text(text)
    assert main(["trade", "--config", config]) == 4
    assert "no market 'BCT/USDT'" in capsys.readouterr().out
    assert switch.authority() is SwitchState.SAFE


@pytest.mark.long
def test_the_second_session_on_an_account_is_refused_in_words_and_makes_nothing(
    exchange: Exchange, binance_keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    switch = armed(binance_keys)
    path = settings(binance_keys, exchange.url)
    with closing(enter("trade", tmp_path / "elsewhere", "first")) as entry:
        with closing(AccountLock("ccxt binance (sandbox)", KEY, entry.token)):
            assert main(["trade", "--config", path, *LEAVE]) == 2
        err = capsys.readouterr().err
    assert f"session first of workspace {tmp_path / 'elsewhere'} (pid " in err
    assert "trades this account at ccxt binance (sandbox) already" in err
    assert KEY not in err
    assert nothing_was_made(binance_keys, switch)
    assert main(["trade", "--config", path, *LEAVE]) == 0
