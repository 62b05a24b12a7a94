"""Recorded data of a session: found, checked to its last row, and made a feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from logos.build import build_hash
from logos.config import Config, ConfigError, InstrumentSettings
from logos.core.instrument import Instrument
from logos.data.check import CheckReport
from logos.data.checked.columns import Columns
from logos.data.checked.question import Question
from logos.data.checked.store import UNKEPT, CheckedStore
from logos.data.checked.threads import side_by_side
from logos.data.claims import check_claims
from logos.data.defects import accept_set
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource, discover, places_of
from logos.errors import DataError
from logos.paths import state_dir, within
from logos.session.opening.actions import action_times, check_splits
from logos.session.opening.times import data_range, time_rules
from logos.session.stored.origin import NOT_KNOWN, Origin


def checked_store(home: Path | None) -> CheckedStore:
    """What was checked before in the workspace `home` (None: the configured one), by this build."""
    return CheckedStore(within(home, state_dir()) / "checked", build_hash())


def find_sources(
    config: Config, origin: Origin = NOT_KNOWN, store: CheckedStore = UNKEPT
) -> list[DataSource]:
    """The market data that the settings name, found by `origin`, with what the `store` knows of it.

    Raises ConfigError, DataError.
    """
    if not config.data.paths:
        raise ConfigError("no market data: name files or folders with --data, or in data.paths")
    places = [place for text in config.data.paths for place in places_of(origin.find(text))]
    symbols = config.data.symbols or None
    return discover(places, symbols=symbols, rules=time_rules(config), head=store.first_lines)


def replay_feed(
    config: Config,
    sources: Sequence[DataSource],
    instruments: Mapping[str, Instrument],
    moved: Callable[[], object] = lambda: None,
    now_ns: int | None = None,
    store: CheckedStore = UNKEPT,
    said: Mapping[str, InstrumentSettings] | None = None,
) -> tuple[ReplayFeed, list[CheckReport]]:
    """The feed of the configured files, every one of them checked to its last row.

    What the `store` has of them is not checked again; `said` are the settings of which the
    instruments were made, where they are not those of `config`.
    """
    data = config.data
    try:
        accept = accept_set(data.accept)
    except (DataError, ValueError) as error:
        raise ConfigError(f"data.accept: {error}") from None
    start_ns, end_ns = data_range(config)
    settings = said or config.instruments

    def check_one(
        source: DataSource, moved: Callable[[], object]
    ) -> tuple[CheckReport, Columns | None]:
        question = Question(
            instruments[source.symbol],
            msgspec.json.encode(settings[source.symbol]),
            accept,
            now_ns,
            action_times(config.instruments[source.symbol]),
            moved,
        )
        return store.check(source, question)

    found = side_by_side(check_one, sources, moved)
    reports = [report for report, _ in found]
    check_splits(config, reports)
    check_claims(reports, instruments)
    if not any(overlaps(report, start_ns, end_ns) for report in reports):
        raise DataError(
            f"there are no events from {data.start or 'the beginning'} to {data.end or 'the end'}; "
            "`logos data check` shows what times the data holds"
        )
    stamps = {path: stamp for report in reports for path, stamp in report.stamps.items()}
    feed = ReplayFeed(
        sources, instruments, start_ns=start_ns, end_ns=end_ns, accept=accept, stamps=stamps
    )
    feed.checked = {
        source.paths: columns
        for source, (_, columns) in zip(sources, found, strict=True)
        if columns is not None
    }
    return feed, reports


def overlaps(report: CheckReport, start_ns: int | None, end_ns: int | None) -> bool:
    """Whether any event of what was checked lies from `start_ns` on and before `end_ns`."""
    if report.first_ns is None or report.last_ns is None:
        return False
    is_before_end = end_ns is None or report.first_ns < end_ns
    return is_before_end and (start_ns is None or report.last_ns >= start_ns)
