"""Signals made elsewhere: every way to write them, and no half-read files."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.core.strategy import Target, Weight, market
from logos.core.types import Side
from logos.data.readers.numbers import format_timestamp
from logos.data.signals import SignalStrategy, from_frame, read_signals
from logos.errors import DataError
from logos.strategies import StrategyLoadError, load_strategy

if TYPE_CHECKING:
    from tests.strategies.conftest import MakeBench

MIDNIGHT_NS = 1_767_571_200_000_000_000  # 2026-01-05T00:00:00Z
T = "2026-01-05T00:00:00Z"


def written(folder: Path, text: str) -> Path:
    path = folder / "signals.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("header", "row", "request_"),
    [
        ("side", "buy", Side.BUY),
        ("side", "SELL", Side.SELL),
        ("side", "Flat", Target(0)),
        ("side", "EXIT", Target(0)),
        ("side", "0", Target(0)),
        ("side,quantity", "BUY,2.5", market(Side.BUY, Decimal("2.5"))),
        ("side,quantity", "long,3", Target(Decimal(3))),
        ("side,quantity", "SHORT,3", Target(Decimal(-3))),
        ("side,quantity", "1,3", Target(Decimal(3))),
        ("side,quantity", "-1,3", Target(Decimal(-3))),
        ("side,quantity", "BUY,", Side.BUY),
        ("target", "-7.5", Target(Decimal("-7.5"))),
        ("weight", "0.25", Weight(Decimal("0.25"))),
    ],
)
def test_a_row_becomes_a_request(tmp_path: Path, header: str, row: str, request_: object) -> None:
    path = written(tmp_path, f"timestamp,symbol,{header}\n{T},ACME,{row}\n")
    [signal] = read_signals(path)
    assert signal.ts_ns == MIDNIGHT_NS
    assert signal.symbol == "ACME"
    assert signal.request == request_


def test_the_quantity_given_is_that_of_rows_without_one(tmp_path: Path) -> None:
    path = written(tmp_path, f"timestamp,symbol,side\n{T},ACME,LONG\n{T},ACME,SELL\n")
    requests = [signal.request for signal in read_signals(path, Decimal(4))]
    assert requests == [Target(Decimal(4)), market(Side.SELL, Decimal(4))]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T00:00:00Z",
        "2026-01-05T00:00:00",
        "2026-01-05 00:00:00.000",
        "2026-01-05 01:00:00+01:00",
        "2026-01-04",
        "1767571200",
        "1767571200000",
        "1767571200000000",
        "1767571200000000000",
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str) -> None:
    [signal] = from_frame([{"timestamp": text, "symbol": "ACME", "target": 1}])
    assert signal.ts_ns == MIDNIGHT_NS


@pytest.mark.parametrize("text", ["2026-01-05", "2026-01-05 09:30"])
def test_a_file_says_its_zone_or_is_told_it(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, f"timestamp,symbol,target\n{text},ACME,1\n")
    with pytest.raises(DataError, match="names no time zone: say --timezone"):
        read_signals(path)
    assert read_signals(path, timezone="America/New_York")


def test_a_date_alone_is_the_end_of_that_day_in_the_markets_zone(tmp_path: Path) -> None:
    rows = "2026-01-05,ACME,1\n2026-07-06,ACME,2\n2026-07-06,ACME,3\n"
    path = written(tmp_path, f"timestamp,symbol,target\n{rows}")
    moments = [signal.ts_ns for signal in read_signals(path, timezone="America/New_York")]
    assert list(map(format_timestamp, moments)) == [
        "2026-01-06T05:00:00Z", "2026-07-07T04:00:00Z", "2026-07-07T04:00:00Z",
    ]  # fmt: skip


def test_a_repeated_hour_of_signals_goes_by_the_order_of_rows(tmp_path: Path) -> None:
    def read(*times: str) -> list[str]:
        rows = "".join(f"2026-11-01 {time},ACME,1\n" for time in times)
        path = written(tmp_path, f"timestamp,symbol,target\n{rows}")
        found = read_signals(path, timezone="America/New_York")
        return [format_timestamp(signal.ts_ns)[11:16] for signal in found]

    assert read("01:30", "01:10", "02:00") == ["05:30", "06:10", "07:00"]
    with pytest.raises(DataError, match="comes twice in America/New_York"):
        read("00:30", "01:30")


moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1))


@given(moments, st.sampled_from(["T", " "]), st.sampled_from(["", "Z", "+00:00"]))
def test_any_iso_time_is_read_exactly(moment: datetime, separator: str, zone: str) -> None:
    text = moment.isoformat(separator, timespec="microseconds") + zone
    [signal] = from_frame([{"timestamp": text, "symbol": "ACME", "target": 1}])
    elapsed = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (elapsed.days * 86_400 + elapsed.seconds) * 10**6 + elapsed.microseconds
    assert signal.ts_ns == microseconds * 1_000


@given(st.integers(645 * 10**15, 4 * 10**18), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_epoch_numbers_tell_their_unit_by_their_size(ts_ns: int, unit_ns: int) -> None:
    whole_ns = ts_ns // unit_ns * unit_ns
    [signal] = from_frame([{"timestamp": whole_ns // unit_ns, "symbol": "ACME", "target": 1}])
    assert signal.ts_ns == whole_ns


def moment_or_defect(text: str) -> int | str:
    try:
        [signal] = from_frame([{"timestamp": text, "symbol": "ACME", "target": 1}])
    except DataError as error:
        return str(error)
    return signal.ts_ns


@pytest.mark.long
@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_defect(text: str) -> None:
    result = moment_or_defect(text)
    assert isinstance(result, int) or "row 0: " in result


def test_every_defect_is_named_and_nothing_is_used(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "timestamp,symbol,side,quantity\n"
        f"{T},ACME,BUY,1\n"
        f"{T},ACME,HOLD,1\n"
        "2026-01-04T00:00:00Z,ACME,BUY,1\n"
        "noon,ACME,BUY,1\n"
        f"{T},,BUY,1\n"
        f"{T},ACME,LONG,\n"
        f"{T},ACME,BUY,-1\n"
        f"{T},ACME,BUY,many\n"
        f"{T},ACME,BU\n",
    )
    with pytest.raises(DataError) as caught:
        read_signals(path)
    for words in (
        "8 defects",
        ":3: side is one of BUY, SELL, LONG",
        ":4: earlier than the row before it: sort",
        ":5: not a timestamp: 'noon'",
        ":6: no symbol",
        ":7: LONG is a position of what size?",
        ":8: quantity -1 must be positive",
        ":9: quantity is not a number: 'many'",
        ":10: 3 columns, the header names 4",
    ):
        assert words in str(caught.value)


def test_a_flood_of_defects_is_cut_off_with_its_count(tmp_path: Path) -> None:
    rows = "".join(f"{T},ACME,HOLD\n" for _ in range(60))
    with pytest.raises(DataError, match="60 defects") as caught:
        read_signals(written(tmp_path, f"timestamp,symbol,side\n{rows}"))
    assert str(caught.value).endswith("and 10 more")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the signals file is empty"),
        ("timestamp,symbol,side\n", "no signals in it"),
        ("timestamp,symbol\n", "one of side, target, weight"),
        ("timestamp,symbol,side,target\n", "one of side, target, weight"),
        ("timestamp,symbol,target,quantity\n", "quantity goes with side"),
        ("timestamp,symbol,side,price\n", "signals.csv:1: unknown column 'price'"),
        ("timestamp,symbol,side,side\n", "named twice"),
        ('timestamp,symbol,side\n"2026', "cannot be read"),
        (f"timestamp,symbol,target\n{T},ACME,inf\n", "target is not finite"),
    ],
)
def test_a_file_that_is_no_signals_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read_signals(written(tmp_path, text))
    assert words in str(caught.value)


def test_a_missing_file_is_an_error_of_loading() -> None:
    with pytest.raises(StrategyLoadError, match=r"nowhere\.csv: the signals cannot be read"):
        load_strategy("signals", {"file": "nowhere.csv"})


@pytest.mark.parametrize(
    "params", [{}, {"file": "x.csv", "signals": []}, {"signals": [], "delay_s": "-1"}]
)
def test_contradictory_parameters_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(StrategyLoadError, match=r"either as file or as signals|foresight"):
        load_strategy("signals", params)


class Frame:
    """What from_frame needs to know of a dataframe."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self._records = records

    def to_dict(self, orient: str) -> list[dict[str, Any]]:
        assert orient == "records"
        return self._records


