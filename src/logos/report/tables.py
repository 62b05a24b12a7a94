"""What a report shows of a session besides its analysis: orders, exposure, plots, how it halted.

Each is read once, row by row, and kept within a bound, so that a session of a year needs no more
memory than one of a day.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.config import Config
from logos.core.records import GuardRecord, SwitchRecord
from logos.core.types import SessionStatus
from logos.journal.entries import read_journal
from logos.journal.names import JOURNAL
from logos.session.artifacts.counts import is_stopping, trigger_figures
from logos.session.artifacts.derived.reading import number, plain_text, table_rows, time_ns
from logos.session.artifacts.limits import limit_rows
from logos.session.artifacts.report import halt_lines
from logos.session.stored.next_steps import next_steps

ORDERS_MAX: Final = 2_000
"""Orders that a report keeps at most, the last ones."""
POINTS_MAX: Final = 600
"""Stretches of a curve besides equity: two points of each at most."""
PLOTS_MAX: Final = 12
"""Plotted series that a report keeps at most, the first ones."""


_Point = tuple[float, int]
_Stretch = tuple[_Point, _Point]


class Extremes:
    """The lowest and the highest point of each of at most `most` stretches of a curve."""

    def __init__(self, most: int = POINTS_MAX) -> None:
        self._most = most
        self._stretches: list[_Stretch] = []
        self._size = 1
        self._in_last = 0

    def add(self, at_ns: int, value: float) -> None:
        """The next point, in order of time."""
        point = (value, at_ns)
        if self._stretches and self._in_last < self._size:
            low, high = self._stretches[-1]
            self._stretches[-1] = (min(low, point), max(high, point))
            self._in_last += 1
            return
        if len(self._stretches) == self._most:
            self._stretches = [
                (min(low for low, _ in pair), max(high for _, high in pair))
                for pair in _in_pairs(self._stretches)
            ]
            self._size *= 2
        self._stretches.append((point, point))
        self._in_last = 1

    def points(self) -> tuple[list[int], list[float]]:
        """Times and values, in order of time."""
        found = sorted({(at, value) for pair in self._stretches for value, at in pair})
        return [at for at, _ in found], [value for _, value in found]


def _in_pairs(found: list[_Stretch]) -> Iterator[list[_Stretch]]:
    for at in range(0, len(found), 2):
        yield found[at : at + 2]


@dataclass(slots=True)
class Tables:
    """What was read. `exposure` is by currency, `plots` by name and symbol."""

    orders: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=ORDERS_MAX))
    order_count: int = 0
    exposure: dict[str, Extremes] = field(default_factory=dict)
    plots: dict[tuple[str, str], Extremes] = field(default_factory=dict)
    plots_left_out: int = 0


def read_tables(folder: Path) -> Tables:
    """Read orders.csv, positions.csv and plots.csv of a session's folder.

    Raises OSError, and ValueError for what is no such table.
    """
    tables = Tables()
    for row in table_rows(folder / "orders.csv"):
        tables.orders.append(row)
        tables.order_count += 1
    for currency, at_ns, gross in _gross(folder / "positions.csv"):
        tables.exposure.setdefault(currency, Extremes()).add(at_ns, gross)
    left_out = set()
    for row in table_rows(folder / "plots.csv"):
        key = (plain_text(row["name"]), row["symbol"])
        if key not in tables.plots and len(tables.plots) == PLOTS_MAX:
            left_out.add(key)
            continue
        tables.plots.setdefault(key, Extremes()).add(time_ns(row["time"]), float(row["value"]))
    tables.plots_left_out = len(left_out)
    return tables


def _gross(path: Path) -> Iterator[tuple[str, int, float]]:
    """By currency and sample, what is held at its marks, long and short added up."""
    for time, rows in groupby(table_rows(path), key=lambda row: row["time"]):
        found: dict[str, float] = {}
        for row in rows:
            worth = abs(float(number(row["cost"])) + float(number(row["unrealised"])))
            found[row["currency"]] = found.get(row["currency"], 0.0) + worth
        for currency, gross in found.items():
            yield currency, time_ns(time), gross


def how_it_halted(folder: Path, config: Config, session_id: str) -> list[tuple[str, str]]:
    """Trigger, limit, what is still held and the next commands of a session that halted, each a
    title and words. Raises JournalError, OSError, and ValueError for a state.json that is none."""
    trigger: GuardRecord | SwitchRecord | None = None
    for entry in read_journal(folder / JOURNAL):
        if isinstance(entry.record, GuardRecord | SwitchRecord) and is_stopping(entry.record):
            trigger = entry.record
            break
    state = msgspec.json.decode((folder / "state.json").read_bytes(), type=_State)
    summary: Mapping[str, Any] = {
        "status": SessionStatus.HALTED.value,
        "trigger": trigger_figures(trigger),
        "limits": [row._asdict() for row in limit_rows(config)],
        "symbols": {name: {"mark": each.mark} for name, each in state.positions.items()},
        "held": {
            "positions": {
                name: each.position
                for name, each in state.positions.items()
                if number(each.position)
            },
            "orders": [
                f"{session_id}-{order.order_id}"
                for each in state.positions.values()
                for order in each.open_orders
                if order.status != "HELD"
            ],
        },
        "next": next_steps(
            session_id,
            SessionStatus.HALTED.value,
            is_real=config.venue.live,
            by_switch=isinstance(trigger, SwitchRecord),
        ),
    }
    return halt_lines(summary)


class _Order(msgspec.Struct):
    order_id: int
    status: str


class _Position(msgspec.Struct):
    position: str
    mark: str
    open_orders: list[_Order] = []


class _State(msgspec.Struct):
    positions: dict[str, _Position] = {}
