"""A live session's figures: fed with what is journalled, kept in a small file at every heartbeat.

The file is `<session>.metrics.json` beside the session's log. It describes a running process and
needs no fsync; the last one stays, with the figures of the session's end.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from logos import paths
from logos.core.order_manager import OrderManager
from logos.execution.metrics import MetricsAggregator, MetricSymbol, ReportingRates
from logos.files import make_folder, replace_json


def metrics_of(order_manager: OrderManager) -> MetricsAggregator:
    """An aggregator for the symbols of a core, in the scales of its ledgers."""
    account = order_manager.account
    reporting = None
    if account.total is not None:
        factors = {ledger.currency: ledger.total_factor for ledger in account.ledgers}
        reporting = ReportingRates(account.total_currency, account.total_decimals, factors)
    return MetricsAggregator(
        (
            MetricSymbol(symbol, state.ledger.currency, state.ledger.decimals, state.unit_value)
            for symbol, state in order_manager.states.items()
        ),
        reporting,
    )


class MetricsFile:
    """Writes an aggregator's snapshots for whoever looks from outside."""

    def __init__(self, session_id: str, home: Path | None) -> None:
        self._path = metrics_path(session_id, home)
        self._version = -1

    def write(self, metrics: MetricsAggregator) -> None:
        """Replace the file, if anything has changed. It is a convenience: a disk that refuses it
        is the journal's to report."""
        snapshot = metrics.snapshot()
        if snapshot.version == self._version:
            return
        self._version = snapshot.version
        with suppress(OSError):
            make_folder(self._path.parent)
            replace_json(self._path, snapshot, durable=False)


def metrics_path(session_id: str, home: Path | None = None) -> Path:
    """Where a session's figures are."""
    return paths.within(home, paths.logs_dir()) / f"{session_id}.metrics.json"
