"""Puts samples into the text formats of Prometheus, by its own library (extra `metrics`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from logos.observe.metrics.catalog import METRICS
from logos.observe.metrics.samples import Sample, Spread

Gather = Callable[[], Sequence[Sample | Spread]]

PLAIN: Final = "text/plain; version=0.0.4"
"""What a file for the node exporter's textfile collector is written as."""


class Page:
    """Encodes what `gather` gives, anew at each call. No series says when it was created."""

    def __init__(self, gather: Gather) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(gather))

    def encoded(self, accept: str = PLAIN) -> tuple[bytes, str]:
        """The page, and its content type, in the best format that the header `accept` takes."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _Collector(Collector):
    def __init__(self, gather: Gather) -> None:
        self._gather = gather

    def describe(self) -> list[Metric]:
        """Asked at registration; without it the library would gather a page."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Families in the catalogue's order; one without samples is left out."""
        by_name: dict[str, list[Sample | Spread]] = {}
        for sample in self._gather():
            by_name.setdefault(sample.name, []).append(sample)
        for metric in METRICS:
            samples = by_name.get(metric.name)
            if samples:
                yield _family(metric.name, metric.kind, metric.help, metric.labels, samples)


def _family(
    name: str, kind: str, words: str, labels: Sequence[str], samples: Sequence[Sample | Spread]
) -> Metric:
    simple = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    if kind in ("counter", "gauge"):
        family = simple(name, words, labels=labels)
        for sample in samples:
            if isinstance(sample, Sample):
                family.add_metric(sample.labels, sample.value)
        return family
    spreads = [sample for sample in samples if isinstance(sample, Spread)]
    if kind == "summary":
        summary = SummaryMetricFamily(name, words, labels=labels)
        for each in spreads:
            summary.add_metric(each.labels, int(each.total), each.sum_s)
        return summary
    histogram = HistogramMetricFamily(name, words, labels=labels)
    for each in spreads:
        buckets = [(repr(bound_s), count) for bound_s, count in each.buckets]
        histogram.add_metric(each.labels, [*buckets, ("+Inf", each.total)], each.sum_s)
    return histogram
