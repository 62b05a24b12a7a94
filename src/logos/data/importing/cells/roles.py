"""Which column of a table holds what: by the names that programs give their columns.

Names are compared without case, blanks and punctuation. Of several names for one role the table
here gives the order of preference; two columns that are equally good are asked about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from logos.data.importing.record import BAR_ROLES, PAIR_ROLES, ROLES
from logos.data.layout import BARS, QUOTE_BARS, QUOTES, TRADES

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "time": (
        *("timestamp", "unix timestamp", "unix time", "unix", "epoch", "time utc", "utc time"),
        *("utc", "gmt time", "open time", "opentime", "datetime", "date time", "datetime utc"),
        *("time", "window start", "ts event", "ts recv", "start time", "time period start"),
        *("begins at", "date", "day", "trade date", "tradingday", "ts", "t", "dt", "index"),
        *("local time", "eastern time", "trade time", "created at", "time s", "time ms"),
        *("created time", "dtyyyymmdd", "mts", "begin"),
    ),
    "close_time": ("close time", "closetime", "time period end", "end time", "end"),
    "open": ("open", "o", "open price", "price open", "opening price", "first", "bo", "px open"),
    "high": ("high", "h", "high price", "price high", "max", "highest", "px high"),
    "low": ("low", "l", "low price", "price low", "min", "lowest", "px low"),
    "close": (
        *("close", "c", "close price", "price close", "close last", "last price", "last"),
        *("px last", "px close"),
    ),
    "volume": (
        *("volume", "vol", "v", "base volume", "volume base", "volume traded", "total volume"),
        *("real volume", "tickvol", "tick volume", "basevolume", "trade volume", "px volume"),
        *("tottrdqty",),
    ),
    "bid": ("bid", "bid price", "bidprice", "best bid", "best bid price", "b", "bp"),
    "ask": ("ask", "ask price", "askprice", "best ask", "best ask price", "a", "ap", "offer"),
    "bid_size": (
        *("bid size", "bidsize", "bid qty", "best bid qty", "bid volume", "bidvolume"),
        *("bid amount", "best bid size", "bs", "bid quantity"),
    ),
    "ask_size": (
        *("ask size", "asksize", "ask qty", "best ask qty", "ask volume", "askvolume"),
        *("ask amount", "best ask size", "as", "ask quantity"),
    ),
    "price": ("price", "p", "trade price", "px", "rate"),
    "size": ("size", "qty", "quantity", "amount", "volume", "vol", "q", "s", "trade size"),
    "side": ("side", "aggressor", "aggressor side", "taker side", "direction"),
    "maker": ("is buyer maker", "isbuyermaker", "buyer maker"),
    "symbol": (
        *("symbol", "ticker", "sym", "instrument", "pair", "ric", "raw symbol", "tic"),
        *("instrument name", "instid"),
    ),
}
_PAIR_ALIASES: Final = {
    role: (role.replace("_", " "), role.replace("_", "")) for role in PAIR_ROLES
}
_UNFINISHED: Final = (
    *("confirm", "confirmed", "is closed", "isclosed", "is final", "isfinal", "complete"),
    *("is complete", "iscomplete", "finished"),
)
"""Columns that say of a bar whether it had closed when the file was written."""

TRUTHS: Final = {
    **dict.fromkeys(("true", "1", "t", "yes"), True),
    **dict.fromkeys(("false", "0", "f", "no"), False),
}
"""What cells mean that say yes or no, in small letters."""

_KIND_ROLES: Final = (
    (BARS, BAR_ROLES[:4], ("volume",)),
    (QUOTES, ("bid", "ask"), ("bid_size", "ask_size")),
    (TRADES, ("price",), ("size", "side", "maker")),
    (QUOTE_BARS, tuple(name for name in PAIR_ROLES if "volume" not in name), PAIR_ROLES[4::5]),
)
_CLOCK: Final = re.compile(
    r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp][Mm])?|[0-2]?[0-9]{3}|[0-9]{6}"
)


def name_key(name: str) -> str:
    """A column's name as names are compared: `1. open` and `<OPEN>` are both open."""
    words = re.sub(r"[^0-9a-z]+", " ", name.lower()).split()
    if len(words) > 1 and words[0].isdigit():
        del words[0]
    return " ".join(words)


def find_roles(
    header: Sequence[str], sample: Sequence[Sequence[str]], symbol: str
) -> tuple[str, dict[str, int]]:
    """(kind, place of each role) by the names of the columns.

    `symbol` (else the first row's) tells which of `Volume BTC` and `Volume USD` counts units of
    the base. Raises ValueError that says what is missing or doubtful.
    """
    keys = [name_key(name) for name in header]
    aliases = ALIASES | _PAIR_ALIASES
    places = {role: at for role in aliases if (at := _place(keys, aliases[role])) is not None}
    kind = next((kind for kind, needed, _ in _KIND_ROLES if set(needed) <= set(places)), None)
    if kind != BARS and {"open", "high", "low"} <= set(places):
        raise ValueError("it has an open, a high and a low, and no column of closes")
    if kind is None:
        raise ValueError(
            "no columns of bars (open, high, low, close), quotes (bid, ask) or trades (price)"
        )
    _, needed, further = next(row for row in _KIND_ROLES if row[0] == kind)
    used = (*needed, *further, "symbol", "close_time")
    found = {role: places[role] for role in used if role in places}
    if "side" in found:
        found.pop("maker", None)
    if kind == BARS and "volume" not in found:
        if not symbol and "symbol" in places and sample:
            symbol = sample[0][places["symbol"]]
        found |= _unit_volume(keys, symbol)
    found = _time_places(keys, sample) | found
    return kind, {role: only_place(header, sample, keys[at]) for role, at in found.items()}


