"""All that the answer of a check depends on, and the hash of it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from logos.core.instrument import Instrument
from logos.data.layout import extension_of
from logos.data.source import DataSource
from logos.data.times.epochs import last_plausible_ns


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a source; see `check`. `said` are the settings that `instrument` was made
    of, as JSON: they hold all that its check depends on."""

    instrument: Instrument
    said: bytes
    accept: frozenset[str] = frozenset()
    now_ns: int | None = None
    moments_ns: Sequence[int] = ()
    moved: Callable[[], object] = lambda: None

    def is_lasting(self, source: DataSource) -> bool:
        """Whether the answer follows from the key alone: zones have a data base of their own."""
        return not source.rules.timezone

    @property
    def latest_ns(self) -> int | None:
        """Until when the time of a row may be; None: that is not judged."""
        return None if self.now_ns is None else last_plausible_ns(self.now_ns)

    def is_answered(self, judged_ns: int | None, has_bad_times: bool) -> bool:
        """Whether a check that let no time pass behind `judged_ns` is an answer to this one."""
        if has_bad_times or judged_ns is None:
            return judged_ns == self.latest_ns
        return self.latest_ns is None or judged_ns <= self.latest_ns

    def key(self, source: DataSource, fingerprints: Sequence[str], build: str) -> str:
        """SHA-256 over all that the answer follows from, as 64 hex digits; but for `latest_ns`, of
        which an earlier one is an answer too."""
        asked = {
            "build": build,
            "byteorder": sys.byteorder,
            "files": [*fingerprints],
            "formats": [extension_of(path) for path in source.paths],
            "instrument": hashlib.sha256(self.said).hexdigest(),
            "symbol": source.symbol,
            "kind": source.kind,
            "interval_ns": source.interval_ns,
            "is_named": source.is_named,
            "rules": source.rules,
            "months": source.months,
            "phase_ns": source.phase_ns,
            "moments_ns": [*self.moments_ns],
        }
        return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()
