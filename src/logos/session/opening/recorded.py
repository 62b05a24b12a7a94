"""Recorded data of a session: found, checked to its last row, and made a feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from logos.config import Config, ConfigError
from logos.core.instrument import Instrument
from logos.data.check import CheckReport, check
from logos.data.claims import check_claims
from logos.data.defects import accept_set
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource, discover, places_of
from logos.errors import DataError
from logos.session.opening.actions import action_times, check_splits
from logos.session.opening.times import data_range, time_rules
from logos.session.stored.origin import NOT_KNOWN, Origin


def find_sources(config: Config, origin: Origin = NOT_KNOWN) -> list[DataSource]:
    """The market data that the settings name, found by `origin`. Raises ConfigError, DataError."""
    if not config.data.paths:
        raise ConfigError("no market data: name files or folders with --data, or in data.paths")
    places = [place for text in config.data.paths for place in places_of(origin.find(text))]
    return discover(places, symbols=config.data.symbols or None, rules=time_rules(config))


def replay_feed(
    config: Config,
    sources: Sequence[DataSource],
    instruments: Mapping[str, Instrument],
    moved: Callable[[], object] = lambda: None,
    now_ns: int | None = None,
) -> tuple[ReplayFeed, list[CheckReport]]:
    """The feed of the configured files, every one of them checked to its last row."""
    data = config.data
    try:
        accept = accept_set(data.accept)
    except (DataError, ValueError) as error:
        raise ConfigError(f"data.accept: {error}") from None
    start_ns, end_ns = data_range(config)
    reports = [
        check(
            source,
            instruments[source.symbol],
            accept=accept,
            moved=moved,
            now_ns=now_ns,
            moments_ns=action_times(config.instruments[source.symbol]),
        )
        for source in sources
    ]
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
    return feed, reports


def overlaps(report: CheckReport, start_ns: int | None, end_ns: int | None) -> bool:
    """Whether any event of what was checked lies from `start_ns` on and before `end_ns`."""
    if report.first_ns is None or report.last_ns is None:
        return False
    is_before_end = end_ns is None or report.first_ns < end_ns
    return is_before_end and (start_ns is None or report.last_ns >= start_ns)