def only_place(header: Sequence[str], sample: Sequence[Sequence[str]], key: str) -> int:
    """The place of the column that is called `key` (a `name_key`).

    Of several, as in JSON that has both `l` and `L`, it is the one that is spelled so to the
    letter, or any of them where they hold the same. Raises ValueError when it cannot be told.
    """
    places = [at for at, name in enumerate(header) if name_key(name) == key]
    exact = [at for at in places if header[at].strip() == key]
    if len(exact) == 1:
        return exact[0]
    rows = [row for row in sample if len(row) == len(header)]
    if any(row[at] != row[places[0]] for row in rows for at in places[1:]):
        raise ValueError(f"{len(places)} columns are called {header[places[0]]!r}")
    return places[0]


def unfinished_place(header: Sequence[str], sample: Sequence[Sequence[str]]) -> int | None:
    """The column that says of each bar whether it had closed; None when there is none."""
    keys = [name_key(name) for name in header]
    # Binance's stream of klines has one letter for each.
    names = (*_UNFINISHED, "x") if {"t", "o", "h", "l", "c"} <= set(keys) else _UNFINISHED
    for at, key in enumerate(keys):
        cells = {row[at].strip().lower() for row in sample if len(row) == len(header)}
        if key in names and cells and cells <= TRUTHS.keys():
            return at
    return None


def _place(keys: Sequence[str], aliases: Sequence[str]) -> int | None:
    return next((keys.index(alias) for alias in aliases if alias in keys), None)


def _time_places(keys: Sequence[str], sample: Sequence[Sequence[str]]) -> dict[str, int]:
    """Where the moment stands: one column, or a day and a time of day."""
    day = _place(keys, ("date", "day", "trade date", "dtyyyymmdd"))
    clock = _place(keys, ("time", "trade time", "minute"))
    if day is not None and clock is not None and _is_clock(sample, clock):
        other = _place([key for key in keys if key not in ("date", "time")], ALIASES["time"][:6])
        if other is None:
            return {"date": day, "clock": clock}
    candidates = [
        place
        for alias in ALIASES["time"]
        if alias in keys and not _is_clock(sample, place := keys.index(alias))
    ]
    if candidates:
        return {"time": candidates[0]}
    if keys and not keys[0] and not _is_counted(sample):
        return {"time": 0}  # the index of pandas has no name
    raise ValueError("no column of times (timestamp, time, date, unix)")


def _is_clock(sample: Sequence[Sequence[str]], place: int) -> bool:
    return all(_CLOCK.fullmatch(row[place].strip()) for row in sample if len(row) > place)


def _is_counted(sample: Sequence[Sequence[str]]) -> bool:
    """Whether the first column counts rows: 0, 1, 2."""
    return [row[0].strip() for row in sample[:3] if row] == ["0", "1", "2"][: len(sample)]


def _unit_volume(keys: Sequence[str], symbol: str) -> dict[str, int]:
    named = {key: key.removeprefix("volume ") for key in keys if key.startswith("volume ")}
    if not named:
        return {}
    if len(named) == 1:
        return {"volume": keys.index(next(iter(named)))}
    plain = "".join(filter(str.isalnum, symbol)).lower()
    bases = [key for key, unit in named.items() if unit and plain.startswith(unit)]
    if len(bases) != 1:
        raise ValueError(
            f"more than one column of volumes ({', '.join(sorted(named))}); say which with"
            " --columns"
        )
    return {"volume": keys.index(bases[0])}


def roles_by_place(columns: Sequence[str], width: int) -> tuple[str, dict[str, int]]:
    """(kind, places) of roles given one by one, as `--columns` gives them.

    Raises ValueError for a role that is unknown or given twice, and for too few or too many.
    """
    if len(columns) != width:
        raise ValueError(f"{len(columns)} columns are named, and the rows have {width}")
    places: dict[str, int] = {}
    for place, given in enumerate(columns):
        role = given.strip().lower().replace("timestamp", "time")
        role = "-" if role in ("", "_") else role
        if role not in ROLES:
            raise ValueError(f"no such column: {given!r}; known: {', '.join(sorted(ROLES))}")
        if role in places:
            raise ValueError(f"{given} is named twice")
        if role != "-":
            places[role] = place
    return kind_of_roles(places), places


def kind_of_roles(places: Mapping[str, int]) -> str:
    """The kind of data with these roles. Raises ValueError when something is missing."""
    if not places.keys() & {"time", "date"}:
        raise ValueError("no column of times is named: time, or date and clock")
    for kind, needed, _ in _KIND_ROLES:
        if set(needed) <= set(places):
            return kind
    raise ValueError("bars need open, high, low, close; quotes bid, ask; trades price")
