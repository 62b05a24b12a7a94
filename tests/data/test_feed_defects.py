"""Every kind of defect: found by both readers, in the right line, and judged as documented."""

from __future__ import annotations

import gzip
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from feed_helpers import (
    BAR_HEADER,
    QUOTE_HEADER,
    READERS,
    TRADE_HEADER,
    bar_row,
    events_of,
    needs_arrow,
    source_of,
    traded,
    write,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from logos.core.messages import Bar, Quote, Trade
from logos.data.check import check, inspect_source
from logos.data.defects import ACCEPTABLE_KINDS, KEEPING_KINDS, KINDS, SAID_KINDS, accept_set
from logos.data.readers.numbers import format_timestamp
from logos.data.source import DataSource
from logos.errors import DataError

FIRST, SECOND_ROW = bar_row(0), bar_row(1)

BAR_DEFECTS = [
    ("wrong_column_count", "2024-01-02T00:01:00Z,10,12,9,11", "5 columns instead of 6"),
    ("wrong_column_count", SECOND_ROW + ",7", "7 columns instead of 6"),
    ("bad_timestamp", "2024-01-02T00:01,10,12,9,11,1", "names no time zone"),
    ("not_a_number", bar_row(1, "10,NaN,9,11"), "not a finite number: 'NaN'"),
    ("not_a_number", bar_row(1, volume="inf"), "not a finite number: 'inf'"),
    ("bad_number", bar_row(1, "10,12,9,1l"), "not a decimal number: '1l'"),
    ("bad_number", bar_row(1, "10,12,9,"), "empty"),
    ("bad_number", bar_row(1, volume="-3"), "negative size -3"),
    ("non_positive_price", bar_row(1, "10,12,0,11"), "price 0 is not positive"),
    ("off_tick", bar_row(1, "10,12,9,11.005"), "not a multiple of the tick 0.01"),
    ("high_below_low", bar_row(1, "10,9,12,11"), "high is below low"),
    ("high_below_low", bar_row(1, "13,12,9,11"), "open is outside of low and high"),
    ("high_below_low", bar_row(1, "10,12,9,8.99"), "close is outside of low and high"),
    ("backwards_time", "2024-01-01T23:59:00Z,10,12,9,11,1", "60 s earlier"),
    ("duplicate_bar", bar_row(0, "9,12,9,11"), "a second bar of the same time"),
    ("overlap", "2024-01-02T00:00:30Z,10,12,9,11,1", "begins 30 s after the bar before it"),
    ("gap", bar_row(5), "300 s after the bar before it, whose interval is 60 s"),
]


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize(("kind", "row", "detail"), BAR_DEFECTS)
def test_a_defect_of_a_bar_has_its_kind_line_and_detail(
    tmp_path: Path, kind: str, row: str, detail: str, fast: bool
) -> None:
    path = write(tmp_path / "A_1m.csv", BAR_HEADER, [FIRST, row])
    source = source_of(path)
    report = inspect_source(source, traded(), fast=fast)
    (defect,) = report.defects
    assert (defect.kind, defect.path, defect.line) == (kind, path, 3)
    assert detail in defect.detail
    assert report.rows == (2 if kind in KEEPING_KINDS else 1)
    assert len(events_of(source, fast=fast, accept=frozenset({kind}))) == report.rows
    with pytest.raises(DataError, match=kind):
        events_of(source, fast=fast, accept=ACCEPTABLE_KINDS - {kind})


@pytest.mark.parametrize("fast", READERS)
def test_defects_of_quotes_and_trades(tmp_path: Path, fast: bool) -> None:
    quotes = write(
        tmp_path / "A.csv",
        QUOTE_HEADER,
        ["2024-01-02T00:00:00Z,10,11,,", "2024-01-02T00:00:00Z,11,10,1,", "1704153599,9,10,1,1"],
    )
    report = inspect_source(source_of(quotes, "quotes"), traded(), fast=fast)
    assert [(defect.kind, defect.line) for defect in report.defects] == [
        ("crossed", 3),
        ("backwards_time", 4),
    ]
    trades = write(tmp_path / "B.csv", TRADE_HEADER, ["1704153600,9,1,buy", "1704153600,9,1,long"])
    report = inspect_source(source_of(trades, "trades"), traded(), fast=fast)
    assert [(defect.kind, defect.line) for defect in report.defects] == [("bad_side", 3)]


@pytest.mark.parametrize("fast", READERS)
def test_a_file_that_ends_within_a_row_is_truncated(tmp_path: Path, fast: bool) -> None:
    path = write(tmp_path / "A_1m.csv", BAR_HEADER, [FIRST, "2024-01-02T00:01:00Z,10,1"], end="")
    report = inspect_source(source_of(path), traded(), fast=fast)
    assert [(defect.kind, defect.line) for defect in report.defects] == [("truncated_row", 3)]
    assert report.rows == 1


@pytest.mark.parametrize("fast", READERS)
def test_blank_lines_are_nothing(tmp_path: Path, fast: bool) -> None:
    path = write(tmp_path / "A_1m.csv", BAR_HEADER, [FIRST, "", SECOND_ROW, ""])
    report = inspect_source(source_of(path), traded(), fast=fast)
    assert (report.rows, report.is_clean) == (2, True)


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize("lost_bytes", [1, 9, 300])
def test_a_compressed_file_that_ends_early_is_truncated(
    tmp_path: Path, fast: bool, lost_bytes: int
) -> None:
    path = write(
        tmp_path / "A_1m.csv.gz",
        BAR_HEADER,
        [bar_row(m, volume=f"{m}.{m * m}") for m in range(999)],
    )
    path.write_bytes(path.read_bytes()[:-lost_bytes])
    report = inspect_source(source_of(path), traded(), fast=fast)
    (defect,) = report.defects
    assert defect.kind == "truncated_row"
    assert "compressed file ends early" in defect.detail
    assert 0 < report.rows <= 999
    assert defect.line == report.rows + 2


@pytest.mark.parametrize("fast", READERS)
def test_a_pair_reports_times_that_only_one_file_has(tmp_path: Path, fast: bool) -> None:
    bid = write(tmp_path / "A_1m_bid.csv", BAR_HEADER, [bar_row(m) for m in (0, 1, 2, 3)])
    rows = [bar_row(m, "11,13,10,12", volume="0.5") for m in (0, 2, 3, 4)]
    rows[2] = bar_row(3, "9,12,9,11")
    ask = write(tmp_path / "A_1m_ask.csv", BAR_HEADER, rows)
    source = source_of(bid, "quote_bars", ask)
    report = inspect_source(source, traded(), fast=fast)
    found = sorted((defect.kind, defect.path.name, defect.line) for defect in report.defects)
    assert found == [
        ("crossed", bid.name, 5),
        ("gap", bid.name, 4),
        ("unpaired", ask.name, 5),
        ("unpaired", bid.name, 3),
    ]
    assert report.rows == 3
    event = events_of(source, fast=fast)[1]
    assert event.ts_ns == 1_704_153_780_000_000_000
    assert [getattr(event, name) for name in ("bid_open_units", "ask_open_units")] == [1000, 1100]
    assert event.volume_units == 5000  # type: ignore[union-attr]


@pytest.mark.parametrize("fast", READERS)
def test_an_empty_file_is_a_defect_and_a_foreign_header_cannot_be_accepted(
    tmp_path: Path, fast: bool
) -> None:
    for text in ("", BAR_HEADER + "\n", BAR_HEADER):
        path = tmp_path / "A_1m.csv"
        path.write_text(text)
        report = inspect_source(source_of(path), traded(), fast=fast)
        assert report.counts == {"empty_file": 1}
        assert events_of(source_of(path), fast=fast) == []
    path.write_text("date,price\n1,2\n")
    with pytest.raises(DataError, match=r"bad_header x1.*\n.*A_1m.csv:1: columns 'date,price'"):
        events_of(source_of(path), fast=fast)
    with pytest.raises(DataError, match="cannot accept bad_header"):
        accept_set(["bad_header"])


def test_the_error_names_every_kind_the_places_and_the_ways_out(tmp_path: Path) -> None:
    rows = [bar_row(minute) for minute in (0, 0, 0, 0, 0, 9, 10, 11, 12)]
    path = write(tmp_path / "A_1m.csv", BAR_HEADER, rows)
    with pytest.raises(DataError) as error:
        check(source_of(path), traded())
    text = str(error.value)
    assert "duplicate_bar x4" in text
    assert "gap x1" in text
    assert f"{path}:3: a second bar" in text
    assert f"{path}:6:" not in text
    assert "--accept duplicate_bar,gap" in text
    assert 'data.accept = ["duplicate_bar", "gap"]' in text
    assert f"logos data check {path} --repair OUT" in text
    accepted = check(source_of(path), traded(), accept=accept_set(["gap", "duplicate_bar"]))
    assert (accepted.rows, accepted.dropped) == (5, 4)


def test_examples_are_bounded_and_counts_are_not(tmp_path: Path) -> None:
    path = write(tmp_path / "A_1m.csv", BAR_HEADER, ["rubbish"] * 1000)
    report = inspect_source(source_of(path), traded())
    assert report.counts == {"wrong_column_count": 1000}
    assert len(report.defects) == 20


def test_all_stands_for_every_acceptable_kind() -> None:
    never = {"bad_header", "doubtful_time"}
    assert accept_set(["all"]) == frozenset(KINDS) - never - SAID_KINDS
    with pytest.raises(DataError, match="cannot accept typo"):
        accept_set(["gap", "typo"])


def test_the_fingerprint_changes_with_any_byte(tmp_path: Path) -> None:
    path = write(tmp_path / "A_1m.csv", BAR_HEADER, [FIRST])
    before = check(source_of(path), traded()).fingerprints[path]
    write(path, BAR_HEADER, [FIRST.replace("Z,10", "Z,11")])
    after = check(source_of(path), traded()).fingerprints[path]
    assert len(before) == 64
    assert before != after


# Each example writes its file anew, so that the folder may be shared.
SHARED_FOLDER = [HealthCheck.function_scoped_fixture]

CELLS = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "12",
        "NaN",
        "1e1",
        " 10",
        "10.001",
        "1_0",
        "0x1F",
        '"10"',
        "10\r",
        "9" * 30,
        "buy",
    ]
)


