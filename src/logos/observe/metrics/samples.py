"""What a page is made of: samples of the catalogue's metrics, and counters that never fall.

A counter is a figure of the session's whole life. A session that is resumed counts up again from
its beginning or its last snapshot, and Prometheus would take the fall for a new session and count
everything twice. A session is deterministic, so its figures come again: the highest seen is true
until the session has passed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from logos.observe.metrics.catalog import BY_NAME, OF_SESSION


class Sample(NamedTuple):
    """One value of a metric; `labels` in the order of the catalogue."""

    name: str
    labels: tuple[str, ...]
    value: float


class Spread(NamedTuple):
    """A histogram or, without `buckets`, a summary: how many durations, and their sum.

    `buckets` are (upper bound in seconds, count up to it), rising; `total` counts all.
    """

    name: str
    labels: tuple[str, ...]
    buckets: tuple[tuple[float, float], ...]
    total: float
    sum_s: float


class Samples:
    """Collects the samples of one session, or of none. Raises KeyError for an unknown metric."""

    def __init__(self, *first_labels: str) -> None:
        self._first = tuple(map(_text, first_labels))
        self._taken: set[tuple[str, tuple[str, ...]]] = set()
        self.all: list[Sample | Spread] = []

    def empty(self) -> Samples:
        """Another collection, with the same first labels."""
        return Samples(*self._first)

    def take(self, others: Samples) -> None:
        """Add what `others` collected under the same first labels. ValueError as `add`."""
        for sample in others.all:
            self._check(sample.name, sample.labels)
        self.all += others.all

    def add(self, name: str, value: float, *labels: str) -> None:
        """One value; `labels` behind those that all have. ValueError if they are not the
        catalogue's in number, or have a value already: Prometheus refuses a page for one series
        that is there twice. OverflowError for a value that no float holds."""
        self.all.append(Sample(name, self._labels(name, labels), float(value)))

    def one_of(self, name: str, states: Sequence[str], state: str, *labels: str) -> None:
        """1 for `state`, 0 for each other of `states`; the state is the last label."""
        for each in states:
            self.add(name, each == state, *labels, each)

    def spread(
        self,
        name: str,
        total: int,
        sum_s: float,
        *labels: str,
        buckets: Iterable[tuple[float, int]] = (),
    ) -> None:
        """A histogram or summary. ValueError also for buckets that do not rise to `total`."""
        found = tuple((bound_s, float(count)) for bound_s, count in buckets)
        bounds = [bound_s for bound_s, _ in found]
        counts = [*(count for _, count in found), float(total)]
        if bounds != sorted(set(bounds)) or counts != sorted(counts):
            raise ValueError(f"{name}: the buckets do not rise")
        self.all.append(Spread(name, self._labels(name, labels), found, float(total), sum_s))

    def _labels(self, name: str, labels: tuple[str, ...]) -> tuple[str, ...]:
        wanted = BY_NAME[name].labels
        given = (*self._first, *map(_text, labels))
        if len(given) != len(wanted):
            raise ValueError(f"{name} has the labels {wanted}, not {given}")
        self._check(name, given)
        return given

    def _check(self, name: str, labels: tuple[str, ...]) -> None:
        if (name, labels) in self._taken:
            raise ValueError(f"{name} is there twice for {labels}")
        self._taken.add((name, labels))


def _text(label: str) -> str:
    """A path may hold bytes that are no text, and the page is UTF-8."""
    return label if label.isascii() else label.encode("utf-8", "replace").decode("utf-8")


class Counters:
    """The highest value of every counter of each session's life."""

    def __init__(self) -> None:
        self._lives: dict[tuple[str, ...], str] = {}
        self._highest: dict[tuple[str, ...], dict[tuple[str, ...], float]] = {}

    def raised(
        self, session: tuple[str, ...], new_life: str, samples: Iterable[Sample | Spread]
    ) -> list[Sample | Spread]:
        """`samples` of `session` (workspace, id), no counter below what it was.

        `new_life` is the token of a session that begins anew, not one that is resumed; "" else:
        with another token nothing of before counts.
        """
        if new_life and self._lives.get(session) != new_life:
            self._lives[session] = new_life
            self._highest.pop(session, None)
        highest = self._highest.setdefault(session, {})
        found: list[Sample | Spread] = []
        for sample in samples:
            if isinstance(sample, Sample) and BY_NAME[sample.name].never_falls:
                key = (sample.name, *sample.labels[len(OF_SESSION) :])
                value = highest[key] = max(sample.value, highest.get(key, 0.0))
                found.append(sample._replace(value=value))
            else:
                found.append(sample)
        return found

    def forget(self, session: tuple[str, ...]) -> None:
        """The session is shown no more."""
        self._lives.pop(session, None)
        self._highest.pop(session, None)
