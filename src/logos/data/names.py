"""What a file's name says, and what a file of a symbol is called: both directions, in one place.

A name is words between `_`. The symbol comes first; the words after it say the interval, the kind,
the side, the source, the date. Everything up to the first word that is known to say one of those
belongs to the symbol, so `BTC_USDT-1h.csv` is BTC_USDT and `BTCUSD_PERP_1d.csv` is BTCUSD_PERP:
nothing is cut off that could be a part of a symbol. A character that cannot stand in a name is
written `%XX`, as in an address of the web: `BTC%2FUSDT_1h.csv` is BTC/USDT. What a name cannot
say, or says wrongly, stands in `files.toml` in the same folder:

    ["export.csv"]
    symbol = "SPY"
    interval = "1h"
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

import msgspec

from logos.data.layout import stem_of
from logos.data.terms.currencies import is_currency, words
from logos.errors import DataError
from logos.files import open_regular

INDEX_NAME: Final = "files.toml"
"""The file that says what the names of the files beside it do not."""
_INDEX_KEYS: Final = frozenset({"symbol", "interval", "timezone", "time_format", "stamp"})
_INDEX_BYTES_MAX: Final = 16 << 20

SYMBOL_LENGTH_MAX: Final = 64
_STEM_BYTES_MAX: Final = 240
"""Of a name without its extension: file systems hold 255 bytes."""
_INNER: Final = r"[\w.^$#&!/:=@+~%-]"
_SYMBOL: Final = re.compile(rf"(?:[\w^$#]|\.\w){_INNER}*(?: {_INNER}+)*")
_KEPT: Final = "^=.-+@"
"""What is written into a name as it is, besides letters and digits."""

_SIDES: Final = frozenset({"bid", "ask"})
_KINDS: Final = words(
    "bar bars quote quotes trade trades tick ticks ohlc ohlcv kline klines candle candles"
    " candlestick aggtrade aggtrades agg minute minutes min hour hours hourly day daily week"
    " weekly month monthly intraday history historical prices data"
)
_CONTRACTS: Final = words("perp swap futures future spot quarter biquarter otc")
"""Words that tell one contract from another, however they are written."""

_INTERVAL: Final = re.compile(
    r"([1-9][0-9]{0,3})(s|sec|S|m|min|mins|MIN|T|h|hr|H|d|D|w|wk|W|mo|mon|M)"
)
_MT_INTERVAL: Final = re.compile(r"(M)(1|5|15|30)|(H)(1|4)|(D)(1)|(W)(1)|(MN)(1?)")
_MT_SYMBOL_LENGTH_MIN: Final = 5
"""`ES_H4` is the future of March 2024 and `EURUSD_H4` four hours: futures have short roots."""
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "S"), "s"),
    **dict.fromkeys(("m", "min", "mins", "MIN", "T"), "m"),
    **dict.fromkeys(("h", "hr", "H"), "h"),
    **dict.fromkeys(("d", "D"), "d"),
    **dict.fromkeys(("w", "wk", "W"), "w"),
    **dict.fromkeys(("mo", "mon", "M", "MN"), "mo"),
}
_MONTHS_MAX: Final = 12
_DATE: Final = re.compile(
    r"(?:19|20)[0-9]{2}"  # 2024
    r"(?:[-.]?(?:0[1-9]|1[0-2])(?:[-.]?(?:0[1-9]|[12][0-9]|3[01]))?)?"  # -01-31
    r"(?:[T ]?[0-9]{2}[-:]?[0-9]{2}(?:[-:]?[0-9]{2})?Z?)?"  # T235959Z
)
_PART: Final = re.compile(r"[0-9]{1,3}")
"""Part 2 of a file that was cut into several."""
_DAY_FIRST: Final = re.compile(r"[0-3][0-9]\.[01][0-9]\.(?:19|20)[0-9]{2}")
_AFTER_COMMA: Final = re.compile(r", ([0-9]{1,4})([SDWM]?)(?= |$)")
"""TradingView's: `BINANCE_BTCUSDT, 60.csv`; a number alone is minutes."""
_TAIL: Final = re.compile(r"-([0-9]{1,4}[A-Za-z]{1,4})(?=-|$)")
_SIDE_TAIL: Final = re.compile(r"[-. ](bid|ask)$", re.IGNORECASE)


