"""What has happened to a live session since the last look, in lines for a person.

Fills, refusals, guards that acted, commands and warnings are read from the journal, which the
session hands to the operating system as it writes; feeds that change their state and prices that
become too old are seen on its page of figures. Nothing is asked of the session.

A session may do more in a second than anybody can read: of each kind a few lines are shown at once,
then one every two seconds (of refusals one every ten); the rest is counted, and told with the next
line that there is room for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from logos.cli.screen.figures import amount, clock, exact, lasted, price
from logos.cli.screen.terminal import Colour, Terminal, paragraph
from logos.core.fixed import to_decimal
from logos.core.records import (
    CommandRecord,
    GuardRecord,
    OrderUpdate,
    PaperFillRecord,
    RefusalRecord,
    WarningRecord,
)
from logos.core.types import NS_PER_SECOND, OrderStatus
from logos.feeds.contract import FeedState
from logos.observe.following import Follower, LostPlace
from logos.session.presence.page import MetricsPage

_BODY: Final = b'","body":{"kind":"'
_WANTED: Final = (b"fill", b"refusal", b"guard", b"command", b"warning", b"order_update")
_FATES: Final = (b'"status":"REJECTED"', b'"status":"UNKNOWN"')
"""Of all changes of an order, what is shown: others follow from fills and commands."""
_LINES_MAX: Final = 3
"""Of one event."""
_WORD_COLUMNS: Final = 8
_AT_ONCE: Final = 5
_AGAIN_NS: Final = 2 * NS_PER_SECOND
_SELDOM: Final = {"REFUSED": (2, 10 * NS_PER_SECOND)}
"""Kinds of which fewer are shown: how many at once, and after how long one more."""
_CENT: Final = Decimal("0.01")
_SMALL_DECIMALS: Final = 8
_BYTES_MAX: Final = 1 << 18
"""Of the journal in one look; behind more than that is not caught up with."""
_FEED_COLOURS: Final = {
    FeedState.LIVE.value: Colour.GOOD,
    FeedState.RETRYING.value: Colour.ALARM,
    FeedState.MAINTENANCE.value: Colour.ALARM,
}

Told = PaperFillRecord | RefusalRecord | GuardRecord | CommandRecord | WarningRecord | OrderUpdate
_DECODER: Final = msgspec.json.Decoder(Told)


class Happening(NamedTuple):
    """Something that a person is to see."""

    ts_ns: int
    word: str
    text: str
    colour: Colour = Colour.NONE
    weight: int = 1
    """How many of its kind it stands for."""


def shown(each: Happening, terminal: Terminal) -> list[str]:
    """The lines of a happening in the width and colours of the terminal."""
    columns = terminal.columns
    first = f"{clock(each.ts_ns)}  {each.word:<{_WORD_COLUMNS}} "
    lines = paragraph(each.text, columns, first, _LINES_MAX)
    word = terminal.coloured(each.word, each.colour)
    return [lines[0].replace(each.word, word, 1), *lines[1:]]


# ---- from the journal ----


class JournalNews:
    """Reads what a session writes into its journal from now on."""

    def __init__(self, path: Path) -> None:
        """`path` is the session's `state.jsonl`. What it holds already is old. Raises OSError."""
        self._path = path
        self._follower = Follower(path, path.stat().st_size)

    def close(self) -> None:
        """Close the file."""
        self._follower.close()

    def look(self) -> list[Happening]:
        """What has come since the last look, oldest first. Raises OSError."""
        try:
            lines = self._follower.lines(_BYTES_MAX)
            if self._follower.waiting_bytes > _BYTES_MAX:
                self._begin_at_end()  # what is between stands in the counts of the next line
        except LostPlace:  # a resumed session cut off what did not reach the disk
            self._begin_at_end()
            return []
        return list(happenings(records_in(lines)))

    def _begin_at_end(self) -> None:
        self._follower.close()
        self._follower = Follower(self._path, self._path.stat().st_size)


def records_in(lines: Iterable[bytes]) -> Iterator[Told]:
    """Those records among the journal's lines that a person is shown."""
    for line in lines:
        start = line.find(_BODY)
        kind = line[start + len(_BODY) : line.find(b'"', start + len(_BODY))]
        if start < 0 or kind not in _WANTED:
            continue
        if kind == b"order_update" and not any(fate in line for fate in _FATES):
            continue
        yield _DECODER.decode(line[start + len(_BODY) - len(b'{"kind":"') : -1])


def happenings(records: Iterable[Told]) -> Iterator[Happening]:
    """What a person is shown of the records. Refusals are told together, by their codes."""
    refused: Counter[str] = Counter()
    refused_ns = 0
    for record in records:
        if isinstance(record, RefusalRecord):
            refused[record.code.value] += 1
            refused_ns = record.ts_ns
        else:
            yield _happening(record)
    if refused:
        text = ", ".join(f"{code} {count:,}" for code, count in refused.most_common())
        yield Happening(refused_ns, "REFUSED", text, Colour.NOTICE, refused.total())


