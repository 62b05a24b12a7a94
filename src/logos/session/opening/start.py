"""What stands before a session reads anything: registry, kill switch, signals, heartbeat."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import msgspec

from logos.config import Config, ConfigError
from logos.config.tables.coordinator import CoordinatorSettings
from logos.config.terms.coordinator import coordinator_of
from logos.config.terms.shards import refuse_shards
from logos.core.gates import Switch
from logos.core.types import SwitchState
from logos.killswitch.fleet.records import CoordinatorError
from logos.session.history import Journal
from logos.session.opening.machine_switch import open_switch, session_switch
from logos.session.opening.spec import Purpose, SessionSpec
from logos.session.presence import registry
from logos.session.supervisor import SessionSupervisor


class Start(msgspec.Struct, frozen=True):
    """What a session has from its first step on, whatever kind it is."""

    spec: SessionSpec
    entry: registry.Registration
    supervisor: SessionSupervisor
    resources: ExitStack

    def show(self, journal: Path, home: Path | None, session_id: str, may_rest: bool) -> None:
        """The session holds its `journal`, and is seen from now on. Raises OSError."""
        self.entry.name(session_id, home, journal.parent)
        token = self.entry.token
        self.supervisor.begin(session_id, home, journal, token, may_rest=may_rest)
        # Before the journal is let go.
        self.resources.callback(self.supervisor.close)

    def switch(self, config: Config, journal: Journal | None = None) -> Switch:
        """The switch of a session that trades: the one that was given, or the workspace's.

        That may be engaged only if the `journal` ended with it. Raises SwitchEngagedError, and
        ConfigError for the settings of a whole table of shards.
        """
        spec = self.spec
        refuse_shards(config)
        if spec.switch is not None:
            return spec.switch
        switches = () if journal is None else journal.recording.switches
        may_be_engaged = bool(switches) and SwitchState[switches[-1].state] is SwitchState.ENGAGED
        switch = open_switch(
            spec.tell, spec.ruler, may_be_engaged=may_be_engaged, is_real=config.venue.live
        )
        settings = coordinator_of(config)
        if settings is not None:
            switch.close()
            return self._join(settings, may_be_engaged, is_real=config.venue.live)
        self.resources.callback(switch.close)
        self.supervisor.watch(switch)
        self.resources.callback(self.supervisor.close)  # who watches it ends before it
        return switch

    def _join(
        self, settings: CoordinatorSettings, may_be_engaged: bool, *, is_real: bool
    ) -> Switch:
        """The switch of a session that belongs to a fleet, once it has a permit.

        Raises SwitchEngagedError without one, ConfigError.
        """
        from logos.session.fleet.budget import BudgetKeeper
        from logos.session.fleet.coordinator import terms_of
        from logos.session.fleet.membership import Membership

        spec, supervisor = self.spec, self.supervisor
        token, home = self.entry.token, spec.home
        try:
            terms, own = terms_of(settings), spec.ownership
            if terms.shard and own is None:
                raise ConfigError(
                    f"the session is of shard {terms.shard} of fleet {terms.fleet}, which one "
                    "machine may own at a time: logos fleet start --config FILE --shard "
                    f"{terms.shard}"
                )
            member = Membership(terms, token, supervisor, home=home, is_real=is_real, own=own)
        except CoordinatorError as error:
            raise ConfigError(f"killswitch.coordinator: {error}") from None
        self.resources.callback(member.close)
        member.join(spec.tell, may_be_engaged=may_be_engaged)
        supervisor.watch(member.switch, member.problem)
        supervisor.fleet, supervisor.permit = member.words, member.stands
        if own is not None:
            supervisor.heed = BudgetKeeper(own).look
        self.resources.callback(supervisor.close)
        return member.switch


def start(spec: SessionSpec, resources: ExitStack) -> Start:
    """Registry, signals and watcher, in this order. Raises RegistryError."""
    # Before anything else: `logos kill` must find a session that hangs in its first step.
    session_id = spec.session_id if spec.config is None else spec.config.session.id
    entry = registry.enter(spec.kind, spec.ruler, session_id)
    resources.callback(entry.close)
    switch = None if spec.purpose is Purpose.REPLAY else spec.switch
    if switch is None:
        switch = session_switch(spec.ruler)
        resources.callback(switch.close)
    supervisor = SessionSupervisor(
        switch, takes_signals=spec.takes_signals, sends_orders=spec.purpose is Purpose.TRADE
    )
    return Start(spec, entry, resources.enter_context(supervisor), resources)
