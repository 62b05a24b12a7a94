"""The text of a page is the library's, whatever is kept of the page before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("prometheus_client", reason="the extra `metrics` is not installed")

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from logos.observe.metrics import exposition
from logos.observe.metrics.catalog import METRICS
from logos.observe.metrics.exposition import PLAIN, Page
from logos.observe.metrics.samples import Sample, Spread

OPEN = "application/openmetrics-text; version=1.0.0"
Samples = Sequence[Sample | Spread]

LABELS = st.sampled_from(
    ["a", 'q"uo\\te', "new\nline", "zwei\u2028Zeilen\x85", "# HELP x", "", "ä b"]
)
FIGURES = st.one_of(st.floats(allow_nan=True), st.integers(0, 10**12).map(float))
BOUNDS = (0.001, 0.5, 1e9)


@st.composite
def pages(draw: Any) -> Samples:
    """Samples of some metrics of the catalogue, of one or two series each."""
    found: list[Sample | Spread] = []
    for metric in draw(st.lists(st.sampled_from(METRICS), max_size=4, unique=True)):
        texts = st.tuples(*[LABELS] * len(metric.labels))
        for labels in draw(st.lists(texts, min_size=1, max_size=2, unique=True)):
            if metric.kind in ("counter", "gauge"):
                found.append(Sample(metric.name, labels, draw(FIGURES)))
                continue
            counts = sorted(draw(st.lists(st.integers(0, 99), min_size=4, max_size=4)))
            total, sum_s = float(counts.pop()), draw(st.floats(0, 1e12))
            count = 0 if metric.kind == "summary" else draw(st.integers(1, 3))
            buckets = tuple(zip(BOUNDS, map(float, counts), strict=True))[:count]
            found.append(Spread(metric.name, labels, buckets, total, sum_s))
    return found


def by_the_library(samples: Samples, accept: str) -> bytes:
    """The whole page as the library writes it."""

    class Given(Collector):
        def collect(self) -> Any:
            for metric in METRICS:
                mine = [each for each in samples if each.name == metric.name]
                if mine:
                    parts = metric.name, metric.kind, metric.help, metric.labels
                    yield exposition._family(*parts, mine)

    registry = CollectorRegistry()
    registry.register(Given())
    encode, _ = choose_encoder(accept)
    return bytes(encode(registry))


@settings(max_examples=60, deadline=None)
@given(st.lists(pages(), min_size=1, max_size=3), st.data())
def test_every_page_is_the_librarys_to_the_byte(shown: list[Samples], data: st.DataObject) -> None:
    now: Samples = ()
    page = Page(lambda: now)
    for samples in shown:
        for _ in range(2):  # the second time its lines are kept, and its values are others
            now = [
                each._replace(value=data.draw(FIGURES)) if isinstance(each, Sample) else each
                for each in samples
            ]
            for accept in (PLAIN, OPEN):
                assert page.encoded(accept)[0] == by_the_library(now, accept)


def test_what_the_library_would_write_otherwise_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [metric, *_] = (each for each in METRICS if each.kind == "gauge" and not each.labels)
    asked = []
    real = exposition._family

    def family(*values: Any) -> Any:
        asked.append(values[0])
        return real(*values)

    monkeypatch.setattr(exposition, "_family", family)
    page = Page(lambda: [Sample(metric.name, (), 1.0)])
    for _ in range(3):
        page.encoded(OPEN)
    assert asked == [metric.name]  # once: its lines are kept
    monkeypatch.setattr(exposition, "_number", lambda value: f"{value:.3f}")
    page = Page(lambda: [Sample(metric.name, (), 1.0)])
    for _ in range(3):
        assert page.encoded(OPEN)[0] == by_the_library([Sample(metric.name, (), 1.0)], OPEN)
