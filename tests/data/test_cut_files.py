"""A file that was cut short is refused: a number that lost its end is a number all the same."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from feed_helpers import BAR_HEADER, QUOTE_HEADER, READERS, bar_row, events_of, source_of, traded

from logos.config import ConfigError, read_toml
from logos.config.dotenv import read_dotenv
from logos.data.check import check, inspect_source
from logos.data.importing.options import ImportOptions
from logos.data.importing.run import import_files
from logos.data.signals import read_signals
from logos.data.source import discover
from logos.data.suggest import suggest_instrument
from logos.errors import DataError
from logos.files import cut_words, is_cut
from logos.strategies.schedule import Schedule

BARS = [bar_row(0, volume="400"), bar_row(1, volume="17600")]
WHOLE = "".join(f"{line}\n" for line in [BAR_HEADER, *BARS]).encode()


def plain(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def packed(path: Path, content: bytes) -> Path:
    """As somebody packs what was cut before: the archive itself is whole."""
    return plain(path.with_name(path.name + ".gz"), gzip.compress(content))


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize("write", [plain, packed])
def test_a_cut_at_any_byte_of_the_last_line_is_found(
    tmp_path: Path, write: Callable[[Path, bytes], Path], fast: bool
) -> None:
    line_start = WHOLE[:-1].rfind(b"\n") + 1
    for end in range(line_start + 1, len(WHOLE)):
        path = write(tmp_path / f"A_1m_{end}.csv", WHOLE[:end])
        report = inspect_source(source_of(path), traded(), fast=fast)
        assert [(each.kind, each.line) for each in report.defects] == [("truncated_row", 3)], end
        assert report.rows == 1
        with pytest.raises(DataError, match="--accept truncated_row"):
            check(source_of(path), traded(), fast=fast)


@pytest.mark.parametrize("fast", READERS)
def test_quotes_that_lost_four_bytes_are_found_and_left_out_when_accepted(
    tmp_path: Path, fast: bool
) -> None:
    rows = ["1704153600,10.00,10.01,5,5", "1704153601,10.00,10.01,5,17000"]
    content = "\n".join([QUOTE_HEADER, *rows]).encode()[:-3]
    path = plain(tmp_path / "A_quotes.csv", content)
    source = source_of(path, "quotes")
    with pytest.raises(DataError, match=r"A_quotes.csv:3: .*newline"):
        check(source, traded(), fast=fast)
    report = check(source, traded(), accept=frozenset({"truncated_row"}), fast=fast)
    assert (report.rows, report.dropped) == (1, 1)
    events = events_of(source, accept=frozenset({"truncated_row"}), fast=fast)
    assert [each.ts_ns for each in events] == [1704153600 * 10**9]


@pytest.mark.parametrize("fast", READERS)
@pytest.mark.parametrize("rest", [b"", b"\n", b"\r\n", b"\n\n", b"\r"])
def test_a_line_that_ended_and_blank_lines_are_no_damage(
    tmp_path: Path, fast: bool, rest: bytes
) -> None:
    path = plain(tmp_path / "A_1m.csv", WHOLE.replace(b"\n", b"\r\n") + rest)
    report = inspect_source(source_of(path), traded(), fast=fast)
    assert (report.rows, report.is_clean) == (2, True)


@pytest.mark.parametrize("fast", READERS)
def test_of_a_windows_line_end_half_is_enough(tmp_path: Path, fast: bool) -> None:
    path = plain(tmp_path / "A_1m.csv", WHOLE.replace(b"\n", b"\r\n")[:-1])
    report = inspect_source(source_of(path), traded(), fast=fast)
    assert (report.rows, report.is_clean) == (2, True)


@pytest.mark.parametrize("fast", READERS)
def test_a_packed_file_whose_checksum_does_not_fit_cannot_be_accepted(
    tmp_path: Path, fast: bool
) -> None:
    whole = gzip.compress(WHOLE)
    for place in (-8, -4):  # of the checksum, of the length
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path = plain(tmp_path / f"A_1m_{-place}.csv.gz", bytes(damaged))
        with pytest.raises(DataError, match=r"damaged .*fetch the file again"):
            inspect_source(source_of(path), traded(), fast=fast)


def test_a_draft_takes_nothing_from_what_was_cut(tmp_path: Path) -> None:
    path = plain(tmp_path / "A_1m.csv", WHOLE + bar_row(2, "10.00001,12,9,11").encode())
    (source,) = discover(path)
    assert 'tick = "0.01"' in suggest_instrument(source) or 'tick = "1"' in suggest_instrument(
        source
    )
    assert "0.00001" not in suggest_instrument(source)


def test_signals_that_lost_a_digit_are_refused_with_the_way_out(tmp_path: Path) -> None:
    text = "timestamp,symbol,weight\n2024-01-02T00:00:00Z,A,0.25\n2024-01-03T00:00:00Z,A,0.35\n"
    path = tmp_path / "signals.csv"
    path.write_text(text)
    assert len(read_signals(path)) == 2
    for end in range(text.rfind("2024") + 1, len(text)):
        path.write_text(text[:end])
        with pytest.raises(DataError, match=r"signals.csv:3: .*newline.*echo >>"):
            read_signals(path)


def test_orders_that_lost_a_digit_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    text = "time,symbol,side,quantity\n2024-01-02T00:00:00Z,A,BUY,100\n"
    path.write_text(text)
    assert Schedule(str(path)).unused == {"A": 1}
    path.write_text(text[:-2])
    with pytest.raises(ValueError, match=r"newline.*echo >>"):
        Schedule(str(path))


def test_settings_that_lost_a_digit_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("[risk]\nmax_position = 1000")
    with pytest.raises(ConfigError, match=r"session.toml:2: .*newline.*echo >>"):
        read_toml(path)
    path.write_text("[risk]\nmax_position = 1000\n  ")
    assert read_toml(path) == {"risk": {"max_position": 1000}}


def test_a_key_that_lost_its_end_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nB_SECRET=topsecretvalue")
    with pytest.raises(ConfigError, match=r"\.env:2: .*newline") as caught:
        read_dotenv(path)
    assert "topsecret" not in str(caught.value)
    path.write_text("A=1\n")
    assert read_dotenv(path) == {"A": "1"}


def import_file(path: Path, format: str, out: Path, symbol: str, **words: str) -> list[Path]:
    options = ImportOptions(format=format, symbols=(symbol,), **words)  # type: ignore[arg-type]
    return import_files([path], out, options).paths


KLINE = "1704067200000,1,2,1,2,17600,1704067259999,1,2,3,4,0"


def test_a_foreign_file_that_was_cut_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    text = KLINE + "\n" + KLINE.replace("17040672", "17040673")
    for path in (
        plain(tmp_path / "k.csv", text.encode()),
        packed(tmp_path / "g.csv", text.encode()),
    ):
        with pytest.raises(DataError, match=r":2: .*newline"):
            import_file(path, "binance", tmp_path / "out", "BTCUSDT")
    archive = tmp_path / "z.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("k.csv", text)
    with pytest.raises(DataError, match="the last line has no newline"):
        import_file(archive, "binance", tmp_path / "out", "BTCUSDT")
    assert not (tmp_path / "out").exists()


def test_lean_joins_its_lines_in_archives_that_check_themselves(tmp_path: Path) -> None:
    archive = tmp_path / "20131007_trade.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.csv", "34200000,1676500,1680000,1670000,1675000,5")
    words = {"timezone": "America/New_York", "asset_class": "equity"}
    (out,) = import_file(archive, "lean", tmp_path / "out", "SPY", **words)
    assert out.read_text().endswith(",5\n")
    loose = plain(tmp_path / "20131008_trade.csv", b"34200000,1676500,1680000,1670000,1675000,5")
    with pytest.raises(DataError, match="newline"):
        import_file(loose, "lean", tmp_path / "out", "SPY", **words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", False), ("a\n", False), ("a\r", False), ("a\n  ", False), ("a", True), ("a\nb", True)],
)
def test_what_counts_as_cut(text: str, expected: bool) -> None:
    assert is_cut(text) is expected


def test_the_way_out_fits_the_file() -> None:
    assert cut_words("a.csv").endswith("end the line: echo >> a.csv")
    assert cut_words("a.csv.gz").endswith("echo | gzip >> a.csv.gz")
    assert cut_words("a.zip").endswith("unpack it and end the line")


def test_the_way_out_works(tmp_path: Path) -> None:
    path = plain(tmp_path / "A_1m.csv.gz", gzip.compress(WHOLE[:-1]))
    path.write_bytes(path.read_bytes() + gzip.compress(b"\n"))
    report = inspect_source(source_of(path), traded())
    assert (report.rows, report.is_clean) == (2, True)


def test_the_way_out_can_be_typed_for_any_name() -> None:
    assert cut_words("a b;c.csv").endswith("end the line: echo >> 'a b;c.csv'")
    assert cut_words("a b.csv.gz").endswith("echo | gzip >> 'a b.csv.gz'")
    assert cut_words("A_1m.csv").endswith("echo >> A_1m.csv")
