"""The front door: run a session from its settings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from logos.config import Config, make_config, read_toml
from logos.core.gates import Switch
from logos.core.strategy import Strategy
from logos.session.artifacts.folder import SessionFolder, claim_folder
from logos.session.artifacts.snapshot import SnapshotDue, every_seconds
from logos.session.outcome import ExitCode, SessionResult
from logos.session.plan import Feed, Plan, make_plan
from logos.session.running import Progress, Running
from logos.session.supervisor import SessionSupervisor, open_switch, tell_operator

__all__ = ["ExitCode", "Progress", "SessionResult", "no_progress", "run"]


def run(
    config: Config | Mapping[str, Any] | str | Path,
    *,
    strategy: Strategy | None = None,
    feed: Feed | None = None,
    switch: Switch | None = None,
    on_plan: Callable[[Plan], Progress] | None = None,
    tell: Callable[[str], object] = tell_operator,
    home: Path | None = None,
    snapshot_due: SnapshotDue | None = None,
) -> SessionResult:
    """Run a whole paper session.

    `config` is a Config, a dict of the same tables, or the path of a TOML file. `strategy`,
    `feed` and `switch` replace what it names; the switch defaults to the machine's, which all
    processes share (`state/kill-switch`). `on_plan` is called when the session is about to start
    and returns a progress callback; `tell` hears what an operator should know. `home` is the
    workspace that everything is written to, its kill switch included; None: `paths.home()`.
    `snapshot_due` says when to write a snapshot to resume from (None: every ten seconds).

    Raises ConfigError, DataError or SwitchEngagedError when the session cannot start, and OSError
    when its files cannot be written; whatever happens after that is told by the result.
    """
    plan = make_plan(_settings(config), strategy=strategy, feed=feed)
    own_switch = open_switch(tell, home) if switch is None else None
    try:
        used_switch = own_switch if switch is None else switch
        assert used_switch is not None
        session_id, place = claim_folder(plan.config.session.id, home)
        core = plan.make_core(session_id, used_switch)
        try:
            folder = SessionFolder(session_id, place, core.order_manager.states, home)
            guardian = SessionSupervisor(session_id, used_switch, core, home)
        except OSError:
            shutil.rmtree(place)  # made a moment ago, and nothing has happened in it
            raise
        running = Running(
            plan, session_id, core, folder, guardian, snapshot_due=snapshot_due or every_seconds()
        )
        return running.run(on_plan(plan) if on_plan is not None else no_progress)
    finally:
        if own_switch is not None:
            own_switch.close()


def no_progress(_: int) -> None:
    """Nobody watches."""


def _settings(config: Config | Mapping[str, Any] | str | Path) -> Config:
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return make_config(config)
    path = Path(config)
    return make_config(read_toml(path), str(path))
