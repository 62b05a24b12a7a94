"""Splits and dividends of a symbol in a file, from what yfinance and Lean write.

Two kinds of prices are about: raw ones, as they were traded, and those that were adjusted for the
splits that came later. yfinance gives adjusted prices and adjusted dividends only, so its splits
must not be carried out on its prices; for raw prices its dividends are made raw again. Lean's
factor files are for raw prices: a row says by which factors all prices until its day are to be
multiplied, so a split is the ratio of two rows, and a dividend what the closing price of the day
lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

from logos.data.readers.chunks import LINE_BYTES_MAX, split_line
from logos.errors import DataError
from logos.files import cut_words, is_cut, make_folder, read_whole, replace_file

SOURCES: Final = ("yfinance", "lean")
RAW: Final = "raw"
ADJUSTED: Final = "adjusted"
_BYTES_MAX: Final = 64 << 20
_RATIO_MAX: Final = 100
_RATIO_OFF: Final = Fraction(1, 20_000)
"""How far a ratio of two factors, which have seven digits, may be from whole numbers."""
_DIGITS: Final = 12
_LEAN_END: Final = date(2050, 12, 31)
"""The day of a factor file's last row, whose factors are 1."""
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Actions:
    """Texts as settings have them, in order of time, and what was left out and why."""

    splits: list[str]
    dividends: list[str]
    notes: list[str]


def import_actions(path: Path, source: str, prices: str = "") -> Actions:
    """The splits and dividends of a file of `source` for `prices` ("raw" or "adjusted").

    Raises DataError with file and line for what cannot be understood.
    """
    lines = _lines(path)
    if source == "yfinance":
        if prices not in (RAW, ADJUSTED):
            raise DataError(
                f"{path}: say for which prices: --prices adjusted for those of yfinance itself,"
                " which are adjusted for splits, --prices raw for prices as they were traded"
            )
        return _yfinance(path, lines, is_raw=prices == RAW)
    if prices == ADJUSTED:
        raise DataError(f"{path}: Lean's factor files are for raw prices: leave --prices out")
    return _lean(path, lines)


def write_actions(symbol: str, source: str, found: Actions, path: Path) -> None:
    """Write a file that settings name as `actions`. Raises DataError when it exists."""
    if path.exists():
        raise DataError(f"{path}: exists already and is not overwritten; choose another name")
    lines = [f'symbol = "{symbol}"', f'source = "{source}"']
    for name, texts in (("splits", found.splits), ("dividends", found.dividends)):
        lines += [f"{name} = [", *(f'    "{text}",' for text in texts), "]"]
    make_folder(path.parent)
    replace_file(path, ("\n".join(lines) + "\n").encode())


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """(line, cells) of every line that is not blank."""
    try:
        text = read_whole(path, _BYTES_MAX).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: no text: {error}") from None
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LINE_BYTES_MAX:
            raise DataError(f"{path}:{number}: the line has more than {LINE_BYTES_MAX:,} bytes")
        if line.strip():
            found.append((number, split_line(line)))
    if not found:
        raise DataError(f"{path}: there are no rows in this file")
    # A factor file shows by its last row that it is whole, and some have no newline there.
    if is_cut(text) and not found[-1][1][0].startswith(f"{_LEAN_END:%Y%m%d}"):
        raise DataError(f"{path}:{found[-1][0]}: {cut_words(path)}")
    return found


# ---- yfinance: a column of dividends and one of splits ----


def _yfinance(path: Path, lines: Sequence[tuple[int, list[str]]], *, is_raw: bool) -> Actions:
    number, header = lines[0]
    names = [name.strip().lower() for name in header]
    places = {name: names.index(name) for name in ("dividends", "stock splits") if name in names}
    time_name = next((name for name in ("date", "datetime", "") if name in names), None)
    if time_name is None or not places:
        raise DataError(
            f"{path}:{number}: the columns must be Date, Dividends and Stock Splits, not"
            f" {','.join(header)[:120]!r}; Ticker(...).actions.to_csv(FILE) writes them"
        )
    rows: list[tuple[str, Fraction, Fraction]] = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise DataError(f"{path}:{number}: {len(cells)} columns instead of {len(header)}")
        values = {name: _amount(path, number, cells[place], name) for name, place in places.items()}
        money, ratio = values.get("dividends", Fraction(0)), values.get("stock splits", Fraction(0))
        if money or ratio:
            rows.append((_day(path, number, cells[names.index(time_name)]), money, ratio))
    rows.sort(key=lambda row: datetime.fromisoformat(row[0]).replace(tzinfo=None))
    splits, dividends, later = [], [], Fraction(1)
    for moment, money, ratio in reversed(rows):
        # A dividend of the day of a split is of the new shares.
        if money:
            dividends.append(f"{moment} {_text(money * later if is_raw else money)}")
        if ratio:
            new, old = _ratio(path, ratio, moment)
            splits.append(f"{moment} {new}:{old}")
            later *= ratio
    notes = []
    if splits and not is_raw:
        notes.append(f"{len(splits)} splits left out: the prices are adjusted for them")
        splits = []
    elif dividends and later != 1:
        notes.append("dividends were multiplied by the splits behind them")
    return Actions(splits[::-1], dividends[::-1], notes)


