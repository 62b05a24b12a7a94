"""A session that is cut off at any file operation is found torn and whole: never damaged or other.

What `logos resume` makes of it is tested elsewhere; here nothing goes on, and the folder is judged
as the cut left it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from file_faults import Cut, Decide, Fault, FileFaults, Operation, PowerCut, at
from journal_helpers import content_of, spot, stopped
from sampling import first_quick

from logos.audit.inspect import Overview
from logos.audit.verify import verify
from logos.config import ConfigError
from logos.session import ExitCode, SessionResult
from logos.session.history import find_session


def in_the_middle(number: int) -> Decide:
    """In half of the write of that number, or right after an operation that is none."""

    def decide(operation: Operation) -> Fault:
        if operation.number != number:
            return None
        if operation.kind == "write" and operation.size > 1:
            return Cut(written=operation.size // 2)
        return Cut(is_after=True)

    return decide


def judge_after(make: Callable[[Path], SessionResult], cut: Decide) -> str:
    """How a session that ended by `cut` is judged.

    "none" where there is no journal yet, "uncut" where the operation failed by itself (a folder
    that is made in vain before its parent is).
    """
    with TemporaryDirectory() as home:
        with FileFaults(Path(home), decide=cut) as faults, suppress(PowerCut):
            make(Path(home))
        if not faults.is_cut:
            return "uncut"
        folder = Path(home, "runs", "live", "sessions", "small")
        try:
            find_session(str(folder), may_be_path=True)
        except ConfigError:
            return "none"
        before = content_of(folder)
        verdict = verify(folder)
        with Overview(folder) as overview:
            overview.read()
            assert overview.damage is None
            assert overview.records == verdict.records
            assert overview.status() == verdict.status
        assert content_of(folder) == before
        assert verdict.damage is None
        assert verdict.findings == []
        return f"{verdict.exit_code.name} {verdict.status}"


@pytest.mark.parametrize("make", first_quick([spot, stopped], 0), ids=lambda make: make.__name__)
def test_a_cut_before_or_in_any_file_operation_leaves_a_whole_prefix(
    make: Callable[[Path], SessionResult],
) -> None:
    with TemporaryDirectory() as home, FileFaults(Path(home)) as faults:
        status = make(Path(home)).status.value
        count = len(faults.operations)
    assert count > 20
    every = [
        judge_after(make, cut)
        for number in range(1, count + 1)
        for cut in (at(number, Cut()), in_the_middle(number))
    ]
    assert every.count("uncut") < 10
    seen = [verdict for verdict in every if verdict != "uncut"]
    torn, finished = f"{ExitCode.TORN.name} CRASHED", f"{ExitCode.FINISHED.name} {status}"
    assert set(seen) <= {"none", torn, finished}
    assert seen.count(torn) > 20
    assert seen == sorted(seen, key=["none", torn, finished].index), "it only ever gets further"
