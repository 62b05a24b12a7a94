"""The lines of the screen: what is shown of a `View` in so many columns and rows.

Every line fits its width, whatever the names in it are, and every state is a word as well as a
colour: without colours nothing is lost. Rows are given out in the order in which an operator needs
them; what is left belongs to the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size

from logos.core.fixed import format_units
from logos.core.types import NS_PER_SECOND
from logos.observe.watching.curve import ASCII, BLOCKS, sparkline
from logos.observe.watching.events import Event
from logos.observe.watching.sessions import View, Watched
from logos.session.presence.now import (
    MoneyNow,
    amount_words,
    brief_words,
    now_of,
    position_words,
)
from logos.session.presence.page import FeedFigures, GuardFigures, MetricsPage
from logos.shown import plain

COLUMNS_MIN: Final = 40
ROWS_MIN: Final = 12
_LABEL: Final = 9
"""Columns of the label at the left."""
_GOOD: Final = frozenset(("running", "LIVE", "SAFE"))
_WARN: Final = frozenset(("starting", "REDUCE_ONLY", "GAP", "CONNECTING", "CLOSED", "SNAPSHOT"))
_NEAR: Final = 0.8
"""From this part of a limit on it is marked."""
_ALARMS: Final = frozenset(
    ("GUARD", "SWITCH", "HALTED", "FAILED", "STALE", "REJECTED", "UNKNOWN", "KILL")
)


class Piece(NamedTuple):
    """Text in one style: "", dim, bold, good, warn, bad or bar."""

    text: str
    style: str = ""


Line = list[Piece]


class Glyphs(NamedTuple):
    """What bars and curves are drawn with."""

    full: str
    empty: str
    levels: str
    chosen: str


UNICODE: Final = Glyphs("█", "·", BLOCKS, "▸")
PLAIN: Final = Glyphs("#", ".", ASCII, ">")


def fit(text: str, columns: int) -> str:
    """`text` in exactly so many columns: cut with a `~`, or filled up."""
    if cell_len(text) <= columns:
        return set_cell_size(text, columns)
    return set_cell_size(text, max(0, columns - 1)) + "~"[:columns]


def fitted(line: Line, columns: int) -> Line:
    """The line in exactly so many columns; what would be obeyed by a terminal is spelled out."""
    made: Line = []
    left = columns
    for text, style in line:
        shown = plain(text)
        width = cell_len(shown)
        if width > left:
            made.append(Piece(fit(shown, left), style))
            return made
        made.append(Piece(shown, style))
        left -= width
    last = line[-1].style if line else ""
    made.append(Piece(" " * left, last if last == "bar" else ""))
    return made


def screen_lines(
    view: View | None, chosen: tuple[str, str] | None, columns: int, rows: int, glyphs: Glyphs
) -> list[Line]:
    """All lines but the last one, which has the keys: `rows` of them, each `columns` wide."""
    if columns < COLUMNS_MIN or rows < ROWS_MIN:
        words = f"{columns}x{rows + 1} is too small: {COLUMNS_MIN}x{ROWS_MIN + 1} at least"
        lines: list[Line] = [[Piece(words)]]
    elif view is None:
        lines = [[Piece("looking for sessions ...", "dim")]]
    else:
        lines = _lines(view, view.find(chosen), columns, rows, glyphs)
    lines += [[] for _ in range(rows - len(lines))]
    return [fitted(line, columns) for line in lines[:rows]]


def _lines(view: View, at: int, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    lines = [_title(view, columns)]
    if not view.sessions:
        return [*lines, *_nothing(view)]
    session = view.sessions[at]
    page = session.page
    shown = max(1, min(len(view.sessions), 1 + rows // 8))
    first = max(0, min(at - shown // 2, len(view.sessions) - shown))
    for number in range(first, first + shown):
        lines.append(_session(view.sessions[number], number == at, columns, glyphs))
    lines += _standing(session, view.now_ns, len(view.sessions) - shown)
    if page is None:
        lines += [_row("", [Piece("it has written no figures yet", "dim")])]
    else:
        lines += _money(page, view, columns, glyphs)
        room = max(2, (rows - len(lines)) * 3 // 5)
        lines += _held(page, room, columns, glyphs)
    lines += _events(view.events, rows - len(lines))
    return lines


def _row(label: str, pieces: Sequence[Piece]) -> Line:
    return [Piece(f"{label:<{_LABEL}}", "dim"), *pieces]


# ---- the head ----


def _title(view: View, columns: int) -> Line:
    moment = datetime.fromtimestamp(view.now_ns // NS_PER_SECOND, UTC)
    running = sum(each.runs for each in view.sessions)
    left = f" logos watch   {running} running"
    states = [each.state for each in view.switches.values() if each is not None]
    if states:
        worst = max(states)
        engaged = sum(each is worst for each in states)
        left += f"   switch {worst.name}"
        if len(states) > 1:
            left += f" in {engaged} of {len(states)} workspaces"
    if view.problems:
        left += f"   {sum(view.problems.values())} files unreadable"
    right = f"{moment:%H:%M:%S} UTC "
    return [Piece(fit(left, columns - len(right)) + right, "bar")]


def _nothing(view: View) -> list[Line]:
    where = "" if view.here is None else f"workspace {view.here}"
    return [
        [],
        [Piece("no session is running; one that begins is shown here", "bold")],
        [Piece(where, "dim")],
    ]


def _session(session: Watched, is_chosen: bool, columns: int, glyphs: Glyphs) -> Line:
    """One row of the list: what it is, how it stands, and what the day brought."""
    page, beat = session.page, session.beat
    state = session.state
    if session.state == "running" and beat is not None and beat.suspended:
        state = "PAUSED"
    elif session.state == "ended" and page is not None and page.status != "RUNNING":
        state = page.status
    mark = f"{glyphs.chosen} " if is_chosen else "  "
    name_columns = max(12, min(28, columns - 58))
    name = fit(plain(session.session_id), name_columns)
    pieces = [
        Piece(mark + name, "bold" if is_chosen else ""),
        Piece(f" {state:<9}", _style_of(state)),
        Piece(f" {session.mode:<9}"),
    ]
    if page is not None and page.risk.currencies:
        money = now_of(page).money[0]
        today = brief_words(money.today, money, sign=True)
        pieces.append(Piece(f"today {today} {money.currency}", _sign_style(money.today)))
        pieces.append(Piece(f"  drawdown {brief_words(money.drawdown, money)}"))
    return pieces


def _style_of(word: str) -> str:
    if word in _GOOD or word == "ENDED":
        return "good"
    return "warn" if word in _WARN or word in ("PAUSED", "STOPPED") else "bad"


def _sign_style(amount: str) -> str:
    """The style of a gain or loss; the sign is in the text as well."""
    if not amount.strip("+-0."):
        return ""
    return "bad" if amount.startswith("-") else "good"


def _standing(session: Watched, now_ns: int, others: int) -> Iterator[Line]:
    """The bar of the chosen session, and what an operator must not overlook."""
    beat, page = session.beat, session.page
    words = [f" {session.session_id}"]
    if page is not None:
        words.append(page.strategy)
    words.append(f"workspace {session.workspace}")
    if others:
        words.append(f"{others} more session{'' if others == 1 else 's'} in the list")
    yield [Piece(plain("   ".join(words)), "bar"), Piece("", "bar")]
    if session.what_now:
        yield _row("next", [Piece(session.what_now, "bold")])
    if beat is None or not session.runs:
        return
    switch = beat.switch or "not asked yet"
    yield _row(
        "session",
        [
            Piece(f"process {beat.pid}   heartbeat "),
            Piece(
                f"{max(0.0, beat.age_s(now_ns)):.1f} s", "bad" if session.state == "stalled" else ""
            ),
            Piece("   switch "),
            Piece(switch, _style_of(switch)),
            Piece(_queue(page)),
        ],
    )
    for words_of, style in (
        (beat.stuck, "bad"),
        (beat.phase and f"starting: {beat.phase}", "warn"),
        (beat.suspended and "PAUSED by an operator: the strategy is not asked", "warn"),
        (beat.paused and f"PAUSED by an operator: {', '.join(beat.paused)}", "warn"),
        (beat.fleet, ""),
        (beat.protection, "warn"),
    ):
        if words_of:
            yield _row("", [Piece(str(words_of), style)])


def _queue(page: MetricsPage | None) -> str:
    if page is None or page.market is None:
        return ""
    return f"   queued {page.market.waiting:,} (peak {page.market.peak_waiting:,})"


# ---- the books ----


def _money(page: MetricsPage, view: View, columns: int, glyphs: Glyphs) -> Iterator[Line]:
    counts = f"{page.ticks:,} ticks   {page.orders:,} orders   {page.fills:,} fills"
    refused = f"   {page.refused:,} refused   {page.blocked:,} blocked   {page.open_orders:,} open"
    yield _row("counts", [Piece(counts + refused)])
    money = now_of(page).money
    for each in money[:2]:
        yield _row("money", list(_ledger(each)))
    line = sparkline(view.curve, max(10, columns - _LABEL - 34), glyphs.levels)
    if line:
        first, last = view.curve[0], view.curve[-1]
        decimals = page.risk.currencies[0].money_decimals
        change = format_units(last.units - first.units, decimals)
        span = _span((last.time_ns - first.time_ns) // NS_PER_SECOND)
        words = f" {brief_words(change, money[0], sign=True)} in {span}"
        yield _row("equity", [Piece(line), Piece(words, _sign_style(change))])


def _ledger(money: MoneyNow) -> Iterator[Piece]:
    yield Piece(f"equity {brief_words(money.equity, money)} {money.currency}  today ")
    yield Piece(brief_words(money.today, money, sign=True), _sign_style(money.today))
    yield Piece(f"  drawdown {brief_words(money.drawdown, money)}")
    yield Piece(f"  exposure {brief_words(money.exposure, money)}")


def _span(seconds: int) -> str:
    """A length of time, two of its largest units."""
    hours, rest = divmod(seconds, 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _held(page: MetricsPage, room: int, columns: int, glyphs: Glyphs) -> Iterator[Line]:
    """Positions, limits and feeds within `room` rows; what has most to say goes first."""
    positions = sorted(now_of(page).positions, key=lambda each: not each.is_held)
    guards = sorted(page.risk.guards, key=_used)
    feeds = sorted(page.feeds, key=lambda each: each.state == "LIVE")
    feed_rows = min(len(feeds), max(1, room // 5))
    guard_rows = min(len(guards), max(1, (room - feed_rows) // 2))
    position_rows = min(len(positions), max(1, room - feed_rows - guard_rows))
    for at, each in enumerate(positions[:position_rows]):
        more = _more(len(positions) - position_rows, at == position_rows - 1)
        words = position_words(each) + ("  PAUSED" if each.is_paused else "")
        style = "bad" if each.is_stale else "" if each.is_held else "dim"
        yield _row("" if at else "position", [Piece(words, style), Piece(more, "dim")])
    for at, guard in enumerate(guards[:guard_rows]):
        yield _row("" if at else "limits", list(_gauge(guard, columns - _LABEL, glyphs)))
    for at, feed in enumerate(feeds[:feed_rows]):
        more = _more(len(feeds) - feed_rows, at == feed_rows - 1)
        yield _row("" if at else "feeds", [*_feed(feed), Piece(more, "dim")])


def _more(count: int, is_last: bool) -> str:
    return f"   and {count} more" if count > 0 and is_last else ""


def _used(guard: GuardFigures) -> tuple[bool, float]:
    return guard.ratio is not None, -(guard.ratio or 0.0)


def _gauge(guard: GuardFigures, columns: int, glyphs: Glyphs) -> Iterator[Piece]:
    """A limit as a bar: the used part, in figures too."""
    name_columns = min(30, columns // 3)
    used, limit = (
        amount_words(format_units(*_two_decimals(units, guard.decimals)))
        for units in (guard.used_units, guard.limit_units)
    )
    unit = "" if guard.unit == "quantity" else f" {guard.unit}"
    figures = f"{used} of {limit}{unit}"
    figure_columns = min(32, columns // 3)
    width = max(4, columns - name_columns - figure_columns - 11)
    part = 1.0 if guard.ratio is None else min(max(guard.ratio, 0.0), 1.0)
    full = int(part * width)
    style = "bad" if part >= 1 else "warn" if part >= _NEAR else "good"
    percent = " passed" if guard.ratio is None else f"{guard.ratio:>7.1%}"
    yield Piece(fit(plain(f"{guard.guard} {guard.subject}".rstrip()), name_columns))
    yield Piece(f" {glyphs.full * full}{glyphs.empty * (width - full)}", style)
    yield Piece(f"{percent:>8}", style)
    yield Piece(f"  {fit(plain(figures), figure_columns)}")


def _two_decimals(units: int, decimals: int) -> tuple[int, int]:
    """The same amount rounded down to two decimals, unless that would leave little of it."""
    spare = decimals - 2
    if spare <= 0 or abs(units) < 10**spare:
        return units, decimals
    return units // 10**spare, 2


def _feed(feed: FeedFigures) -> Iterator[Piece]:
    yield Piece(plain(f"{feed.feed} {feed.symbol}".rstrip()) + "  ")
    yield Piece(feed.state, _style_of(feed.state))
    if feed.detail:
        yield Piece(f"  {feed.detail}")


# ---- what happened ----


def _events(events: Sequence[Event], rows: int) -> Iterator[Line]:
    """The latest events, the newest one below."""
    latest = events[-rows:] if rows > 0 else ()
    for at, event in enumerate(latest):
        moment = datetime.fromtimestamp(event.ts_ns // NS_PER_SECOND, UTC)
        style = "bad" if event.word in _ALARMS else "warn" if event.word == "REFUSED" else "bold"
        yield _row(
            "" if at else "events",
            [
                Piece(f"{moment:%H:%M:%S} ", "dim"),
                Piece(f"{event.word:<9} ", style),
                Piece(plain(event.text)),
            ],
        )
