"""Puts samples into the text formats of Prometheus, by its own library (extra `metrics`).

The library makes the text of a metric anew for each page: of some hundred lines nearly all that
changes is the value at the end, and making them was most of what a scrape cost the machine on which
sessions trade. So what the library wrote is kept by line, without its values, for as long as the
metric has the same series; values are put behind that. What would not come out to the byte as the
library has it is left to the library every time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString

from logos.observe.metrics.catalog import METRICS
from logos.observe.metrics.catalog import Metric as Described
from logos.observe.metrics.samples import Sample, Spread

Gather = Callable[[], Sequence[Sample | Spread]]

PLAIN: Final = "text/plain; version=0.0.4"
"""What a file for the node exporter's textfile collector is written as."""

_EOF: Final = "# EOF\n"
_FORMATS_MAX: Final = 4
"""Formats of which lines are kept."""


class Page:
    """Encodes what `gather` gives, anew at each call. No series says when it was created."""

    def __init__(self, gather: Gather) -> None:
        self._gather = gather
        self._kept: dict[str, dict[str, _Kept]] = {}
        self._lock = threading.Lock()

    def encoded(self, accept: str = PLAIN) -> tuple[bytes, str]:
        """The page, and its content type, in the best format that the header `accept` takes."""
        encode, content_type = choose_encoder(accept)
        by_name: dict[str, list[Sample | Spread]] = {}
        for sample in self._gather():
            by_name.setdefault(sample.name, []).append(sample)
        with self._lock:
            if content_type not in self._kept and len(self._kept) >= _FORMATS_MAX:
                self._kept.clear()
            kept = self._kept.setdefault(content_type, {})
            # In the catalogue's order; a metric without samples is left out.
            parts = [
                _text(metric, samples, encode, kept)
                for metric in METRICS
                if (samples := by_name.get(metric.name))
            ]
        text = "".join(parts)
        end = encode(_One(())).decode()  # what a format has behind all metrics
        return (text + end).encode(), content_type


class _Kept(NamedTuple):
    """A metric's text without its values."""

    series: tuple[object, ...]
    """What the lines are of: they are right for as long as this is the same."""
    heads: tuple[str, ...]
    """What stands before each value; None of it: the library writes this metric every time."""


class _One:
    """A registry of a few metrics, as far as an encoder asks for one."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _text(
    metric: Described,
    samples: Sequence[Sample | Spread],
    encode: Callable[[Any], bytes],
    kept: dict[str, _Kept],
) -> str:
    """All lines of a metric."""
    series, values = _taken_apart(samples)
    lines = kept.get(metric.name)
    if lines is None or lines.series != series:
        family = _family(metric.name, metric.kind, metric.help, metric.labels, samples)
        text = encode(_One((family,))).decode().removesuffix(_EOF)
        heads = _heads(text)
        is_same = len(heads) == len(values) + 1 and _joined(heads, values) == text
        kept[metric.name] = _Kept(series, heads if is_same else ())
        return text
    if not lines.heads:
        family = _family(metric.name, metric.kind, metric.help, metric.labels, samples)
        return encode(_One((family,))).decode().removesuffix(_EOF)
    return _joined(lines.heads, values)


def _taken_apart(
    samples: Sequence[Sample | Spread],
) -> tuple[tuple[object, ...], list[float]]:
    """Of which series they are, and the values of these in the order of the library's lines."""
    series: list[object] = []
    values: list[float] = []
    for sample in samples:
        series.append(sample.labels)
        if isinstance(sample, Sample):
            values.append(sample.value)
            continue
        if sample.buckets:
            series.append(tuple([bound_s for bound_s, _ in sample.buckets]))
            values += [count for _, count in sample.buckets]
            values.append(sample.total)
        values += (sample.total, sample.sum_s)
    return tuple(series), values


def _heads(text: str) -> tuple[str, ...]:
    """What stands before each value of a metric's lines, and at last what is behind them all."""
    heads: list[str] = []
    before = ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("#"):
            before += f"{line}\n"
        else:
            head, space, _ = line.rpartition(" ")
            heads.append(before + head + space)
            before = "\n"
    return (*heads, before)


_number: Final[Callable[[float], str]] = floatToGoString


def _joined(heads: Sequence[str], values: Sequence[float]) -> str:
    pieces = [
        piece
        for head, value in zip(heads, values, strict=False)
        for piece in (head, _number(value))
    ]
    return "".join((*pieces, heads[-1]))


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
