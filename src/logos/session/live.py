"""A session on live data: the same core and the same files, fed by tasks instead of recordings.

This is the composition root of live sessions: it alone names feeds and venues. Orders meet the
paper market inside the core unless a real venue was asked for and acknowledged.

Everything the session consumed is in `inputs.jsonl` (see `logos.journal.inputs`), so that
`logos replay` gives the same bytes without any network, and `logos resume` lives through it again
before it goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from logos.config import Config
from logos.core.clock import Clock
from logos.core.gates import InProcessSwitch, Switch
from logos.core.messages import Flatten
from logos.core.strategy import Strategy
from logos.core.types import SessionStatus, SwitchState
from logos.execution.clock import SystemClock
from logos.feeds.contract import LiveFeed
from logos.journal.inputs import INPUTS_FILE, InputsWriter, RecordedInputs
from logos.session.artifacts.folder import claim_folder
from logos.session.history import Journal, find_session, read_session
from logos.session.live_parts import (
    NoFeed,
    make_feeds,
    make_terminal,
    with_instruments,
)
from logos.session.live_session import Connected, LiveRun
from logos.session.live_venues import venue_of
from logos.session.outcome import SessionResult
from logos.session.plan import Plan, make_plan
from logos.session.presence.metrics import MeteredFolder
from logos.session.recorded import RecordedSwitch
from logos.session.recoveries import Recovery
from logos.session.recovery import CannotResumeError, same_plan
from logos.session.supervisor import SessionSupervisor, open_switch, tell_operator
from logos.venues.contract import Venue


@dataclass(frozen=True, slots=True)
class Outside:
    """What a live session is connected to; everything that is not given is made from the settings.

    A `venue` of None is the paper market.
    """

    feeds: Sequence[LiveFeed] | None = None
    venue: Venue | None = None
    clock: Clock | None = None


def run_live(
    config: Config,
    *,
    strategy: Strategy | None = None,
    outside: Outside | None = None,
    switch: Switch | None = None,
    tell: Callable[[str], object] = tell_operator,
    home: Path | None = None,
) -> SessionResult:
    """Run a live session until it is stopped, halted, or its feeds come to their end.

    Orders meet the paper market unless `config.venue.live` says that the operator gave both
    `--live` and `--i-acknowledge-risk`. Raises as `logos.session.run`.
    """
    plan = make_plan(with_instruments(config), strategy=strategy, feed=NoFeed())
    connected = _connect(plan, outside)
    own_switch = None
    if switch is None:
        own_switch = open_switch(tell, home, is_real=plan.config.venue.live)
    try:
        used_switch = own_switch if switch is None else switch
        assert used_switch is not None
        session_id, place = claim_folder(plan.config.session.id, home)
        core = plan.make_core(session_id, used_switch)
        try:
            folder = MeteredFolder(session_id, place, core.order_manager.states, home)
            guardian = SessionSupervisor(session_id, used_switch, core, home)
            recorder = InputsWriter(place / INPUTS_FILE, list(plan.instruments))
        except OSError:
            shutil.rmtree(place)  # made a moment ago, and nothing has happened in it
            raise
        session = LiveRun(plan, session_id, core, folder, guardian, recorder, used_switch, place)
        return session.run(connected, tell, home)
    finally:
        if own_switch is not None:
            own_switch.close()


def resume_live(
    session_id: str,
    *,
    strategy: Strategy | None = None,
    outside: Outside | None = None,
    switch: Switch | None = None,
    is_acknowledged: bool = False,
    tell: Callable[[str], object] = tell_operator,
    home: Path | None = None,
    flatten: Flatten | None = None,
) -> SessionResult:
    """Go on with a live session that was stopped or crashed, on live data. As `run_live`.

    Orders that may be at a venue are asked for there before anything new is sent. With `flatten`
    the strategy is not asked again: open orders are cancelled, every position is closed through
    the same guards and gates, and the session ends when nothing is left. Raises CannotResumeError
    and what `logos.session.recovery.resume` raises.
    """
    place = find_session(session_id, home)
    journal = read_session(place)
    if journal.status not in (None, SessionStatus.STOPPED):
        assert journal.status is not None
        raise CannotResumeError(
            f"session {session_id} has ended ({journal.status.value}): there is nothing to resume"
        )
    plan = same_plan(journal, session_id, strategy, NoFeed())
    if plan.config.venue.live and not is_acknowledged:
        raise CannotResumeError(
            f"session {session_id} sends orders to {plan.config.venue.name.value}: to go on with "
            "it takes --live and --i-acknowledge-risk again"
        )
    connected = _connect(plan, outside)
    own_switch = None
    if switch is None:
        own_switch = open_switch(
            tell,
            home,
            may_be_engaged=_ended_engaged(journal),
            is_real=plan.config.venue.live,
        )
    try:
        live_switch = own_switch if switch is None else switch
        recorded = RecordedSwitch(journal.recording, live_switch)
        core = plan.make_core(session_id, recorded)
        recorded.attach(core.order_manager)
        inputs = RecordedInputs(place / INPUTS_FILE, plan.instruments)
        whole_bytes = _whole_bytes(inputs)
        folder = MeteredFolder(
            session_id, place, core.order_manager.states, home, journal.whole_bytes
        )
        guardian = SessionSupervisor(session_id, own_switch or InProcessSwitch(), core, home)
        recorder = InputsWriter(place / INPUTS_FILE, list(plan.instruments), whole_bytes)
        session = LiveRun(
            plan, session_id, core, folder, guardian, recorder, recorded, place, journal, flatten
        )
        with Recovery(place, journal, None) as recovery:
            result = session.run(connected, tell, home, inputs)
            recovery.result = result.status.value
        return result
    finally:
        if own_switch is not None:
            own_switch.close()


def _connect(plan: Plan, outside: Outside | None) -> Connected:
    """Make what is not given. Raises ConfigError and DataError, before anything has begun."""
    given = Outside() if outside is None else outside
    clock = SystemClock() if given.clock is None else given.clock
    # Of its own: what the core draws must not depend on how often a feed had to retry.
    random = Random(plan.seed)  # noqa: S311
    terminal = make_terminal(plan, clock, random, given.feeds is None, given.venue is None)
    feeds = make_feeds(plan, clock, random, terminal) if given.feeds is None else given.feeds
    if plan.config.venue.live and given.venue is None and terminal is None:
        venue_of(
            plan.config, plan.instruments, "", clock, random
        )  # what is missing is told before anything has begun
    return Connected(feeds, given.venue, clock, random, terminal)


def _whole_bytes(inputs: RecordedInputs) -> int:
    """How much of the recording is whole; its last line may be torn."""
    for _ in inputs.batches():
        pass
    return inputs.whole_bytes


def _ended_engaged(journal: Journal) -> bool:
    switches = journal.recording.switches
    return bool(switches) and SwitchState[switches[-1].state] is SwitchState.ENGAGED
