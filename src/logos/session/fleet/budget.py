"""A session's part of the limit that its fleet shares.

The ledger of budgets says which limit of gross exposure should be in force (see
`killswitch.fleet.shards`). It comes into force as a command, on record, so that a replay and the
next owner have it at the same place; and the ledger hears of it only when the disk has it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from logos.core.engine import TradingCore
from logos.core.fixed import to_decimal
from logos.core.messages import NOW, OperatorCommand, SetLimit
from logos.killswitch.fleet.ownership import Ownership
from logos.killswitch.fleet.switch import WHO
from logos.session.artifacts.folder import SessionFolder


class Limited(Protocol):
    """A session whose exposure is to be limited."""

    core: TradingCore
    folder: SessionFolder

    @property
    def has_commands(self) -> bool: ...

    @property
    def command(self) -> Callable[[OperatorCommand], object]: ...

    @property
    def sync(self) -> Callable[[], object]: ...


class BudgetKeeper:
    """Puts the limit that the ledger wants into force, and says so."""

    def __init__(self, own: Ownership) -> None:
        self._own = own
        self._ordered: Decimal | None = None

    def look(self, session: Limited) -> None:
        """Order the limit, or say that it is in force; for the session's own loop. Raises OSError.

        Before the first event and at every heartbeat: an order that is made in between obeys what
        was ordered.
        """
        own, goal = self._own, self._own.goal
        if goal is None:
            return
        if goal.limit != self._ordered:
            self._ordered = goal.limit
            reason = f"budget of shard {own.terms.shard} of fleet {own.terms.fleet}"
            session.command(SetLimit(NOW, reason, WHO, f"{goal.limit:f}"))
        elif not session.has_commands:
            session.sync()
            own.report(goal, exposure_of(session.core), session.folder.measured.records)


def exposure_of(core: TradingCore) -> Decimal:
    """What the currency with the most may come to hold, everything in flight filled, in money."""
    ledgers = core.order_manager.account.ledgers
    return max(
        (to_decimal(each.gross_exposure + each.open_increase, each.decimals) for each in ledgers),
        default=Decimal(0),
    )
