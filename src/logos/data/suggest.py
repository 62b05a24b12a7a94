"""A first draft of an instrument, from all rows of a file and from what its symbol says.

The tick is the finest decimal of all prices and the lot that of all sizes, without the noise of
binary floats. A venue's steps can be finer than what a file shows: a person checks the draft.
Currencies come from a table of known ones. What cannot be known stays empty, and a table with
something empty in it is refused, so that nobody trades on what was never looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from logos.core.fixed import format_units
from logos.data.defects import toml_key
from logos.data.digits import shown_decimals
from logos.data.layout import clean_header, file_layout, with_sizes
from logos.data.names import parse_name
from logos.data.readers.head import all_lines
from logos.data.source import DataSource
from logos.data.terms.contracts import coin_settled
from logos.data.terms.currencies import Currencies, contract_word, currencies_of
from logos.data.terms.venue_fees import SPOT_FEES, fees_line

_PRICE_DECIMALS_MAX: Final = 12
_SIZE_DECIMALS_MAX: Final = 8
"""Steps finer than these are nobody's: figures with more decimals were computed, and are noise."""
_LOT_ASSUMED: Final = 8
_FILL_IN: Final = {
    "tick": "the price step: no price could be read",
    "lot": "the quantity step: the data has no sizes",
    "quote": "the currency of the prices; the symbol does not say it",
    "multiplier": "what one contract is worth: units, or money where it is inverse",
    "settlement": "margin, or inverse where it is settled in the coin (quote is the coin then)",
}


class Draft(msgspec.Struct, frozen=True):
    """What a file shows of its instrument; empty text is what has to be filled in.

    `multiplier` and `settlement` are None where they are those of a spot market. `venue` is the
    ccxt id of the venue that the file's name tells, or empty.
    """

    symbol: str
    tick: str
    lot: str
    base: str
    quote: str
    multiplier: str | None = None
    settlement: str | None = None
    venue: str = ""

    @property
    def missing(self) -> list[str]:
        """The keys that must be filled in."""
        return [name for name in _FILL_IN if getattr(self, name) == ""]

    def toml(self) -> str:
        """The table `[instruments.SYMBOL]`, with a remark beside what must be filled in."""
        lines = [f"[instruments.{toml_key(self.symbol)}]"]
        for name in ("tick", "lot", "base", "quote", "multiplier", "settlement"):
            value = getattr(self, name)
            if value is None or (name == "base" and not value):
                continue
            remark = f"  # fill in: {_FILL_IN[name]}" if not value else ""
            lines.append(f'{name} = "{value}"{remark}')
        lines.append(fees_line(self.venue if self.settlement is None else ""))
        return "\n".join(lines) + "\n"

    def assumed(self) -> dict[str, Any]:
        """A table that is good enough to look at the data, and to trade on nothing."""
        return {
            "tick": self.tick or "0.01",
            "lot": self.lot or format_units(1, _LOT_ASSUMED),
            "base": self.base or self.symbol,
            "quote": self.quote or "?",
        }


def draft_instrument(source: DataSource, *, quote: str = "") -> Draft:
    """What the source's files show, all of their rows; `quote` is the currency where it is known.

    Raises DataError for a file that cannot be read.
    """
    layout = file_layout(source.kind)
    known = currencies_of(source.symbol)
    price_decimals = size_decimals = -1
    for path in source.paths:
        blocks = all_lines(path)
        header = clean_header(next(iter(next(blocks, [])), []))
        header = with_sizes(header, layout, known.base, known.quote)
        price_places = [header.index(name) for name in layout.prices if name in header]
        size_places = [header.index(name) for name in layout.sizes if name in header]
        for rows in blocks:
            price_decimals = max(price_decimals, _decimals(rows, price_places, _PRICE_DECIMALS_MAX))
            size_decimals = max(size_decimals, _decimals(rows, size_places, _SIZE_DECIMALS_MAX))
    words = name_words(source)
    return _with_terms(
        known,
        words,
        Draft(
            source.symbol,
            format_units(1, price_decimals) if price_decimals >= 0 else "",
            format_units(1, size_decimals) if size_decimals >= 0 else "",
            known.base,
            quote or known.quote,
            venue=next((venue for venue in SPOT_FEES if venue in words), ""),
        ),
    )


def name_words(source: DataSource) -> frozenset[str]:
    """The words of a file's name behind the symbol, in small letters."""
    named = parse_name(source.path).words
    return frozenset(part for word in named for part in word.lower().split("-"))


def _with_terms(known: Currencies, words: frozenset[str], draft: Draft) -> Draft:
    """The draft with what a contract's symbol says of its settlement."""
    settled = coin_settled(draft.symbol, words)
    if settled is not None:
        coin = settled.coin
        return replace(draft, base=coin, quote=coin, multiplier="", settlement="inverse")
    if known.settle and known.settle == known.base:
        return replace(draft, quote=known.settle, multiplier="", settlement="inverse")
    if known.settle:
        return replace(draft, multiplier="", settlement="margin")
    if contract_word(draft.symbol):
        return replace(draft, multiplier="", settlement="")
    return draft


def suggest_instrument(source: DataSource, *, quote: str = "") -> str:
    """The draft of the source's instrument as a table of TOML. Raises DataError."""
    return draft_instrument(source, quote=quote).toml()


def _decimals(rows: list[list[str]], places: list[int], believed: int) -> int:
    """The most decimals, up to `believed`, in the cells at `places`; -1 where none is a number."""
    most = -1
    for text in _cells(rows, places):
        # Only what could be finer than all before is looked at with care.
        point = text.find(".")
        decimals = len(text) - point - 1 if point >= 0 else 0
        if decimals <= most and "e" not in text.lower():
            continue
        try:
            decimals = shown_decimals(text)
        # Rows that cannot be read are the check's business, not a draft's.
        except ValueError:
            continue
        if decimals <= believed:
            most = max(most, decimals)
    return most


def _cells(rows: list[list[str]], places: list[int]) -> Iterable[str]:
    for place in places:
        yield from dict.fromkeys(row[place] for row in rows if place < len(row) and row[place])