def test_a_frame_may_hold_datetimes_floats_blanks_and_more_columns() -> None:
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    frame = Frame(
        [
            {"Timestamp": moment, "symbol": "ACME", "side": 1.0, "quantity": 2.0, "note": "a"},
            {"Timestamp": moment, "symbol": "ACME", "side": -1, "quantity": 0.5, "note": None},
            {"Timestamp": moment, "symbol": "ACME", "side": "BUY", "quantity": float("nan")},
        ]
    )
    requests = [signal.request for signal in from_frame(frame)]
    assert requests == [Target(Decimal(2)), Target(Decimal("-0.5")), Side.BUY]


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "no signals in it"),
        ([{"timestamp": T, "symbol": "ACME"}], "one of side, target, weight"),
        ([{"timestamp": None, "symbol": "ACME", "target": 1}], "row 0: not a timestamp"),
    ],
)
def test_a_frame_that_holds_no_signals_is_refused(
    records: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(DataError) as caught:
        from_frame(records)
    assert words in str(caught.value)


def signals(*rows: tuple[str, str, int]) -> list[dict[str, object]]:
    return [{"timestamp": time, "symbol": symbol, "target": to} for time, symbol, to in rows]


def test_signals_act_at_the_first_event_of_their_symbol_and_leftovers_are_counted(
    make_bench: MakeBench,
) -> None:
    rows = signals(
        ("2026-01-05T00:00:30Z", "ACME", 3),
        ("2026-01-05T00:01:00Z", "NOPE", 1),
        ("2026-01-05T00:03:00Z", "ACME", 5),
        ("2026-01-05T00:03:00Z", "ACME", 4),
        ("2026-01-06T00:00:00Z", "ACME", 0),
    )
    strategy = SignalStrategy(signals=from_frame(rows))
    bench = make_bench(strategy, symbols=("ACME", "BOLT"))
    bench.bar("BOLT", "10")
    assert bench.orders == []
    bench.quote("ACME", "10", "10")
    assert bench.orders == ["BUY 3 ACME"]
    bench.quote_bar("ACME", "10", "10")
    assert bench.orders == ["BUY 3 ACME", "BUY 2 ACME", "SELL 1 ACME"]
    assert strategy.unused == {"NOPE": 1, "ACME": 1}


def test_a_bare_side_trades_the_configured_quantity(make_bench: MakeBench) -> None:
    rows = [{"timestamp": T, "symbol": "ACME", "side": "BUY"}]
    bench = make_bench(SignalStrategy(signals=from_frame(rows)))
    bench.bar("ACME", "10")
    assert bench.orders == ["BUY 5 ACME"]


def test_a_delay_puts_every_signal_off(make_bench: MakeBench) -> None:
    strategy = SignalStrategy(
        signals=from_frame(signals(("2026-01-05T00:01:00Z", "ACME", 3))), delay_s=60
    )
    bench = make_bench(strategy)
    bench.bar("ACME", "10")
    assert bench.orders == []
    bench.bar("ACME", "10")
    assert bench.orders == ["BUY 3 ACME"]