def _happening(record: Told) -> Happening:
    ts_ns = record.ts_ns
    if isinstance(record, PaperFillRecord):
        return Happening(ts_ns, "FILL", fill_words(record), Colour.GOOD)
    if isinstance(record, GuardRecord):
        about = f" {record.subject}" if record.subject else ""
        text = f"{record.code.value}{about}: {record.detail}; action {record.action}"
        return Happening(ts_ns, "GUARD", text, Colour.ALARM)
    if isinstance(record, CommandRecord):
        about = f" {record.symbol}" if record.symbol else ""
        text = f"{record.action}{about} by {record.by}: {record.reason}"
        return Happening(ts_ns, "COMMAND", text, Colour.NOTICE)
    if isinstance(record, OrderUpdate):
        is_unknown = record.status is OrderStatus.UNKNOWN
        words = "the venue has not said what became of it" if is_unknown else record.reason
        text = f"order {record.order_id} of {record.symbol}: {words}"
        return Happening(ts_ns, record.status.value, text, Colour.NOTICE)
    assert isinstance(record, WarningRecord)
    about = f" {record.symbol}" if record.symbol else ""
    return Happening(ts_ns, "WARNING", f"{record.code}{about}: {record.detail}", Colour.NOTICE)


def fill_words(fill: PaperFillRecord) -> str:
    """What was bought or sold, at which price, its fee, or what it closed came to after fees, and
    what is held now."""
    side = "bought" if fill.side.value == "BUY" else "sold"
    quantity = exact(fill.quantity_units, fill.quantity_decimals)
    held = exact(fill.position_units, fill.quantity_decimals)
    holds = f"holds {held}" if fill.position_units else "flat"
    came_to = f"fee {_money(fill.fee_units, fill)}"
    if fill.lots:
        net = sum(lot.pnl_units - lot.fee_units for lot in fill.lots)
        came_to = f"net {_money(net, fill, sign=True)} {fill.currency}"
    at = price(fill.price_units, fill.price_decimals)
    return f"{side} {quantity} {fill.symbol} at {at}, {came_to}; {holds}"


def _money(units: int, fill: PaperFillRecord, *, sign: bool = False) -> str:
    """Money of a fill in two decimals, and in more where two would show nothing."""
    value = to_decimal(units, fill.money_decimals)
    is_small = value and abs(value) < _CENT
    return amount(value, _SMALL_DECIMALS if is_small else 2, sign=sign)


# ---- from the page of figures ----


class PageNews:
    """Compares each page of figures with the one before."""

    def __init__(self) -> None:
        self._feeds: dict[tuple[str, str], tuple[str, str]] = {}
        self._stale: set[str] = set()

    def look(self, page: MetricsPage) -> Iterator[Happening]:
        """What has changed that the journal does not tell."""
        for feed in page.feeds:
            key, state = (feed.feed, feed.symbol), (feed.state, feed.detail)
            before = self._feeds.get(key)
            self._feeds[key] = state
            if before == state:
                continue
            colour = _FEED_COLOURS.get(feed.state, Colour.NOTICE)
            name = f"{feed.feed} {feed.symbol}".rstrip()
            text = f"{name}: {feed.state}" + (f": {feed.detail}" if feed.detail else "")
            yield Happening(feed.since_ns, "FEED", text, colour)
        for each in page.risk.symbols:
            if each.is_stale and each.symbol not in self._stale:
                self._stale.add(each.symbol)
                text = f"{each.symbol}: no price for {lasted(each.price_age_ns)}"
                yield Happening(page.written_ns, "STALE", text, Colour.ALARM)
            elif not each.is_stale and each.symbol in self._stale:
                self._stale.discard(each.symbol)
                text = f"{each.symbol}: prices come again"
                yield Happening(page.written_ns, "FRESH", text, Colour.GOOD)


# ---- not more than can be read ----


class Throttle:
    """Lets a few of each kind pass at once, then one every two seconds; counts the rest."""

    def __init__(self) -> None:
        self._tokens: dict[str, int] = {}
        self._since_ns: dict[str, int] = {}
        self._held_back: Counter[str] = Counter()

    def let_through(self, news: Iterable[Happening], now_ns: int) -> list[Happening]:
        """Those of the `news` that may be shown at `now_ns`, with what was held back before."""
        passed = []
        for each in news:
            self._refill(each.word, now_ns)
            if not self._tokens[each.word]:
                self._held_back[each.word] += each.weight
                continue
            self._tokens[each.word] -= 1
            more = self._held_back.pop(each.word, 0)
            if more:
                each = each._replace(text=f"{each.text} (and {more:,} more before)")
            passed.append(each)
        return passed

    def rest(self, now_ns: int) -> list[Happening]:
        """What was held back and not told yet, a line for all; for the line of every 10 s."""
        if not self._held_back:
            return []
        text = ", ".join(f"{word} {count:,}" for word, count in sorted(self._held_back.items()))
        self._held_back.clear()
        return [Happening(now_ns, "MORE", f"not shown one by one: {text}", Colour.NOTICE)]

    def _refill(self, word: str, now_ns: int) -> None:
        at_once, again_ns = _SELDOM.get(word, (_AT_ONCE, _AGAIN_NS))
        since_ns = self._since_ns.setdefault(word, now_ns)
        tokens = self._tokens.setdefault(word, at_once)
        count = (now_ns - since_ns) // again_ns
        if count > 0:
            self._tokens[word] = min(tokens + count, at_once)
            self._since_ns[word] = since_ns + count * again_ns