class FileName(msgspec.Struct, frozen=True):
    """What a name says. `interval` is such as "1h", "1d", "1w" or "1mo" (empty: nothing), `side`
    "bid", "ask" or empty; `pair` is the name without its side, which both halves share; `words`
    are those after the symbol, as they stand."""

    symbol: str
    interval: str = ""
    side: str = ""
    pair: str = ""
    words: tuple[str, ...] = ()


def parse_name(path: Path) -> FileName:
    """What the file's name says of it. Raises DataError for an escape that is no text."""
    stem = unicodedata.normalize("NFC", stem_of(path))
    stem = _AFTER_COMMA.sub(lambda found: f"_{found[1]}{found[2] or 'm'}", stem)
    pieces = _pieces(stem)
    count = _symbol_pieces(pieces)
    after = tuple(pieces[count:])
    intervals = [token for word in after if (token := interval_word(word, pieces[0]))]
    sides = [place for place, word in enumerate(after) if word.lower() in _SIDES]
    side = after[sides[-1]].lower() if sides else ""
    rest = [word for place, word in enumerate(after) if sides[-1:] != [place]]
    return FileName(
        symbol=unescape("_".join(pieces[:count]), path),
        interval=intervals[0] if intervals else "",
        side=side,
        pair="_".join([*pieces[:count], *rest]),
        words=after,
    )


def _pieces(stem: str) -> list[str]:
    """The words of a name; `BTC_USDT-1h-2024` gives 1h and 2024 too, `EURUSD-BID` BID."""
    pieces: list[str] = []
    for piece in stem.split("_"):
        tail = _TAIL.search(piece)
        while tail is not None and not (tail.start() and interval_word(tail[1], "")):
            tail = _TAIL.search(piece, tail.end())
        if tail is not None:
            pieces += [piece[: tail.start()], tail[1]]
            piece = piece[tail.end() :].lstrip("-")
            if not piece:
                continue
        side = _SIDE_TAIL.search(piece)
        if side is not None and side.start():
            pieces += [piece[: side.start()], side[1]]
        else:
            pieces.append(piece)
    return pieces


def _symbol_pieces(pieces: list[str]) -> int:
    """How many of the words make the symbol: the first, and all up to one that is known."""
    for place, word in enumerate(pieces[1:], 1):
        if not word or _is_known(word, pieces[0]):
            return place
    return len(pieces)


def _is_known(word: str, first: str) -> bool:
    lower = word.lower()
    if lower in _KINDS or lower in _SIDES or _PART.fullmatch(word):
        return True
    if interval_word(word, first) or _is_date(word):
        return True
    # In BTCUSDT_binance and ETHUSD_x the small letters are remarks; in BTC_usdt they are not.
    is_small = word != word.upper() and first == first.upper() and first != first.lower()
    return is_small and not is_currency(lower.upper()) and lower not in _CONTRACTS


def _is_date(word: str) -> bool:
    spans = word.split("-") if _DAY_FIRST.match(word) else [word]
    if all(_DAY_FIRST.fullmatch(part) for part in spans):
        return True
    first = _DATE.match(word)
    if first is None:
        return False
    rest = word[first.end() :].lstrip("-")
    return not rest or _DATE.fullmatch(rest) is not None


def interval_word(word: str, first: str) -> str:
    """The interval that a word of a name stands for, such as "1h" for 1h, 60m, H1 or 1H; else "".

    `first` is the first word of the name.
    """
    plain = _INTERVAL.fullmatch(word)
    if plain is not None:
        count, unit = int(plain[1]), _UNITS[plain[2]]
        if plain[2] == "M" and count > _MONTHS_MAX:
            unit = "m"
        return _shortest(count, unit)
    found = _MT_INTERVAL.fullmatch(word)
    if found is None or len(first) < _MT_SYMBOL_LENGTH_MIN:
        return ""
    unit, count_text = [part for part in found.groups() if part is not None]
    return _shortest(int(count_text or 1), {"M": "m"}.get(unit) or _UNITS[unit])


def _shortest(count: int, unit: str) -> str:
    """60m is 1h, 24h is 1d: one length has one word. (A week is not always seven days.)"""
    for small, many, large in (("s", 60, "m"), ("m", 60, "h"), ("h", 24, "d")):
        if unit == small and count % many == 0:
            count, unit = count // many, large
    return f"{count}{unit}"


def unescape(text: str, path: Path) -> str:
    """`text` with every `%XX` made the character it stands for. Raises DataError."""
    try:
        return unicodedata.normalize("NFC", unquote_to_bytes(text).decode("utf-8"))
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: {text!r} has an escape (%XX) that is no UTF-8 text; rename the file, or name"
            f" its symbol in {INDEX_NAME} beside it"
        ) from None