def corrupted(kind: str, changes: list[tuple[int, int, str]]) -> list[str]:
    """Forty good rows of `kind`, with some cells, whole rows or times replaced."""
    minutes = list(range(40))
    if kind == "bars":
        rows = [bar_row(minute).split(",") for minute in minutes]
    elif kind == "quotes":
        rows = [[str(1_704_153_600 + minute), "10", "11", "1.23456", ""] for minute in minutes]
    else:
        rows = [[bar_row(m).split(",")[0], "10", "0.5", "sell"] for m in minutes]
    for row, column, text in changes:
        if column < len(rows[row]):
            rows[row][column] = text
        elif column == 6:
            rows[row] = list(rows[row - 1])
        else:
            rows[row], rows[row - 1] = rows[row - 1], rows[row]
    return [",".join(cells) for cells in rows]


@pytest.mark.long
@needs_arrow
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["bars", "quotes", "trades"]),
    changes=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 7), CELLS), max_size=5),
    ends=st.sampled_from(["\n", "", "\r\n"]),
)
@example(kind="bars", changes=[(0, 0, '"10"'), (0, 1, "10\r")], ends="\n")
def test_both_readers_agree_and_keep_exactly_the_rows_not_reported_as_dropped(
    tmp_path: Path, kind: str, changes: list[tuple[int, int, str]], ends: str
) -> None:
    header = {"bars": BAR_HEADER, "quotes": QUOTE_HEADER, "trades": TRADE_HEADER}[kind]
    path = write(tmp_path / "A.csv", header, corrupted(kind, changes), ends)
    source = source_of(path, kind)
    careful, fast = (inspect_source(source, traded(), fast=reader) for reader in (False, True))
    assert careful == fast
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logos.data.readers.blocks.read_columns", lambda state, chunk: None)
        assert inspect_source(source, traded(), fast=False) == careful
    instrument = traded()
    kept = events_of(source, fast=False, instrument=instrument)
    assert kept == events_of(source, fast=True, instrument=instrument)
    assert len(kept) == careful.rows == 40 - careful.dropped
    reported = Counter(defect.kind for defect in careful.defects)
    assert all(reported[kind] == min(count, 20) for kind, count in careful.counts.items())


