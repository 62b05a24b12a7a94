"""Volumes and sizes under the names that files have for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from feed_helpers import (
    READERS,
    bar_row,
    needs_arrow,
    traded,
    write,
)

from logos.config import Config, make_config
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, Trade
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import SIZE_UNKNOWN
from logos.data.layout import BARS, LAYOUTS, QUOTES, TRADES, clean_header, with_sizes
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.session.entry import drive
from logos.session.open import open_session
from logos.session.opening.spec import SessionSpec

# ---- sizes under the usual names ----


def header(kind: str, names: str, base: str = "BTC", quote: str = "USD") -> str:
    return ",".join(with_sizes(clean_header(names.split(",")), LAYOUTS[kind], base, quote))


@pytest.mark.parametrize(
    ("names", "base", "quote", "read"),
    [
        ("close,Volume BTC", "BTC", "USD", "close,volume"),
        ("close,Volume BTC,Volume USD", "BTC", "USD", "close,volume,volume usd"),
        ("close,Volume USDT,Volume BTC", "BTC", "USDT", "close,volume usdt,volume"),
        ("close,Volume USDT", "BTC", "USDT", "close,volume usdt"),
        ("close,Volume_(BTC),Volume_(Currency)", "BTC", "USD", "close,volume,volume_(currency)"),
        ("close,Vol", "A", "USD", "close,volume"),
        ("close,Volume,Vol", "A", "USD", "close,volume,vol"),
        ("close,tickvol", "A", "USD", "close,tickvol"),
        ("close,Quote Volume", "A", "USD", "close,quote volume"),
        ("close,ETH volume", "ETH", "BTC", "close,volume"),
        ("close,Volume ETH", "BTC", "ETH", "close,volume eth"),
    ],
)
def test_a_volume_has_many_names_and_the_quotes_value_is_none(
    names: str, base: str, quote: str, read: str
) -> None:
    assert header(BARS, names, base, quote) == read


@pytest.mark.parametrize("name", ["qty", "Quantity", "amount", "volume", "vol", "last_size"])
def test_the_size_of_a_trade_has_many_names(name: str) -> None:
    assert header(TRADES, f"price,{name}") == "price,size"


@pytest.mark.parametrize("name", ["BidSize", "bid_qty", "bid volume", "Bid Size", "bid_amount"])
def test_the_sizes_of_a_quote_have_many_names(name: str) -> None:
    other = name.lower().replace("bid", "ask")
    assert header(QUOTES, f"bid,{name},ask,{other}") == "bid,bid_size,ask,ask_size"


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize("name", ["Volume BTC", "vol", "Volume", "BTC Volume"])
def test_a_volume_is_read_under_its_name(tmp_path: Path, name: str, fast: bool) -> None:
    columns = f"Timestamp,Open,High,Low,Close,{name},Volume USD"
    rows = [f"{bar_row(i, volume='0.5')},50" for i in range(3)]
    write(tmp_path / "BTCUSD_1m.csv", columns, rows)
    found = volumes(
        tmp_path, instrument("BTCUSD", tick="1", lot="0.1", quote="USD", base="BTC"), fast
    )
    assert found == [5, 5, 5]


@pytest.mark.parametrize("fast", READERS)
def test_the_value_in_the_quote_currency_is_no_volume(tmp_path: Path, fast: bool) -> None:
    rows = [bar_row(i, volume="525625") for i in range(3)]
    write(tmp_path / "BTCUSD_1m.csv", "timestamp,open,high,low,close,Volume USD", rows)
    found = volumes(
        tmp_path, instrument("BTCUSD", tick="1", lot="0.1", quote="USD", base="BTC"), fast
    )
    assert found == [SIZE_UNKNOWN] * 3


def volumes(folder: Path, traded_as: Instrument, fast: bool) -> list[int]:
    feed = ReplayFeed(discover(folder), {traded_as.symbol: traded_as}, fast=fast)
    return [
        event.volume_units for part in feed.chunks() for event in part if isinstance(event, Bar)
    ]


@needs_arrow
def test_parquet_has_its_volume_under_another_name_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"timestamp": [1_704_153_600], "price": [2.0], "Qty": [0.5]})
    pq.write_table(table, tmp_path / "A.parquet")
    for fast in (False, True):
        feed = ReplayFeed(discover(tmp_path), {"A": traded("A")}, fast=fast)
        (event,) = [event for part in feed.chunks() for event in part]
        assert isinstance(event, Trade)
        assert event.size_units == 5000


class Silent(Strategy):
    """Hears bars and does nothing."""

    def on_bar(self, context: Context, bar: Bar) -> Answer:  # type: ignore[override]
        return None


@pytest.mark.parametrize(("column", "warns"), [("Volume USD", True), ("Volume BTC", False)])
def test_a_cap_on_participation_without_sizes_is_warned_of(
    logos_home: Path, tmp_path: Path, column: str, warns: bool
) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    rows = [bar_row(i, volume="0.5") for i in range(3)]
    write(folder / "BTCUSD_1m.csv", f"timestamp,open,high,low,close,{column}", rows)
    (folder / "instruments.toml").write_text(
        '[instruments.BTCUSD]\ntick = "0.01"\nlot = "0.01"\nbase = "BTC"\nquote = "USD"\n'
    )
    result = ended(folder, {"participation": "0.1"})
    assert [row for row in result["warnings"] if row["code"] == "NO_SIZES"] == (
        [
            {
                "code": "NO_SIZES",
                "symbol": "BTCUSD",
                "detail": "paper.participation = 0.1 caps nothing: no row of its data has a size or"
                " a volume",
            }
        ]
        if warns
        else []
    )
    assert not any(row["code"] == "NO_SIZES" for row in ended(folder, {})["warnings"])


def ended(folder: Path, paper: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    settings = {"data": {"paths": [str(folder)]}, "session": {"seed": 1}, "paper": paper}
    config: Config = make_config(settings)
    with open_session(SessionSpec(config=config, strategy=Silent())) as session:
        result: dict[str, list[dict[str, str]]] = dict(drive(session).summary)
        return result
