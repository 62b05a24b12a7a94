"""The bundled data: the committed bytes come from the seed, and damage is named."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from places import CACHE

from logos.core.fixed import parse_units
from logos.core.instrument import instrument
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.data import fixtures
from logos.data.replay import ReplayFeed
from logos.data.source import discover

BUNDLE = CACHE


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    written = fixtures.write_fixtures(folder)
    assert [path.name for path in written] == fixtures.fixture_names()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_committed_bundle_is_what_the_generator_writes(fresh: Path) -> None:
    committed = {name: (BUNDLE / name).read_bytes() for name in fixtures.fixture_names()}
    for name, content in contents(fresh).items():
        assert committed[name] == content, f"{name} differs; run: make fixtures"
    assert sum(map(len, committed.values())) < 1_500_000


@pytest.mark.long
def test_another_process_with_another_hash_seed_writes_the_same_bytes(
    fresh: Path, tmp_path: Path
) -> None:
    program = (
        "import sys, pathlib; from logos.data.fixtures import write_fixtures; "
        "write_fixtures(pathlib.Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "99"}
    command = [sys.executable, "-c", program, str(tmp_path)]
    subprocess.run(command, env=environment, check=True)
    assert contents(tmp_path) == contents(fresh)


def test_another_seed_gives_other_prices(fresh: Path, tmp_path: Path) -> None:
    fixtures.write_fixtures(tmp_path, seed=7)
    assert fixtures.verify_manifest(tmp_path) == []
    for name in fixtures.fixture_names():
        same = (tmp_path / name).read_bytes() == (fresh / name).read_bytes()
        assert same == (name == fixtures.INSTRUMENTS_NAME)


def test_the_committed_bundle_verifies() -> None:
    assert fixtures.verify_manifest(BUNDLE) == []


@pytest.mark.parametrize("name", fixtures.fixture_names()[:-1])
def test_a_changed_or_missing_file_is_named(tmp_path: Path, fresh: Path, name: str) -> None:
    for other, content in contents(fresh).items():
        (tmp_path / other).write_bytes(content)
    with (tmp_path / name).open("ab") as stream:
        stream.write(b" ")
    [problem] = fixtures.verify_manifest(tmp_path)
    assert str(tmp_path / name) in problem
    assert "SHA-256" in problem
    (tmp_path / name).unlink()
    [problem] = fixtures.verify_manifest(tmp_path)
    assert str(tmp_path / name) in problem
    assert "cannot be read" in problem


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"seed": 1}'])
def test_a_manifest_that_says_nothing_usable_is_a_problem(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / fixtures.MANIFEST_NAME).write_bytes(content)
    [problem] = fixtures.verify_manifest(tmp_path)
    assert "no usable manifest" in problem
    assert "make fixtures" in problem


def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path, fresh: Path) -> None:
    text = (fresh / fixtures.MANIFEST_NAME).read_text().replace("ACME_1m", "../ACME_1m")
    for name, content in contents(fresh).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / fixtures.MANIFEST_NAME).write_text(text)
    [problem] = fixtures.verify_manifest(tmp_path)
    assert "outside its folder" in problem


def rows(name: str) -> list[dict[str, str]]:
    with (BUNDLE / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_files_have_the_layouts_and_hours_of_their_markets() -> None:
    acme, bitcoin = rows("ACME_1m_bars.csv"), rows("BTCUSDT_1m_bars.csv")
    assert list(acme[0]) == ["timestamp", "open", "high", "low", "close", "volume"]
    assert (len(acme), len(bitcoin)) == (3 * 390, 3 * 1440)
    assert acme[0]["timestamp"] == "2026-01-05T13:30:00Z"
    assert acme[-1]["timestamp"] == "2026-01-07T19:59:00Z"
    assert bitcoin[0]["timestamp"] == "2026-01-05T00:00:00Z"
    bid, ask = rows("EURUSD_1m_bid.csv"), rows("EURUSD_1m_ask.csv")
    assert [row["timestamp"] for row in bid] == [row["timestamp"] for row in ask]
    assert bid[0]["timestamp"] == "2026-01-04T21:00:00Z"
    for below, above in zip(bid, ask, strict=True):
        assert float(below["close"]) < float(above["close"])
    assert list(rows("ETHUSDT_quotes.csv")[0]) == [
        "timestamp", "bid", "ask", "bid_size", "ask_size",
    ]  # fmt: skip
    trades = rows("ETHUSDT_trades.csv")
    assert list(trades[0]) == ["timestamp", "price", "size", "side"]
    assert {row["side"] for row in trades} == {"buy", "sell"}


def test_the_instruments_can_be_made_and_hold_every_price() -> None:
    tables = tomllib.loads((BUNDLE / fixtures.INSTRUMENTS_NAME).read_text())["instruments"]
    assert list(tables) == ["ACME", "BTCUSDT", "ETHUSDT", "EURUSD"]
    made = {}
    for symbol, table in tables.items():
        fees = table.pop("fees")
        assert set(fees) <= {
            "maker", "taker", "per_unit", "per_fill", "minimum", "decimals", "rounding",
        }  # fmt: skip
        made[symbol] = instrument(symbol, **table)
    for name in fixtures.fixture_names()[:4]:
        traded = made[name.split("_")[0]]
        for row in rows(name):
            for column in ("open", "high", "low", "close"):
                assert parse_units(row[column], traded.price_decimals) % traded.tick == 0
            assert parse_units(row["volume"], traded.quantity_decimals) % traded.lot == 0


def test_the_replay_takes_the_bundle_and_finds_only_the_nights_of_the_equity_missing() -> None:
    sources = discover(BUNDLE)
    instruments = {source.symbol: fixtures.fixture_instrument(source.symbol) for source in sources}
    feed = ReplayFeed(sources, instruments, accept=frozenset({"gap"}))
    events = [event for chunk in feed.chunks() for event in chunk]
    found = {
        source.path.name: tally.counts for source, tally in zip(sources, feed.defects, strict=True)
    }
    assert {name: counts for name, counts in found.items() if counts} == {
        "ACME_1m_bars.csv": {"gap": 2}
    }
    counts = {kind: sum(type(event) is kind for event in events) for kind in (Bar, QuoteBar, Quote)}
    assert counts == {Bar: 3 * 390 + 3 * 1440, QuoteBar: 3 * 1440, Quote: 3_000}
    assert sum(type(event) is Trade for event in events) == len(rows("ETHUSDT_trades.csv"))
    assert [event.ts_ns for event in events] == sorted(event.ts_ns for event in events)