@needs_arrow
def test_readers_take_turns_in_the_middle_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logos.data.readers.chunks.csv_chunks.__defaults__", (256,))
    rows = [bar_row(minute) for minute in range(200)]
    rows[100] = bar_row(99)
    rows[150] = "rubbish"
    path = write(tmp_path / "A_1m.csv", BAR_HEADER, rows)
    source = DataSource(path, "BTCUSD", "bars", 60_000_000_000)
    careful, fast = (inspect_source(source, traded(), fast=reader) for reader in (False, True))
    assert careful == fast
    assert [(defect.kind, defect.line) for defect in fast.defects] == [
        ("duplicate_bar", 102),
        ("gap", 103),
        ("wrong_column_count", 152),
        ("gap", 153),
    ]


def test_text_that_is_not_utf8_or_not_compressed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "A_1m.csv"
    path.write_bytes(f"{BAR_HEADER}\n{FIRST}\n".encode() + b"\xff\xfe,1,1,1,1,1\n")
    assert inspect_source(source_of(path), traded()).counts == {"bad_timestamp": 1}
    packed = tmp_path / "A_1m.csv.gz"
    packed.write_bytes(gzip.compress(b"x")[2:])
    with pytest.raises(DataError, match="cannot be read"):
        inspect_source(source_of(packed), traded())


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("\ufeffTimestamp, Open ,HIGH,low,close,volume", "2024-01-02T00:00:00Z,10,12,9,11,1.5"),
        ("volume,close,low,high,open,timestamp", "1.5,11,9,12,10,1704153600"),
        ("timestamp,note,open,high,low,close,volume", "1704153600000,?,10,12,9,11,1.5"),
        ("timestamp,open,high,low,close,volume", '"1704153600","10","12","9","11","1.5"'),
        ("timestamp,open,high,low,close,volume", "1704153600,10.00000,1.2e1,9.,011, 1.5000099 "),
    ],
)
def test_columns_are_found_by_name_in_any_order_and_usual_spellings_are_one(
    tmp_path: Path, header: str, row: str, fast: bool
) -> None:
    instrument = traded()
    source = source_of(write(tmp_path / "A_1m.csv", header, [row]))
    plain = source_of(write(tmp_path / "B_1m.csv", BAR_HEADER, [bar_row(0, volume="1.5")]))
    events = events_of(source, fast=fast, accept=frozenset(), instrument=instrument)
    assert events == events_of(plain, accept=frozenset(), instrument=instrument)
    assert len(events) == 1


