"""Lean's data folder: zips of minutes, hours, days and ticks of each class of assets.

https://github.com/QuantConnect/Lean, Data/equity, forex, crypto and future, readme.md of each:
seconds, minutes and ticks count milliseconds since midnight of the day in the file's name, hours
and days have `YYYYMMDD HH:MM`; six columns are trades, eleven bids and asks; prices of equities are
ten-thousandths, others as they are; the zone is New York's for US equities, UTC for Oanda, crypto
and futures, UTC-5 for FXCM. A tick may be marked as suspicious, which Lean's own bars leave out. A
daily bar carries the date of its trading day. Class, market, resolution and ticker are the folders;
a file outside of them needs `--asset-class` and `--timezone`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from logos.data.importing.formats.shapes import NUMBER, WHOLE
from logos.data.importing.record import PAIR_ROLES, ForeignLayout, LeftOut
from logos.data.layout import BARS, QUOTE_BARS, QUOTES, TRADES

_SOURCE: Final = "https://github.com/QuantConnect/Lean (Data/equity, forex, crypto, future: readme)"
_MILLISECONDS: Final = r"[0-9]{1,8}(?:\.[0-9]{1,6})?"
_DATED: Final = r"[0-9]{8} [0-9]{2}:[0-9]{2}"
_MAYBE: Final = rf"(?:{NUMBER})?"
_TRADE_BAR: Final = ("time", "open", "high", "low", "close", "volume")
_QUOTE_BAR: Final = ("time", *PAIR_ROLES)
_SUSPICIOUS: Final = (LeftOut(5, "1", "marked as suspicious"),)
_ONE_SIDED: Final = (
    "quotes of single exchanges, each of one side alone; import the bars of quotes of that day"
)


class _Class(NamedTuple):
    """A class of assets: its folders, the zone, and by how many places prices are shifted.

    `expires`: the name within the archive ends with the day on which the contract expires.
    """

    title: str
    folders: str
    zone: str
    shift: int
    expires: bool = False

    @property
    def symbol(self) -> str:
        """How the symbol is made of what path and name say."""
        return "{symbol}-{expiry}" if self.expires else "{symbol}"


_CLASSES: Final = (
    _Class("equities", r"equity/usa", "America/New_York", 4),
    _Class("forex of FXCM", r"forex/fxcm", "-05:00", 0),
    _Class("forex and CFDs", r"(?:forex|cfd)/(?!fxcm/)[^/]+", "UTC", 0),
    _Class("crypto", r"crypto(?:future)?/[^/]+", "UTC", 0),
    _Class("futures", r"future/[^/]+", "UTC", 0, expires=True),
)
_ELSEWHERE: Final = _Class("any class", "", "", 0)
"""That of a file in none of these folders, or of another market of equities."""


class _Form(NamedTuple):
    """A form of rows that all classes have."""

    title: str
    kind: str
    word: str
    """What the file's name has at its end: trade or quote."""
    row: tuple[str, ...]
    columns: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    refused: str = ""


_BARS: Final = (
    _Form("trades", BARS, "trade", (WHOLE, *(NUMBER,) * 5), _TRADE_BAR),
    _Form("quotes", QUOTE_BARS, "quote", (WHOLE, *(_MAYBE,) * 10), _QUOTE_BAR),
)
_TICKS: Final = (
    _Form(
        "trades",
        TRADES,
        "trade",
        (_MILLISECONDS, NUMBER, NUMBER, r".*", r".*", r"[01]"),
        ("time", "price", "size", "-", "-", "-"),
        _SUSPICIOUS,
    ),
    _Form("trades", TRADES, "trade", (_MILLISECONDS, *(NUMBER,) * 2), ("time", "price", "size")),
    _Form("quotes", QUOTES, "quote", (_MILLISECONDS, *(NUMBER,) * 2), ("time", "bid", "ask")),
    _Form(
        "quotes",
        QUOTES,
        "quote",
        (_MILLISECONDS, *(NUMBER,) * 4),
        ("time", "bid", "bid_size", "ask", "ask_size"),
    ),
    _Form(
        "quotes of one side",
        QUOTES,
        "quote",
        (_MILLISECONDS, *(_MAYBE,) * 4, r".*", r".*", r"[01]"),
        (),
        refused=_ONE_SIDED,
    ),
)


