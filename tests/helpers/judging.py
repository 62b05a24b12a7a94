"""Every session that a test finishes is judged by those who did not write it.

`judge_sessions` has `logos verify` look at a session as soon as it has closed its files, before a
test can tamper with them, and `logos replay` run it again where its data and strategy can be loaded
by name. Bounded: the first VERIFIED_MAX and REPLAYED_MAX sessions of a test file, as some tests
make hundreds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from logos.audit.verify import verify
from logos.data.replay import ReplayFeed
from logos.session import ExitCode, entry
from logos.session.artifacts.folder import SessionFolder, is_finished
from logos.session.plan import Plan
from logos.session.seal import Seal

VERIFIED_MAX = 12
REPLAYED_MAX = 3
ROWS_MAX = 50_000
"""Longer sessions are not replayed."""

_counts: Counter[tuple[str, str]] = Counter()


@contextmanager
def judge_sessions(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Judge what is finished meanwhile, up to the bounds of the test file `name`."""
    plans: dict[Path, Plan] = {}
    seal, close = Seal.close, SessionFolder.close

    def seal_and_remember(self: Seal, *arguments: Any) -> Any:
        plans[self._folder.folder] = self._plan
        return seal(self, *arguments)

    def close_and_judge(self: SessionFolder) -> None:
        close(self)
        plan = plans.pop(self.folder, None)
        if plan is not None and is_finished(self.folder):
            judge(self.folder, plan, name)

    monkeypatch.setattr(Seal, "close", seal_and_remember)
    monkeypatch.setattr(SessionFolder, "close", close_and_judge)
    yield


def judge(folder: Path, plan: Plan, name: str) -> None:
    """Verify and replay one finished session; fails the test when either does not agree."""
    if "logos-replay-" in str(folder):
        return
    if _counts[name, "verified"] < VERIFIED_MAX:
        _counts[name, "verified"] += 1
        verdict = verify(folder)
        assert verdict.exit_code is ExitCode.FINISHED, [*verdict.findings, verdict.damage]
    settings = plan.config.strategy
    has_own_data = isinstance(plan.feed, ReplayFeed) and (plan.rows or 0) <= ROWS_MAX
    is_named = bool(settings.signals) or settings.name == plan.strategy_name
    if has_own_data and is_named and _counts[name, "replayed"] < REPLAYED_MAX:
        _counts[name, "replayed"] += 1
        entry.replay(folder.name, home=folder.parents[3])
