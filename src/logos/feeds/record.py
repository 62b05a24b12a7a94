"""Market data from a source into files that a session can replay.

Two ways: history (bars or trades from one moment to another, page by page, each row once and what
is missing told, as in a live feed), and recording (whatever a live feed hands over). Both end in
`FileSink`: a file for each symbol and kind, which has its name only once it is complete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from logos.core.clock import Clock
from logos.core.messages import Bar, MarketEvent, Quote, Trade
from logos.core.types import NS_PER_SECOND, SIZE_UNKNOWN
from logos.data.convert import new_csv
from logos.data.importing.instruments import INSTRUMENTS_NAME, add_instruments
from logos.data.layout import BARS, INTERVAL_TOKENS_NS, LAYOUTS, QUOTES, TRADES
from logos.data.names import stem_for
from logos.data.readers.numbers import RowError, format_timestamp
from logos.errors import DataError
from logos.feeds.common import Patience, UnitReader, Voice
from logos.feeds.contract import FeedNews, FeedState
from logos.feeds.sequence import BarSequence, RawBar, RawTrade, TradeSequence

_TOLD_MAX: Final = 20
_EMPTY_STEP_NS: Final = 3_600 * NS_PER_SECOND

_ToldState = (FeedState.RETRYING, FeedState.MAINTENANCE, FeedState.GAP, FeedState.CLOSED)


@dataclass(slots=True)
class Written:
    """What one file holds: times are those of its first and last row, nanoseconds UTC."""

    symbol: str
    kind: str
    interval: str
    rows: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def see(self, ts_ns: int) -> None:
        """A row was written."""
        self.first_ns = self.first_ns if self.rows else ts_ns
        self.last_ns = ts_ns
        self.rows += 1


class FileSink:
    """A `Sink` that writes CSV: `SYMBOL_SOURCE_KIND_STAMP.csv` in `folder`, inside `with`.

    The time of a row is when the source says it happened, but never earlier than that of the row
    before (`moved` counts those): a file is in order of time. News worth reading goes to `say`.
    When the `with` is left by an exception no file appears.
    """

    def __init__(self, folder: Path, source: str, stamp: str, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._source = source
        self._stamp = stamp
        self._say = say
        self._files: dict[tuple[str, str], IO[str]] = {}
        self._written: dict[tuple[str, str], Written] = {}
        self._last_ns: dict[tuple[str, str], int] = {}
        self._stack = ExitStack()
        self.paths: list[Path] = []
        """The files, in the order of their first rows."""
        self.rows = 0
        self.moved = 0
        self.written: dict[Path, Written] = {}
        """What was written into each file."""
        self.gaps: Counter[str] = Counter()
        """How often a gap of a symbol was told."""
        self.told: dict[str, list[str]] = {}
        """The first of that, in words."""

    def __enter__(self) -> FileSink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def market(self, event: MarketEvent, event_ns: int) -> bool:
        """Write one event; there is always room."""
        kind, cells = _row(event)
        key = event.symbol, kind
        opened_ns = event_ns - event.interval_ns if isinstance(event, Bar) else event_ns
        ts_ns = max(opened_ns, self._last_ns.get(key, opened_ns))
        self.moved += ts_ns != opened_ns
        self._last_ns[key] = ts_ns
        self._file(event, kind).write(",".join([format_timestamp(ts_ns), *cells]) + "\n")
        self._written[key].see(ts_ns)
        self.rows += 1
        return True

    async def room(self) -> None:
        """There is always room."""

    def news(self, news: FeedNews) -> None:
        """Tell what a person should know."""
        if news.state is FeedState.GAP:
            self.gaps[news.symbol] += 1
            if self.gaps[news.symbol] <= _TOLD_MAX:
                self.told.setdefault(news.symbol, []).append(news.detail)
        if news.state in _ToldState:
            self._say(f"{news.feed} {news.symbol} {news.state.value}: {news.detail}".strip())

    def _file(self, event: MarketEvent, kind: str) -> IO[str]:
        key = event.symbol, kind
        if key not in self._files:
            what = _interval_token(event.interval_ns) if isinstance(event, Bar) else kind
            name = stem_for(event.symbol, self._source, what, self._stamp) + ".csv"
            self.paths.append(self._folder / name)
            interval = what if isinstance(event, Bar) else ""
            self._written[key] = Written(event.symbol, kind, interval)
            self.written[self._folder / name] = self._written[key]
            opened = new_csv(self._folder / name, LAYOUTS[kind].columns)
            self._files[key] = self._stack.enter_context(opened)
        return self._files[key]


def _interval_token(interval_ns: int) -> str:
    return next(token for token, ns in INTERVAL_TOKENS_NS.items() if ns == interval_ns)


def _row(event: MarketEvent) -> tuple[str, list[str]]:
    """The kind of file an event belongs in, and its cells after the time."""
    units = event.instrument

    def size(figure: int) -> str:
        return "" if figure == SIZE_UNKNOWN else units.quantity_text(figure)

    if isinstance(event, Quote):
        prices = [units.price_text(event.bid_units), units.price_text(event.ask_units)]
        return QUOTES, [*prices, size(event.bid_size_units), size(event.ask_size_units)]
    if isinstance(event, Trade):
        cells = [units.price_text(event.price_units), size(event.size_units)]
        return TRADES, [*cells, event.aggressor.lower()]
    if isinstance(event, Bar):
        figures = event.open_units, event.high_units, event.low_units, event.close_units
        return BARS, [*map(units.price_text, figures), size(event.volume_units)]
    raise DataError(f"{type(event).__name__} of {event.symbol}: no feed records these")


class History:
    """Rows of one symbol that happened in [since_ns, until_ns), into a sink through `voice`."""

    def __init__(
        self,
        voice: Voice,
        patience: Patience,
        clock: Clock,
        since_ns: int,
        until_ns: int,
        units: UnitReader,
    ) -> None:
        self._voice = voice
        self._patience = patience
        self._clock = clock
        self._units = units
        self._since_ns = since_ns
        self._until_ns = until_ns

    async def trades(
        self, ask: Callable[[str, int], Any], *, are_ids_consecutive: bool = False
    ) -> None:
        """Every trade; `ask(last_id, since_ns)` awaits a page after that trade, else from then."""
        sequence = TradeSequence(self._since_ns, are_ids_consecutive=are_ids_consecutive)
        cursor_ns = self._since_ns
        while cursor_ns < self._until_ns:
            asked = sequence.last_id, max(cursor_ns, sequence.last_ns)
            page = await self._patience.ask(lambda asked=asked: ask(*asked))  # type: ignore[misc]
            if sequence.last_id and not sequence.joins_on(page):
                # A hole may be an answer gone wrong: whoever asks twice can tell.
                page = await self._patience.ask(lambda asked=asked: ask(*asked))  # type: ignore[misc]
            taken = sequence.take(page, follows=not sequence.last_id)
            await self._write_trades(taken.fresh, taken.gap)
            if taken.fresh:
                cursor_ns = sequence.last_ns
            elif sequence.last_id:
                break
            else:
                # Some exchanges look no further than an hour from the moment asked for.
                cursor_ns += _EMPTY_STEP_NS

    async def _write_trades(self, fresh: list[RawTrade], gap: str) -> None:
        self._voice.gap(gap)
        for raw in fresh:
            if raw.ts_ns >= self._until_ns:
                break
            try:
                trade = self._units.trade(raw, self._clock.now_ns())
            except RowError as error:
                self._voice.leave_out(error)
                continue
            await self._voice.deliver(trade, raw.ts_ns)

    async def bars(
        self,
        ask: Callable[[int], Any],
        interval_ns: int,
        closed_ns: int,
        sessions: list[tuple[int, int]] | None = None,
    ) -> None:
        """Every bar closed by `closed_ns`; `ask(since_ns)` awaits a page of those from then on."""
        sequence = BarSequence(interval_ns, -(-self._since_ns // interval_ns) * interval_ns)
        last_ns = min(closed_ns, self._until_ns)
        while sequence.next_open_ns < last_ns:
            since_ns = sequence.next_open_ns
            page = await self._patience.ask(lambda since_ns=since_ns: ask(since_ns))  # type: ignore[misc]
            if not sequence.joins_on(page, last_ns):
                page = await self._patience.ask(lambda since_ns=since_ns: ask(since_ns))  # type: ignore[misc]
            within = [bar for bar in page if bar.opened_ns + interval_ns <= last_ns]
            taken = sequence.take(within, last_ns, sessions=sessions)
            self._voice.gap(taken.gap)
            if not taken.fresh:
                break
            await self._write_bars(taken.fresh, interval_ns)

    async def _write_bars(self, fresh: list[RawBar], interval_ns: int) -> None:
        for raw in fresh:
            try:
                bar = self._units.bar(raw, interval_ns, self._clock.now_ns())
            except RowError as error:
                self._voice.leave_out(error)
                continue
            await self._voice.deliver(bar, raw.opened_ns + interval_ns)


def write_instruments(folder: Path, tables: Mapping[str, Mapping[str, Any]]) -> Path:
    """Add instruments to the folder's `instruments.toml`, atomically; those there stay as are.

    `tables` maps symbols to keys of `[instruments.SYMBOL]` as text or integers, `fees` to a table.
    Raises DataError for a file that is no TOML.
    """
    drafts = {
        symbol: "\n".join(
            [f'[instruments."{symbol}"]', *(_pair(key, value) for key, value in table.items())]
        )
        for symbol, table in tables.items()
    }
    add_instruments(folder, drafts)
    return folder / INSTRUMENTS_NAME


def _pair(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(_pair(name, each) for name, each in value.items())
        return f"{key} = {{ {inside} }}"
    return f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"'


def ccxt_instrument(market: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Keys of an instrument from ccxt's description of a market.

    `steps` is ccxt's precision mode: 4 when precisions are steps, 2 when they are decimals.
    Raises DataError when tick or lot cannot be told from it.
    """
    name = market["symbol"]
    tick = _step(name, "price", market["precision"].get("price"), steps)
    lot = _step(name, "amount", market["precision"].get("amount"), steps)
    table: dict[str, Any] = {
        "base": market["base"],
        "quote": market["quote"],
        "tick": tick,
        "lot": lot,
    }
    limits = {
        "min_quantity": market["limits"]["amount"].get("min"),
        "max_quantity": market["limits"]["amount"].get("max"),
        "min_notional": market["limits"]["cost"].get("min"),
    }
    table |= {key: _plain(value) for key, value in limits.items() if value is not None}
    table |= _contract(market)
    if table["settlement"] == "inverse":
        table.pop("min_notional", None)  # it is counted in money, and limits are in the coin
    rates = {side: _plain(market[side]) for side in ("maker", "taker") if market.get(side)}
    if rates:
        table["fees"] = {**rates, "decimals": 8, "rounding": "up"}
    return table


def _contract(market: Mapping[str, Any]) -> dict[str, Any]:
    """What a contract is: what one is worth, and what it is settled in."""
    if not market.get("contract"):
        return {"settlement": "spot" if market.get("spot") else "margin"}
    size = market.get("contractSize")
    terms = {"multiplier": _plain(size)} if size is not None else {}
    if not market.get("inverse"):
        return {**terms, "settlement": "margin"}
    return {**terms, "quote": market.get("settle") or market["base"], "settlement": "inverse"}


def _step(market: str, what: str, precision: Any, steps: int) -> str:
    if precision is None or steps not in (2, 4):
        raise DataError(
            f"{market}: the exchange does not tell its step of {what};"
            " write the instrument by hand into instruments.toml"
        )
    if steps == 2:
        return _plain(Decimal(1).scaleb(-int(precision)))
    return _plain(precision)


def _plain(figure: Any) -> str:
    """A figure as plain decimal text without trailing zeros."""
    text = f"{Decimal(figure if isinstance(figure, str | Decimal) else repr(figure)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
