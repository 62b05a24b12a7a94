"""What differs between sessions: settings by their keys, code by its hashes, data by its bytes."""

from __future__ import annotations

from typing import Any

from logos.comparison.differences import (
    NONE,
    NOT_SET,
    data_differences,
    settings_differences,
    strategy_differences,
)

BASE: dict[str, Any] = {
    "session": {"id": "a", "seed": 1},
    "strategy": {"name": "sma_cross", "params": {"fast": 10, "slow": 30}},
    "instruments": {"ACME": {"tick": "0.01"}},
}


def source(symbol: str = "ACME", kind: str = "bars", **changes: Any) -> dict[str, Any]:
    made = {"symbol": symbol, "kind": kind, "files": {"a.csv": "ab" * 32}, "rows": 1170}
    return {**made, "rows_dropped": 0, "first": "2026-01-05T13:31:00.0Z", "last": "", **changes}


def test_equal_settings_differ_in_nothing_and_ids_are_no_difference() -> None:
    other = {**BASE, "session": {"id": "b", "seed": 1}}
    assert settings_differences([BASE, other, BASE]) == []


def test_a_setting_is_named_by_its_key_with_the_value_of_each_session() -> None:
    other = {**BASE, "strategy": {"name": "sma_cross", "params": {"fast": 5, "slow": 30}}}
    assert settings_differences([BASE, other, BASE]) == [
        ("strategy.params.fast", ("10", "5", "10"))
    ]


def test_a_table_that_one_has_not_is_one_line() -> None:
    other = {**BASE, "instruments": {**BASE["instruments"], "BTC/USD": {"tick": "1", "lot": "1"}}}
    assert settings_differences([BASE, other]) == [('instruments."BTC/USD"', (NOT_SET, "set"))]


def test_tables_that_two_of_three_have_are_compared_between_those() -> None:
    def with_lot(lot: str) -> dict[str, Any]:
        return {**BASE, "instruments": {**BASE["instruments"], "X": {"lot": lot}}}

    assert settings_differences([with_lot("1"), BASE, with_lot("5")]) == [
        ("instruments.X", ("set", NOT_SET, "set")),
        ("instruments.X.lot", ("1", NOT_SET, "5")),
    ]


def test_values_of_different_types_are_different_and_told_apart() -> None:
    one, other = {"a": 1, "b": "", "c": None}, {"a": True, "b": [], "c": "null"}
    assert settings_differences([one, other]) == [
        ("a", ("1", "true")),
        ("b", ('""', "[]")),
        ("c", ("null", '"null"')),
    ]


def test_a_value_where_another_has_a_table_is_a_difference() -> None:
    assert settings_differences([{"a": 5}, {"a": {"b": 1}}]) == [("a", ("5", "set"))]


def test_the_same_name_with_other_code_differs_by_its_hash() -> None:
    one = {"strategy": "sma_cross", "strategy_fingerprint": "a" * 64, "software": "0.1.0"}
    other = {**one, "strategy_fingerprint": "b" * 64, "modules": {"mine": "c" * 64}}
    assert strategy_differences([one, one]) == []
    assert strategy_differences([one, other]) == [
        ("strategy's file", ("a" * 12, "b" * 12)),
        ("module mine", (NONE, "c" * 12)),
    ]


def test_data_is_the_same_by_its_bytes_not_by_the_names_of_its_files() -> None:
    renamed = source(files={"other.csv": "ab" * 32})
    assert data_differences([{"data": [source()]}, {"data": [renamed]}]) == []


def test_other_data_is_named_with_its_rows_times_and_hash() -> None:
    changed = source(files={"a.csv": "cd" * 32}, rows=9)
    only = source("BTC", "quotes")
    (acme, btc) = data_differences([{"data": [source()]}, {"data": [changed, only]}])
    assert acme.name == "ACME bars"
    assert acme.values[0].startswith("1,170 rows, 2026-01-05 13:31 to ")
    assert acme.values[1].endswith("cdcdcdcdcdcd")
    assert (btc.name, btc.values[0]) == ("BTC quotes", NONE)


def test_two_sources_of_one_symbol_and_kind_are_kept_apart() -> None:
    one = {"data": [source(), source(rows=5)]}
    other = {"data": [source(), source(rows=6)]}
    assert [row.name for row in data_differences([one, other])] == ["ACME bars (2)"]