def _is_daily(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of hours: that every row stands at midnight."""
    return "every row stands at 00:00" if all(row[0].endswith("00:00") for row in rows) else ""


def _is_hourly(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of days: that a row does not stand at midnight."""
    odd = [row[0] for row in rows if not row[0].strip().endswith(" 00:00")]
    return f"a row stands at {odd[0]}" if odd else ""


def _path(of: _Class, resolution: str, word: str) -> str:
    """The pattern of a path within the folders of a class, or of one outside of all of them."""
    if of is _ELSEWHERE:
        return rf"^(?!.*(?:{'|'.join(f'(?:^|/){each.folders}/' for each in _CLASSES)}))"
    ticker = rf"(?:^|/){of.folders}/{resolution}/(?P<symbol>[^/._]+)"
    expiry = r".*?(?:_(?P<expiry>[0-9]{8}))?\.csv$" if of.expires else ""
    if resolution in ("second", "minute", "tick"):
        return rf"{ticker}/(?P<day>[0-9]{{8}})_{word}{expiry}"
    return ticker + (expiry or "[._]")


def _intraday(of: _Class, form: _Form, resolution: str, interval: str) -> ForeignLayout:
    # A name that says no resolution is that of minutes.
    before = r"(?:[^/]*_(?!tick|second)[a-z]+_)?"
    if resolution != "minute":
        before = rf"(?:[^/]*_)?{resolution}_"
    return ForeignLayout(
        name="lean",
        title=f"Lean {resolution}s of {form.title}, {of.title}",
        source=_SOURCE,
        kind=form.kind,
        row=form.row,
        columns=form.columns,
        path=_path(of, resolution, form.word),
        file_name=rf"(?i)(?P<day>[0-9]{{8}})_{before}{form.word}" if of is _ELSEWHERE else "",
        name_decides=True,
        time_format="midnight-ms",
        zone=of.zone,
        interval=interval,
        asset_class=of is _ELSEWHERE,
        shift=of.shift,
        symbol=of.symbol,
        upper=True,
        joined=True,
        left_out=form.left_out,
        refused=form.refused,
    )


def _dated(of: _Class, form: _Form, resolution: str, interval: str) -> ForeignLayout:
    is_daily = resolution == "daily"
    return ForeignLayout(
        name="lean",
        title=f"Lean {'days' if is_daily else 'hours'} of {form.title}, {of.title}",
        source=_SOURCE,
        kind=form.kind,
        row=(_DATED, *form.row[1:]),
        columns=form.columns,
        path=_path(of, resolution, form.word),
        doubt=_is_hourly if is_daily else _is_daily,
        time_format="%Y%m%d %H:%M",
        zone="UTC" if is_daily else of.zone,
        interval=interval,
        asset_class=of is _ELSEWHERE,
        shift=of.shift,
        symbol=of.symbol,
        upper=True,
        joined=True,
        note="a daily bar is stamped with midnight of its trading date" if is_daily else "",
    )


def _all() -> Iterator[ForeignLayout]:
    for of in (*_CLASSES, _ELSEWHERE):
        for form in _BARS:
            yield _intraday(of, form, "minute", "1m")
            yield _intraday(of, form, "second", "1s")
            yield _dated(of, form, "hour", "1h")
            yield _dated(of, form, "daily", "1d")
        for form in _TICKS:
            yield _intraday(of, form, "tick", "")
    yield ForeignLayout(
        name="lean",
        title="Lean open interest",
        source=_SOURCE,
        kind=TRADES,
        row=(rf"{WHOLE}|{_DATED}", WHOLE),
        path=r"(?i)open_?interest",
        refused="numbers of open contracts, not prices; import the trades or quotes of that day",
    )


LAYOUTS: Final = tuple(_all())
