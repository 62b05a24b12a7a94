"""A session in figures, for whoever looks from outside: kept in a small file while it runs.

Prometheus, alerts, `logos status` and people read `<session>.metrics.json` beside its log: one
JSON object, replaced whole about once a second and once more at the end, when it stays. It
describes a running process and needs no fsync: a disk that refuses it is the journal's to report.
docs/JSON-LOG.md explains every field. Counts and money are of the session's whole life; what was
measured (latencies, fsyncs, the inbox) is of this process, which `pid` and `began_ns` name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.core.guards.uses import CurrencyRisk, SymbolRisk
from logos.errors import LogosError
from logos.execution.metrics import Figures, MetricsSnapshot
from logos.files import read_whole
from logos.journal.writer import WriterFigures

SCHEMA: Final = 1
"""Of the file; raised when a field changes its meaning or goes."""
BYTES_MAX: Final = 1 << 24


class PageError(LogosError):
    """A file of figures that cannot be read; the message says why."""


class SwitchFigures(msgspec.Struct, frozen=True):
    """The kill switch as the session last took note of it; `epoch` is 0 for one without files."""

    state: str
    is_engaged: bool
    epoch: int
    engaged_ns: int
    """When the session saw the engagement, nanoseconds UTC; 0: it is not engaged."""


class GuardFigures(msgspec.Struct, frozen=True):
    """A limit and what is used of it; see `guards.uses.GuardUse`."""

    guard: str
    subject: str
    used_units: int
    limit_units: int
    unit: str
    decimals: int
    ratio: float | None
    """The used part, 1 is the limit itself; None: nothing is allowed any more, and something is
    there."""
    action: str
    """What the guard does besides refusing."""


class RiskPage(msgspec.Struct, frozen=True):
    """How the session stands against its limits; see `core.guards.standing`."""

    currencies: tuple[CurrencyRisk, ...]
    symbols: tuple[SymbolRisk, ...]
    guards: tuple[GuardFigures, ...]


class FeedFigures(msgspec.Struct, frozen=True):
    """A feed, or one of its symbols, and what it last said of itself."""

    feed: str
    symbol: str
    state: str
    detail: str
    since_ns: int


class MarketFigures(msgspec.Struct, frozen=True):
    """What came in through the inbox of a live session."""

    events: int
    conflated: int
    waiting: int
    peak_waiting: int
    size: int
    """How many events may wait."""
    age_ns: int
    """How long ago the latest market event was received; -1: none yet."""


class LatencyFigures(msgspec.Struct, frozen=True):
    """How long one stage took, nanoseconds; of `buckets` each is (upper bound, count up to it)."""

    count: int
    sum_ns: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    p99_9_ns: int
    max_ns: int
    buckets: list[tuple[int, int]]


class LiveFigures(msgspec.Struct, frozen=True):
    """What only a live session has."""

    metrics: MetricsSnapshot
    market: MarketFigures
    feeds: list[FeedFigures]
    latency: dict[str, LatencyFigures]
    overruns: int
    stalls: int


class MetricsPage(msgspec.Struct, frozen=True):
    """The file. Money is in units of `10**-money_decimals`, times are nanoseconds UTC."""

    schema: int
    session_id: str
    software: str
    strategy: str
    mode: str
    """paper, or live: its orders go to a venue."""
    is_live: bool
    """It runs on live feeds."""
    pid: int
    began_ns: int
    written_ns: int
    status: str
    """RUNNING, or how it ended."""
    exit_code: int
    """-1 while it runs."""
    last_event_ns: int
    switch: SwitchFigures
    ticks: int
    orders: int
    fills: int
    open_orders: int
    blocked: int
    refused: int
    warnings: int
    refusals: dict[str, int]
    """By code; an order that several guards refused counts for each."""
    guards: dict[str, int]
    """How often a guard did more than refuse."""
    risk: RiskPage
    journal: WriterFigures
    inputs: WriterFigures | None
    market: MarketFigures | None
    feeds: list[FeedFigures]
    latency: dict[str, LatencyFigures]
    overruns: int
    stalls: int
    version: int
    symbols: tuple[Figures, ...]
    currencies: tuple[Figures, ...]
    total: Figures | None


def metrics_path(session_id: str, home: Path | None = None) -> Path:
    """Where a session's figures are."""
    return paths.within(home, paths.logs_dir()) / f"{session_id}.metrics.json"


def read_page(path: Path) -> MetricsPage:
    """The figures at `path`. Raises FileNotFoundError where there are none, PageError for a file
    that is not whole, not of this version, or too large."""
    try:
        content = read_whole(path, BYTES_MAX)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PageError(f"{path.name}: {error.strerror}") from error
    try:
        page = msgspec.json.decode(content, type=MetricsPage)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise PageError(f"{path.name}: not a page of figures: {error}") from None
    if page.schema != SCHEMA:
        raise PageError(f"{path.name}: schema {page.schema}, and this reads {SCHEMA}")
    return page
