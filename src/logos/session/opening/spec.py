"""Which session is to be opened, and for what."""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logos.config import Config, FeedName
from logos.core.engine import TradingCore
from logos.core.gates import Switch
from logos.core.messages import Flatten
from logos.core.strategy import Strategy
from logos.data.checked.store import CheckedStore
from logos.session.artifacts.folder import SessionFolder
from logos.session.artifacts.snapshots.saving import LiveDue, Snapshots
from logos.session.artifacts.snapshots.snapshot import SnapshotDue, every_seconds
from logos.session.plan import Feed, NoFeed, Plan
from logos.session.presence.registry import Kind
from logos.session.restoring import CannotResumeError
from logos.session.session import Session
from logos.session.source import Progress, no_progress
from logos.session.stored.origin import Origin
from logos.session.supervisor import tell_operator

if TYPE_CHECKING:  # most sessions are live in no fleet
    from logos.killswitch.fleet.ownership import Ownership
    from logos.session.connections import Outside


class Purpose(enum.Enum):
    """What a session is opened for."""

    TRADE = "trade"
    SEAL = "seal"
    """Bring a crashed session to its last record and seal it there."""
    REPLAY = "replay"
    """Run a finished session again, elsewhere; nothing is written into it."""
    LOOK = "look"
    """Run an old session again, elsewhere, as far as it came, to see how it stands."""
    RECONCILE = "reconcile"
    """Write down what a venue proved of a session that has ended or was stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """Which session, and for what: a new one by its `config`, or an old one by its `session_id`.

    `strategy`, `feed`, `outside` and `switch` replace what the settings name; a `feed` means
    recorded data, an `outside` live feeds. `on_plan` is called when the session is about to start
    and returns a progress callback (recorded data only); `tell` hears what an operator should know.
    `home` is the workspace that everything is written to, its kill switch included; None:
    `paths.home()`. `snapshot_due` says when to write a snapshot (None: every ten seconds, live as
    `LiveDue` says); without `use_snapshot` an old session is run again from its beginning whatever
    it left. `is_acknowledged`: the operator permitted real orders again. With `flatten` an old
    session is continued without its strategy: open orders are cancelled, positions closed.
    `origin` says where a new session begins (None: in the working directory, from no file); `carry`
    names an ended paper session whose positions and money a new one takes over.
    """

    config: Config | None = None
    session_id: str = ""
    purpose: Purpose = Purpose.TRADE
    flatten: Flatten | None = None
    strategy: Strategy | None = None
    feed: Feed | None = None
    outside: Outside | None = None
    switch: Switch | None = None
    on_plan: Callable[[Plan], Progress] | None = None
    beside: Callable[[Session], AbstractContextManager[object]] = nullcontext
    """Makes what lasts as long as a session that trades: it is entered once the session is made,
    and left when that is over and its files are closed."""
    tell: Callable[[str], object] = tell_operator
    home: Path | None = None
    origin: Origin | None = None
    carry: str = ""
    ownership: Ownership | None = None
    """The claim to the shard that the session is of; None: it is of none."""
    use_snapshot: bool = True
    snapshot_due: SnapshotDue | None = None
    is_acknowledged: bool = False
    takes_signals: bool = True
    """Whether SIGINT, SIGTERM and SIGUSR1 are the session's, while it runs in the main thread."""
    ruled_by: Path | None = None
    """The workspace whose kill switch rules the session and that the registry names for it; None:
    `home`. The sessions of a sweep are written elsewhere, and one switch stops them all."""
    store: CheckedStore | None = None
    """What was checked before; None: in the workspace that it is written to."""

    @property
    def ruler(self) -> Path | None:
        """The workspace whose kill switch rules the session; None: the configured one."""
        return self.home if self.ruled_by is None else self.ruled_by

    def progress(self, plan: Plan) -> Progress:
        """What to call with the number of events of each batch."""
        return no_progress if self.on_plan is None else self.on_plan(plan)

    def snapshots(self, plan: Plan, core: TradingCore, folder: SessionFolder) -> Snapshots:
        """Who writes the snapshots of the session."""
        is_live = isinstance(plan.feed, NoFeed)
        due = LiveDue(lambda: core.order_manager.tick_id) if is_live else every_seconds()
        return Snapshots(plan, core, folder, self.snapshot_due or due)

    @property
    def kind(self) -> Kind:
        """What the registry of running sessions calls it."""
        if self.config is not None:
            return "trade" if self.ruled_by is None else "trial"
        if self.purpose is Purpose.TRADE:
            return "resume" if self.flatten is None else "flatten"
        return "seal" if self.purpose is Purpose.SEAL else "replay"

    def is_live(self, config: Config) -> bool:
        """Whether a session with these settings runs on live feeds."""
        has_live_feed = config.live.feed is not FeedName.NONE
        return self.feed is None and (self.outside is not None or has_live_feed)

    def check_acknowledged(self, config: Config) -> None:
        """Raise CannotResumeError when real orders were not permitted again."""
        if config.venue.live and not self.is_acknowledged:
            raise CannotResumeError(
                f"session {self.session_id} sends orders to {config.venue.name.value}: to go on "
                "with it takes --live and --i-acknowledge-risk again"
            )