@pytest.mark.parametrize("fast", READERS)
def test_sizes_that_the_file_does_not_report_are_unknown(tmp_path: Path, fast: bool) -> None:
    bars = write(tmp_path / "A_1m.csv", "timestamp,open,high,low,close", ["1704153600,1,1,1,1"])
    ticks = write(tmp_path / "B.csv", "timestamp,bid,ask", ["1704153600,1,2"])
    prints = write(tmp_path / "C.csv", "timestamp,price", ["1704153600,1"])
    (bar,) = events_of(source_of(bars), fast=fast, accept=frozenset())
    (quote,) = events_of(source_of(ticks, "quotes"), fast=fast, accept=frozenset())
    (trade,) = events_of(source_of(prints, "trades"), fast=fast, accept=frozenset())
    assert isinstance(bar, Bar)
    assert isinstance(quote, Quote)
    assert isinstance(trade, Trade)
    assert (bar.volume_units, quote.bid_size_units, quote.ask_size_units) == (-1, -1, -1)
    assert (trade.size_units, trade.aggressor) == (-1, "")


@pytest.mark.long
@needs_arrow
@settings(max_examples=60, deadline=None, suppress_health_check=SHARED_FOLDER)
@given(
    prices=st.lists(st.decimals("0.01", "99999999", places=2), min_size=1, max_size=30),
    sizes=st.lists(st.floats(0, 1e9, allow_nan=False), min_size=30, max_size=30),
    times=st.lists(st.integers(0, 4 * 10**18), min_size=30, max_size=30),
)
def test_both_readers_read_any_figures_alike(
    tmp_path: Path, prices: list[Decimal], sizes: list[float], times: list[int]
) -> None:
    moments = [format_timestamp(moment) for moment in sorted(times)]
    rows = [
        f"{moment},{price:f},{size!r},"
        for moment, price, size in zip(moments, prices, sizes, strict=False)
    ]
    source = source_of(write(tmp_path / "A.csv", TRADE_HEADER, rows), "trades")
    instrument = traded()
    careful = events_of(source, fast=False, accept=frozenset(), instrument=instrument)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logos.data.readers.blocks.read_columns", lambda state, chunk: None)
        assert careful == events_of(source, fast=False, instrument=instrument)
    fast = events_of(source, fast=True, accept=frozenset(), instrument=instrument)
    assert careful == fast
    trades = [event for event in careful if isinstance(event, Trade)]
    assert [trade.price_units for trade in trades] == [int(price * 100) for price in prices]
    truncated = [int(Decimal(repr(size)) * 10_000) for size in sizes[: len(prices)]]
    assert [trade.size_units for trade in trades] == truncated
