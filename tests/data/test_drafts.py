"""Drafts of instruments: from all rows, with nothing in them that is not known."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from feed_helpers import BAR_HEADER, QUOTE_HEADER, TRADE_HEADER, bar_row, needs_arrow, write

from logos.config import ConfigError, make_config
from logos.core.strategy import Answer, Context, Strategy, Target
from logos.data.names import stem_for
from logos.data.source import discover
from logos.data.suggest import draft_instrument, suggest_instrument
from logos.data.terms.contracts import FAMILIES
from logos.feeds.record import ccxt_instrument
from logos.session.build import make_instruments
from logos.session.entry import drive
from logos.session.open import open_session
from logos.session.opening.instruments import find_instruments
from logos.session.opening.spec import SessionSpec


def drafted(folder: Path, name: str, rows: list[str], header: str = BAR_HEADER) -> dict[str, Any]:
    (source,) = discover(write(folder / name, header, rows))
    text = suggest_instrument(source)
    (table,) = tomllib.loads(text)["instruments"].values()
    return dict(table)


def test_a_finer_price_in_the_last_row_makes_the_tick(tmp_path: Path) -> None:
    rows = [bar_row(minute % 1440, "1.5,1.5,1.5,1.5") for minute in range(1440)] * 4
    rows.append(bar_row(0, "1.5,1.5,1.49,1.50001", "0.25"))
    assert len(rows) > 5_000
    table = drafted(tmp_path, "DOGEUSDT_1m.csv", rows)
    assert (table["tick"], table["lot"]) == ("0.00001", "0.01")


@pytest.mark.parametrize(
    ("price", "size", "tick", "lot"),
    [
        ("473.6499938964844", "1000", "0.01", "1"),
        ("0.30000000000000004", "8.880099999999999", "0.1", "0.0001"),
        ("1e-05", "1E+3", "0.00001", "1"),
        ("42000", "0.00001000", "1", "0.00001"),
        ("187.10", "5", "0.1", "1"),
    ],
)
def test_steps_are_those_of_the_figures_without_noise(
    tmp_path: Path, price: str, size: str, tick: str, lot: str
) -> None:
    rows = [f"2024-01-02T00:00:00Z,{price},{size},buy", "rubbish", "x,y,z,"]
    table = drafted(tmp_path, "BTCUSDT_trades.csv", rows, TRADE_HEADER)
    assert (table["tick"], table["lot"]) == (tick, lot)


@needs_arrow
def test_a_draft_of_parquet_is_drawn_from_all_rows_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    prices = [1.5] * 20_000 + [1.255]
    times = list(range(1_704_153_600, 1_704_153_600 + len(prices)))
    pq.write_table(pa.table({"timestamp": times, "price": prices}), tmp_path / "A.parquet")
    (source,) = discover(tmp_path)
    draft = draft_instrument(source)
    assert (draft.tick, draft.lot, draft.missing) == ("0.001", "", ["lot", "quote"])


@pytest.mark.parametrize(
    ("symbol", "terms"),
    [
        ("BTCUSDT", {"base": "BTC", "quote": "USDT"}),
        ("1000SHIBUSDT", {"base": "1000SHIB", "quote": "USDT"}),
        ("EURUSD=X", {"base": "EUR", "quote": "USD"}),
        ("BTC_USDT", {"base": "BTC", "quote": "USDT"}),
        # No share is quoted in the letters that its name ends with.
        ("GBTC", {"quote": ""}),
        ("FETH", {"quote": ""}),
        ("WBTC", {"quote": ""}),
        ("AAPL", {"quote": ""}),
        ("^GSPC", {"quote": ""}),
        ("BRK.B", {"quote": ""}),
        # A contract has a size, which no file of prices shows.
        ("ES=F", {"quote": "", "multiplier": "", "settlement": ""}),
        (
            "BTCUSD_PERP",
            {"base": "BTC", "quote": "BTC", "multiplier": "", "settlement": "inverse"},
        ),
        ("BTCUSDT_240628", {"quote": "", "multiplier": "", "settlement": ""}),
        (
            "BTC-USDT-SWAP",
            {"base": "BTC", "quote": "USDT", "multiplier": "", "settlement": ""},
        ),
        (
            "BTC/USDT:USDT",
            {"base": "BTC", "quote": "USDT", "multiplier": "", "settlement": "margin"},
        ),
        (
            "BTC/USD:BTC",
            {"base": "BTC", "quote": "BTC", "multiplier": "", "settlement": "inverse"},
        ),
    ],
)
def test_what_a_symbol_does_not_say_stays_empty(
    tmp_path: Path, symbol: str, terms: dict[str, str]
) -> None:
    table = drafted(tmp_path, stem_for(symbol, "1m") + ".csv", [bar_row(0), bar_row(1)])
    steps = {name: table.pop(name) for name in ("tick", "lot")}
    assert steps == {"tick": "1", "lot": "1"}
    assert table == terms


def test_data_without_sizes_shows_no_lot(tmp_path: Path) -> None:
    rows = ["2024-01-02T00:00:00Z,1.25,1.26,,"]
    assert drafted(tmp_path, "EURUSD.csv", rows, QUOTE_HEADER)["lot"] == ""


def test_a_volume_under_another_name_shows_the_lot(tmp_path: Path) -> None:
    header = "timestamp,open,high,low,close,Volume USD,Volume BTC"
    rows = [f"{bar_row(minute, volume='525625.123')},0.25" for minute in range(2)]
    assert drafted(tmp_path, "BTCUSD_1m.csv", rows, header)["lot"] == "0.01"


def settings(folder: Path, **tables: Any) -> Any:
    return make_config({"data": {"paths": [str(folder)]}, "session": {"seed": 1}, **tables})


@pytest.mark.parametrize(
    ("key", "value"),
    [("quote", ""), ("lot", ""), ("tick", ""), ("multiplier", ""), ("settlement", "")],
)
def test_a_draft_is_refused_until_it_is_filled_in(tmp_path: Path, key: str, value: str) -> None:
    write(tmp_path / "A_1m.csv", BAR_HEADER, [bar_row(0), bar_row(1)])
    write(tmp_path / "B_1m.csv", BAR_HEADER, [bar_row(0), bar_row(1)])
    whole = {"tick": "0.01", "lot": "1", "quote": "USD", "multiplier": "1", "settlement": "spot"}
    text = "".join(
        f"[instruments.{symbol}]\n"
        + "".join(f'{name} = "{each}"\n' for name, each in {**whole, **changed}.items())
        for symbol, changed in (("A", {key: value}), ("B", {}))
    )
    (tmp_path / "instruments.toml").write_text(text)
    first, second = discover(tmp_path)
    with pytest.raises(ConfigError, match=rf"instruments.A: {key} must be filled in"):
        find_instruments(settings(tmp_path), [first])
    # Another instrument of the folder is in nobody's way.
    assert list(find_instruments(settings(tmp_path), [second])) == ["B"]


def test_an_empty_quote_in_the_settings_is_refused_as_well() -> None:
    table = {"A": {"tick": "0.01", "lot": "1", "quote": ""}}
    with pytest.raises(ConfigError, match=r"instruments.A.quote must be filled in"):
        make_instruments(make_config({"instruments": table}).instruments)


def test_a_session_says_what_to_fill_in(tmp_path: Path) -> None:
    write(tmp_path / "GBTC_1d.csv", BAR_HEADER, [bar_row(0), bar_row(1)])
    with pytest.raises(ConfigError) as raised:
        find_instruments(settings(tmp_path), discover(tmp_path))
    said = str(raised.value)
    assert "after checking it and filling in quote:" in said
    assert 'quote = ""  # fill in: the currency of the prices' in said


def test_looking_at_data_needs_no_instrument(tmp_path: Path) -> None:
    write(tmp_path / "GBTC_1d.csv", BAR_HEADER, [bar_row(0, "10,12,9,11.125", "")])
    (source,) = discover(tmp_path)
    found = make_instruments(find_instruments(settings(tmp_path), [source], infer=True))
    assert found["GBTC"].price_decimals == 3


# ---- fees ----


def fees_of(folder: Path, name: str) -> dict[str, str] | None:
    return drafted(folder, name, [bar_row(0), bar_row(1)]).get("fees")


@pytest.mark.parametrize(
    ("name", "fees"),
    [
        ("BTCUSDT_binance_1m_x.csv", {"maker": "0.001", "taker": "0.001"}),
        ("BTCUSDT_binance-klines_1m.csv", {"maker": "0.001", "taker": "0.001"}),
        ("XBTUSD_kraken_1m.csv", {"maker": "0.0016", "taker": "0.0026"}),
        ("BTCUSDT_1m.csv", None),
        ("SPY_yahoo_1m.csv", None),
        # Rates of the spot market are not those of contracts.
        ("BTC-USDT-SWAP_okx_1m.csv", None),
    ],
)
def test_fees_are_proposed_where_the_venue_is_known(
    tmp_path: Path, name: str, fees: dict[str, str] | None
) -> None:
    assert fees_of(tmp_path, name) == fees


def test_a_proposal_of_fees_has_its_source_and_date(tmp_path: Path) -> None:
    (source,) = discover(write(tmp_path / "BTCUSDT_binance_1m.csv", BAR_HEADER, [bar_row(0)]))
    assert "# Binance, spot, by ccxt 4.5.90 on 2026-11-30: yours may differ" in (
        suggest_instrument(source)
    )
    (other,) = discover(write(tmp_path / "A_1m.csv", BAR_HEADER, [bar_row(0)]))
    assert "# not known: a session without pays none" in suggest_instrument(other)


class Trades(Strategy):
    """Buys one at the first bar, and sells it at the fourth."""

    def __init__(self) -> None:
        self.seen = 0

    def on_bar(self, context: Context, bar: Any) -> Answer:
        self.seen += 1
        return {1: Target(1), 4: Target(0)}.get(self.seen)


def run(folder: Path, home: Path, **tables: Any) -> tuple[dict[str, Any], str]:
    config = settings(folder, **tables)
    with open_session(SessionSpec(config=config, strategy=Trades())) as session:
        result = drive(session)
    return dict(result.summary), (result.folder / "session.md").read_text()


FREE = '[instruments.A]\ntick = "0.01"\nlot = "1"\nquote = "USD"\n'


@pytest.mark.parametrize(
    ("text", "paper", "words"),
    [
        (
            FREE,
            {},
            "no fees on A: none are set; no slippage: none is set. A real market takes both",
        ),
        (FREE, {"slippage_ticks": 1}, "no fees on A: none are set. A real market takes some"),
        (
            FREE + 'fees = { taker = "0.001" }\n',
            {},
            "no slippage: none is set, so what the data shows of a spread is all that fills pay",
        ),
        (FREE + 'fees = { taker = "0.001" }\n', {"slippage_ticks": 1}, None),
        (FREE + 'fees = { per_fill = "1" }\n', {"slippage_bps": 1}, None),
    ],
)
def test_a_session_without_fees_or_slippage_says_so_in_its_result(
    logos_home: Path, tmp_path: Path, text: str, paper: dict[str, int], words: str | None
) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    write(folder / "A_1m.csv", BAR_HEADER, [bar_row(minute) for minute in range(6)])
    (folder / "instruments.toml").write_text(text)
    summary, page = run(folder, logos_home, paper=paper)
    assert summary["fills"] == 2
    assert summary.get("without_costs") == words
    assert ("**Costs left out**" in page) == (words is not None)


# ---- contracts that are settled in coins ----

PRICES = ["42000.0", "42010.5", "42500.0", "43000.5", "43111.0", "43200.0"]
PERPETUAL = {"tick": "0.1", "lot": "1", "base": "BTC", "multiplier": "100", "leverage": 20}


def perpetual(folder: Path) -> Path:
    rows = [bar_row(at, f"{price},44000,41000,{price}", "98") for at, price in enumerate(PRICES)]
    folder.mkdir()
    write(folder / "BTCUSDPERP_1m.csv", BAR_HEADER, rows)
    return folder


def test_an_inverse_contract_earns_coins(logos_home: Path, tmp_path: Path) -> None:
    table = {**PERPETUAL, "quote": "BTC", "settlement": "inverse"}
    folder = perpetual(tmp_path / "d")
    balances = {"balances": {"BTC": "1"}}
    summary, _ = run(folder, logos_home, instruments={"BTCUSDPERP": table}, account=balances)
    # 1 x 100 x (1/42010.5 - 1/43111.0) = 0.0000607637
    exact = Decimal(100) / Decimal("42010.5") - Decimal(100) / Decimal("43111.0")
    realised = Decimal(summary["symbols"]["BTCUSDPERP"]["realised"])
    assert abs(exact - Decimal("0.0000607637")) < Decimal("0.0000000001")
    assert abs(realised - exact) <= Decimal("0.00000001")


@pytest.mark.parametrize(
    ("symbol", "changed", "refused"),
    [
        ("BTCUSDPERP", {}, True),
        ("BTCUSD_PERP", {}, True),
        ("ETHUSD_PERP", {"base": "ETH", "multiplier": "10"}, True),
        ("BTC-USD-SWAP", {}, True),
        # With a multiplier of 1 the name alone tells: whose contracts are called so.
        ("BTCUSD_PERP", {"multiplier": "1"}, True),
        ("BTCUSD_240628", {"multiplier": "1"}, True),
        ("BTC-USD-SWAP", {"multiplier": "1"}, True),
        ("BTC-USD-240628", {"multiplier": "1"}, True),
        ("BTC-PERPETUAL", {"multiplier": "1"}, True),
        ("ETH-28JUN24", {"base": "ETH", "multiplier": "1"}, True),
        ("PI_XBTUSD", {"base": "XBT", "multiplier": "1"}, True),
        ("PF_XBTUSD", {"base": "XBT", "multiplier": "1"}, False),
        ("BTC-PERP", {"multiplier": "1"}, False),
        ("XBTUSD", {"base": "XBT", "multiplier": "1"}, False),
        ("BTCUSDPERP", {"multiplier": "1"}, False),
        ("BTC-USDT-SWAP", {"quote": "USDT"}, False),
        ("BTCUSDPERP", {"settlement": "inverse", "quote": "BTC"}, False),
        ("ES=F", {"base": "ES", "multiplier": "50"}, False),
        ("BTCUSD", {"multiplier": "5"}, False),
    ],
)
def test_a_contract_in_coins_that_is_set_up_in_dollars_is_refused_with_the_way_out(
    symbol: str, changed: dict[str, str], refused: bool
) -> None:
    table = {**PERPETUAL, "quote": "USD", "settlement": "margin", **changed}
    made = make_config({"instruments": {symbol: table}}).instruments
    if not refused:
        assert make_instruments(made)[symbol].symbol == symbol
        return
    with pytest.raises(ConfigError) as raised:
        make_instruments(made)
    assert f'settlement = "inverse", quote = "{table["base"]}"' in str(raised.value)


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("XBTUSD_bitmex_1m.csv", True),
        ("XBTUSD_bitmex-trades_1m.csv", True),
        ("BTCUSD_bybit_1m.csv", True),
        ("XBTUSD_kraken_1m.csv", False),
        ("BTCUSD_1m.csv", False),
    ],
)
def test_a_name_that_a_spot_market_has_too_tells_a_contract_with_its_venue(
    tmp_path: Path, name: str, refused: bool
) -> None:
    (source,) = discover(write(tmp_path / name, BAR_HEADER, [bar_row(0), bar_row(1)]))
    table = {**PERPETUAL, "base": source.symbol[:3], "quote": "USD", "settlement": "margin"}
    config = settings(tmp_path, instruments={source.symbol: {**table, "multiplier": "1"}})
    if not refused:
        assert list(find_instruments(config, [source])) == [source.symbol]
        assert drafted(tmp_path, name, [bar_row(0), bar_row(1)]).get("settlement") is None
        return
    with pytest.raises(ConfigError, match=f'settlement = "inverse", quote = "{table["base"]}"'):
        find_instruments(config, [source])
    draft = drafted(tmp_path, name, [bar_row(0), bar_row(1)])
    assert (draft["settlement"], draft["quote"]) == ("inverse", table["base"])


def test_every_family_of_contracts_says_where_its_names_are_documented() -> None:
    assert all(family.source.startswith("https://") for family in FAMILIES)


def market(**changed: Any) -> dict[str, Any]:
    return {
        "symbol": "BTC/USD:BTC",
        "base": "BTC",
        "quote": "USD",
        "settle": "BTC",
        "spot": False,
        "contract": True,
        "inverse": True,
        "contractSize": 100.0,
        "precision": {"price": 0.1, "amount": 1},
        "limits": {"amount": {"min": 1}, "cost": {"min": 5}},
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "terms"),
    [
        ({}, {"quote": "BTC", "settlement": "inverse", "multiplier": "100"}),
        (
            {"inverse": False, "settle": "USDT", "quote": "USDT", "contractSize": 0.01},
            {"quote": "USDT", "settlement": "margin", "multiplier": "0.01"},
        ),
        (
            {"contract": False, "spot": True, "contractSize": None},
            {"quote": "USD", "settlement": "spot"},
        ),
    ],
)
def test_a_contract_that_is_fetched_keeps_its_size_and_what_it_is_settled_in(
    changed: dict[str, Any], terms: dict[str, str]
) -> None:
    table = ccxt_instrument(market(**changed), 4)
    names = ("quote", "settlement", "multiplier")
    assert {name: table[name] for name in names if name in table} == terms
    fees = {key: value for key, value in table.items() if key != "fees"}
    made = make_instruments(make_config({"instruments": {"X": fees}}).instruments)["X"]
    assert made.is_inverse == (terms["settlement"] == "inverse")