def _amount(path: Path, number: int, text: str, name: str) -> Fraction:
    try:
        value = Decimal(text.strip() or "0")
    except InvalidOperation:
        raise DataError(f"{path}:{number}: {name}: not a number: {text[:40]!r}") from None
    if not value.is_finite():
        return Fraction(0)  # pandas writes so what is not there
    if value < 0:
        raise DataError(f"{path}:{number}: {name}: {text[:40]} is below zero")
    return Fraction(value)


def _day(path: Path, number: int, text: str) -> str:
    """The day; east of Greenwich its midnight there, which is the day before in UTC.

    Settings take a day from its beginning in UTC. Whether bars of days are stamped there or at
    midnight where they are traded, the earlier of the two is behind the bar before.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise DataError(f"{path}:{number}: not a day: {text[:40]!r}") from None
    ahead = moment.utcoffset()
    return moment.isoformat() if ahead and ahead > timedelta(0) else str(moment.date())


def _ratio(path: Path, value: Fraction, moment: str) -> tuple[int, int]:
    """A ratio of shares in whole numbers, new for old."""
    for old in range(1, _RATIO_MAX + 1):
        new = round(value * old)
        if new > 0 and abs(Fraction(new, old) - value) <= value * _RATIO_OFF:
            return new, old
    raise DataError(
        f"{path}: {moment}: {float(value):g} is no split in whole numbers; write it into the"
        " settings by hand"
    )


def _text(money: Fraction) -> str:
    value = Decimal(money.numerator) / Decimal(money.denominator)
    if value.adjusted() + 1 > _DIGITS:
        raise DataError(f"a dividend of {value} is out of range")
    text = f"{round(value, _DIGITS - max(value.adjusted() + 1, 1)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# ---- Lean: factors until a day ----


def _lean(path: Path, lines: Sequence[tuple[int, list[str]]]) -> Actions:
    rows = [_factors(path, number, cells) for number, cells in lines if _is_usable(cells)]
    if not rows:
        raise DataError(f"{path}: there are no factors in this file")
    if any(late[0] <= early[0] for early, late in pairwise(rows)):
        raise DataError(f"{path}: the days of a factor file must follow each other")
    if not rows[-1][1] == rows[-1][2] == 1:
        raise DataError(
            f"{path}: the factors of the last row must be 1: a factor file ends with"
            f" {_LEAN_END:%Y%m%d},1,1; it may have been cut short"
        )
    splits, dividends, notes, unpriced = [], [], [], 0
    for (day, price, split, close), (_, next_price, next_split, _) in pairwise(rows):
        first = str(day + timedelta(days=1))  # what came on the next day of trading
        if split != next_split:
            new, old = _ratio(path, Fraction(next_split) / Fraction(split), first)
            splits.append(f"{first} {new}:{old}")
        if price != next_price and not close:
            unpriced += 1
        elif price != next_price:
            paid = Fraction(close) * (1 - Fraction(price) / Fraction(next_price))
            exact = Decimal(paid.numerator) / Decimal(paid.denominator)
            cents = exact.quantize(_CENT, ROUND_HALF_EVEN)
            if cents > 0:
                dividends.append(f"{first} {cents}")
    if unpriced:
        notes.append(f"{unpriced} dividends left out: the file has no closing prices for them")
    if dividends:
        notes.append("dividends are exact to the cent, as the factors have seven digits")
    return Actions(splits, dividends, notes)


def _is_usable(cells: Sequence[str]) -> bool:
    """Lean passes over rows of factors that have no exact digits."""
    return not any("inf" in cell or "e+" in cell for cell in cells[1:3])


def _factors(
    path: Path, number: int, cells: Sequence[str]
) -> tuple[date, Decimal, Decimal, Decimal]:
    """(day, price factor, split factor, closing price or 0) of a row."""
    try:
        if len(cells) < 3 or len(cells[0]) != len("20140606"):
            raise ValueError
        day = date.fromisoformat(f"{cells[0][:4]}-{cells[0][4:6]}-{cells[0][6:]}")
        price, split = Decimal(cells[1]), Decimal(cells[2])
        close = Decimal(cells[3]) if len(cells) > 3 and cells[3].strip() else Decimal(0)
        if not (price > 0 and split > 0 and close >= 0 and close.is_finite()):
            raise ValueError
    except (ValueError, InvalidOperation):
        raise DataError(
            f"{path}:{number}: a factor file has rows like 20140606,0.9741588,0.142857,645.57, not"
            f" {','.join(cells)[:80]!r}"
        ) from None
    return day, price, split, close