def check_symbol(symbol: str) -> str:
    """The symbol, fit to be used. Raises DataError for one that cannot be.

    It has letters and digits of any script and `. ^ $ # & ! / : = @ + ~ % _ -`, with single blanks
    within; it begins with a letter, a digit or one of `_ . ^ $ #`.
    """
    if not _SYMBOL.fullmatch(symbol) or len(symbol) > SYMBOL_LENGTH_MAX:
        raise DataError(
            f"{symbol[: SYMBOL_LENGTH_MAX + 1]!r} is not a symbol: letters, digits and"
            " .^$#&!/:=@+~%_- , beginning with a letter, a digit or one of _.^$#, at most"
            f" {SYMBOL_LENGTH_MAX} characters"
        )
    return symbol


def stem_for(symbol: str, *words: str, side: str = "") -> str:
    """The name, without extension, of a file of `symbol`: `parse_name` gives the symbol back.

    `words` come after it, such as an interval, a kind, a source, a date; `side` is "bid" or "ask".
    Raises DataError for what is no symbol, or too long for a file's name.
    """
    check_symbol(symbol)
    tail = [word.replace("_", "-") for word in words if word]
    if side:
        tail.append(side)
    for keeps_words in (True, False):
        stem = "_".join([_escaped(symbol, keeps_words=keeps_words), *tail])
        if parse_name(Path(stem)).symbol == unicodedata.normalize("NFC", symbol):
            break
    else:
        # A first word after the symbol that could be a part of it: the kind ends it.
        stem = "_".join([_escaped(symbol, keeps_words=False), "data", *tail])
    if len(stem.encode()) > _STEM_BYTES_MAX:
        raise DataError(f"{stem[:80]}...: too long for the name of a file; shorten the symbol")
    return stem


def _escaped(symbol: str, *, keeps_words: bool) -> str:
    text = unicodedata.normalize("NFC", symbol)
    parts: list[str] = []
    for place, character in enumerate(text):
        is_plain = character.isalnum() or (character in _KEPT and place > 0) or character == "^"
        is_plain = is_plain or (character == "_" and keeps_words and place > 0)
        if not keeps_words and character in "-.":
            is_plain = False  # BTC-1h, EURUSD.ask
        parts.append(character if is_plain else _percent(character))
    return "".join(parts)


def _percent(character: str) -> str:
    # `quote` leaves letters, digits and `_.-~` as they are, also where they must not stay.
    quoted = quote(character, safe="")
    return quoted if quoted != character else f"%{ord(character):02X}"


def same_symbol(one: str, other: str) -> bool:
    """Whether two spellings mean one symbol: BTC/USD, BTC-USD, btcusd."""
    return _plain(one) == _plain(other)


def _plain(symbol: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFC", symbol).casefold()))


def read_index(folder: Path) -> dict[str, dict[str, Any]]:
    """What `files.toml` of the folder says, by the names of files; empty where there is none.

    Raises DataError naming what is wrong with it.
    """
    path = folder / INDEX_NAME
    if not path.is_file():
        return {}
    try:
        with open_regular(path) as file:
            table = tomllib.loads(file.read(_INDEX_BYTES_MAX).decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    for name, entry in table.items():
        _check_entry(path, folder, name, entry)
    return table


def _check_entry(path: Path, folder: Path, name: str, entry: object) -> None:
    if not isinstance(entry, Mapping):
        raise DataError(f'{path}: {name}: write a table of the file\'s name: ["{name}.csv"]')
    unknown = sorted(set(entry) - _INDEX_KEYS)
    if unknown:
        known = ", ".join(sorted(_INDEX_KEYS))
        raise DataError(f"{path}: {name}: no such key: {', '.join(unknown)}; known: {known}")
    if Path(name).name != name or not (folder / name).is_file():
        raise DataError(f"{path}: {name}: there is no such file in this folder")
    if "symbol" in entry:
        try:
            check_symbol(str(entry["symbol"]))
        except DataError as error:
            raise DataError(f"{path}: {name}: symbol: {error}") from None


def is_symbol_of(text: str, symbols: Collection[str]) -> list[str]:
    """Which of `symbols` the text means: itself, or else those it is another spelling of."""
    if text in symbols:
        return [text]
    return sorted(symbol for symbol in symbols if same_symbol(symbol, text))
