"""The figures of a live session that are taken up from its journal."""

from __future__ import annotations

from pathlib import Path

from rehearsal_helpers import write_journal

from logos.execution.metrics import MetricsAggregator, MetricSymbol
from logos.journal.entries import JOURNAL
from logos.journal.inputs import INPUTS_FILE, RecordedInputs
from logos.journal.surveys import Survey
from logos.journal.writer import START
from logos.session.source import Past


def test_payments_are_among_the_figures_that_are_taken_up_from_a_journal(tmp_path: Path) -> None:
    payment = {"kind": "payment", "type": "funding", "symbol": "COIN", "currency": "USD"}
    write_journal(
        tmp_path / JOURNAL,
        [{**payment, "amount_units": -7}, {**payment, "amount_units": -100}],
    )
    inputs = RecordedInputs(tmp_path / INPUTS_FILE)
    past = Past(tmp_path, inputs, Survey(0, 0, [], has_place=True), START, records=2)
    metrics = MetricsAggregator([MetricSymbol("COIN", "USD", 2, 1)])

    for records in past.records_before():
        metrics.add(records)

    assert metrics.snapshot().symbol("COIN").net_units == -7, "the manifest and one record"
