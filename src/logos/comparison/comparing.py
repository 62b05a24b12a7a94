"""Sessions held against each other: their figures, what differs between them, their curves.

Every figure is that of `logos.analysis`; nothing is computed here but how much one differs from
another. What keeps figures from saying something about each other (another currency, another time,
other data, a session that is not over) is noted in words, never hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from logos.analysis import Analysis, analyse
from logos.comparison.differences import (
    Difference,
    data_differences,
    settings_differences,
    strategy_differences,
)
from logos.comparison.figures import Row, rows
from logos.comparison.text_chart import LETTERS, Curve
from logos.core.types import NS_PER_SECOND
from logos.errors import ConfigError
from logos.session.history import read_manifest

SESSIONS_MAX: Final = 12
"""More would be neither read nor told apart."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the sessions."""

    letter: str
    name: str
    """Its id; with its workspace where another of the same id is compared."""
    analysis: Analysis
    manifest: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Letter and name."""
        return f"{self.letter} {self.name}"

    @property
    def bounds(self) -> tuple[int, int] | None:
        """When its first and last event were; None: there was none."""
        facts = self.analysis.facts
        if not facts.begun_ns or not facts.ended_ns:
            return None
        return facts.begun_ns, facts.ended_ns

    @property
    def period(self) -> str:
        """The dates of its first and last event."""
        if self.bounds is None:
            return "no event"
        begun, ended = map(day, self.bounds)
        return begun if begun == ended else f"{begun} to {ended}"

    def curve(self) -> Curve:
        """Its equity over time, as a change from what it began with (0.01 for one per cent).

        Without a point where it began with nothing.
        """
        of, initial = self.analysis.equity, self.analysis.statistics.initial
        if initial <= 0 or not of.time_ns or self.bounds is None:
            return Curve((), ())
        times = list(of.time_ns)
        values = [float(each / initial) - 1.0 for each in of.equity]
        if self.bounds[0] < times[0]:
            times.insert(0, self.bounds[0])
            values.insert(0, 0.0)
        return Curve(times, values)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Sessions held against each other, in the order in which they were named."""

    sessions: tuple[Compared, ...]
    figures: tuple[Row, ...]
    settings: tuple[Difference, ...]
    strategy: tuple[Difference, ...]
    """Of code: names, and the first characters of hashes."""
    data: tuple[Difference, ...]
    notes: tuple[str, ...]
    """What to bear in mind when reading the figures, a sentence each."""
    is_by_date: bool
    """Whether all were in the market at one time: curves are then drawn over dates, else from the
    start of each."""

    @property
    def is_one_currency(self) -> bool:
        """Whether all amounts are in the same currency."""
        return len({each.analysis.statistics.currency for each in self.sessions}) == 1


def compare(folders: Sequence[Path]) -> Comparison:
    """Read and compare the sessions in `folders`, two to SESSIONS_MAX of them.

    Raises ConfigError for another number, for a folder that is named twice, and for one in which no
    session has begun; Damaged for a journal whose first record is not what was written, another
    LogosError for a table that is damaged; OSError.
    """
    if not 2 <= len(folders) <= SESSIONS_MAX:
        raise ConfigError(f"compare takes 2 to {SESSIONS_MAX} sessions, not {len(folders)}")
    seen: dict[Path, Path] = {}
    for folder in folders:
        if seen.setdefault(folder.resolve(), folder) is not folder:
            raise ConfigError(f"session {folder.name} is named twice")
    names = [folder.name for folder in seen]
    manifests = [read_manifest(folder) for folder in seen]  # each verified, which comes first
    sessions = tuple(
        Compared(
            letter,
            folder.name if names.count(folder.name) == 1 else f"{folder.name} ({_place(folder)})",
            analyse(folder),
            manifest,
        )
        for letter, folder, manifest in zip(LETTERS, seen, manifests, strict=False)
    )
    data = tuple(data_differences(manifests))
    strategy = tuple(strategy_differences(manifests))
    is_by_date = _overlap(sessions)
    return Comparison(
        sessions,
        tuple(rows([each.analysis for each in sessions])),
        tuple(settings_differences([each.get("config") or {} for each in manifests])),
        strategy,
        data,
        tuple(_notes(sessions, strategy, data, is_by_date)),
        is_by_date,
    )


def _place(folder: Path) -> str:
    """The workspace of a session's folder, or else the folder above it."""
    parents = folder.parents
    return str(parents[3] if len(parents) > 3 else parents[0])


def _overlap(sessions: Sequence[Compared]) -> bool:
    bounds = [each.bounds for each in sessions if each.bounds is not None]
    return bool(bounds) and max(bounds)[0] <= min(ended for _, ended in bounds)


def _notes(
    sessions: Sequence[Compared],
    strategy: Sequence[Difference],
    data: Sequence[Difference],
    is_by_date: bool,
) -> list[str]:
    notes = []
    for each in sessions:
        facts = each.analysis.facts
        if facts.outcome == "RUNNING":
            notes.append(f"{each.title} is running: its figures are those until now")
        elif not facts.is_finished:
            notes.append(
                f"{each.title} is {facts.outcome}: its figures are those of the rows that reached "
                "the disk"
            )
        elif facts.exit_code:
            notes.append(f"{each.title} did not end in order: {facts.outcome}, {facts.reason}")
    currencies = [each.analysis.statistics.currency for each in sessions]
    if len(set(currencies)) > 1:
        notes.append(
            f"currencies differ ({_each(sessions, currencies)}): compare ratios, not amounts"
        )
    initials = {each.analysis.statistics.initial for each in sessions}
    if len(set(currencies)) == 1 and len(initials) > 1:
        notes.append("they began with different amounts: compare ratios, not amounts")
    symbols = [", ".join(sorted(each.analysis.facts.symbols)) for each in sessions]
    if len(set(symbols)) > 1:
        notes.append(f"symbols differ ({_each(sessions, symbols)})")
    notes += _periods(sessions, is_by_date)
    if data:
        notes.append("their data is not the same, byte by byte: see below what differs")
    if any(each.name == "strategy's file" for each in strategy):
        notes.append("the code of their strategies differs, not only the parameters")
    short = [each.letter for each in sessions if each.analysis.statistics.is_short]
    if short:
        notes.append(
            f"figures for a year (CAGR, volatility, Sharpe, Sortino, Calmar) of {', '.join(short)} "
            "are of fewer than 30 days: they say little"
        )
    return notes


def _periods(sessions: Sequence[Compared], is_by_date: bool) -> list[str]:
    periods = [each.period for each in sessions]
    if len({each.bounds for each in sessions}) == 1:
        return []
    if not is_by_date:
        words = "they were at different times, so the curves begin together at the left"
        return [f"{words} ({_each(sessions, periods)})"]
    if len(set(periods)) > 1:
        return [f"periods differ ({_each(sessions, periods)})"]
    return []


def _each(sessions: Sequence[Compared], words: Sequence[str]) -> str:
    return "; ".join(f"{each.letter} {word}" for each, word in zip(sessions, words, strict=True))


def day(time_ns: int) -> str:
    """The date of a moment, UTC."""
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC).strftime("%Y-%m-%d")
