"""Sessions of every kind of ending in one workspace, for tests of what lies on the disk."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from journal_helpers import BarByBar, bars
from session_helpers import session_config

from logos.core.gates import InProcessSwitch
from logos.core.strategy import market
from logos.core.types import Side
from logos.session import SessionResult
from logos.session.entry import run
from logos.testing.builders import Scripted

DAY_S = 86_400


def ended(session_id: str, script: dict[int, Any] | None = None, **tables: Any) -> SessionResult:
    """A session over twelve bars that buys 10 ACME and keeps them, unless `script` says else."""
    config = session_config(session={"id": session_id}, **tables)
    strategy = Scripted({1: market(Side.BUY, 10)} if script is None else script)
    return run(config, strategy=strategy, feed=BarByBar(bars(12)), switch=InProcessSwitch())


def halted(session_id: str) -> SessionResult:
    """One that a guard halts as its equity falls below what is allowed."""
    risk = {"unlimited": True, "total": {"max_drawdown": "1"}, "actions": {"max_drawdown": "halt"}}
    return ended(session_id, risk=risk)


def failed(session_id: str) -> SessionResult:
    """One whose strategy fails."""

    class Failing(Scripted):
        def on_bar(self, *_: object) -> None:
            raise ValueError("no more")

    config = session_config(session={"id": session_id})
    feed = BarByBar(bars(3))
    return run(config, strategy=Failing({}), feed=feed, switch=InProcessSwitch())


def crashed(session_id: str) -> SessionResult:
    """One that has not got its last files."""
    result = ended(session_id)
    for name in ("state.json", "session.md", "host.json"):
        (result.folder / name).unlink()
    journal = result.folder / "state.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    return result


def aged(result: SessionResult, days: float) -> SessionResult:
    """The session as if it had begun and ended so many days ago."""
    then_ns = time.time_ns() - int(days * DAY_S * 1e9)
    text = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime(then_ns // 10**9))
    home = result.folder.parents[3]
    _put(result.folder / "host.json", ("started", "ended"), text)
    _put(home / "state" / "origins" / f"{result.session_id}.json", ("began",), text)
    os.utime(result.folder / "state.jsonl", ns=(then_ns, then_ns))
    return result


def _put(path: Path, keys: tuple[str, ...], text: str) -> None:
    """Set the keys of a JSON file that is there."""
    if path.exists():
        table = json.loads(path.read_bytes())
        path.write_text(json.dumps({**table, **dict.fromkeys(keys, text)}))
