"""Reconciliation: do the venue and we agree on orders, positions and money?

At the start, after a reconnection and on a timer the venue is asked for everything it has, and it
is compared with the session's books by client order id. Asking changes nothing, here or there, so
it may be done twice. What a link (`venue_link`) follows already is its business; what remains is

- an order of ours that is open there and has ended here: unexplained, trading stops;
- an order that is not ours: reported; trading stops only if the operator wants that;
- money or a position that differs from ours by another amount than at the start. What the account
  held besides is its owner's business and is remembered as a baseline; a difference must be seen
  several times, unchanged and without a fill in between, before it counts: fills are listed late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from logos.core.account import Account
from logos.core.book import Book
from logos.core.clock import Clock
from logos.core.fixed import to_decimal
from logos.core.messages import Report
from logos.core.outbox import Outbox
from logos.core.types import ReportKind
from logos.execution.venue_link import VenueLink
from logos.venues.contract import Unavailable, Venue

_LOOKS = 3


@dataclass(frozen=True, slots=True)
class ReconcileRules:
    """`stop_on_external`: whether orders that are not ours stop trading. Times in seconds."""

    every_s: float = 60.0
    again_s: float = 5.0
    """Between two looks at a difference that may still explain itself."""
    stop_on_external: bool = False


class Reconciler:
    """Compares one session with its venue."""

    def __init__(
        self,
        venue: Venue,
        session_id: str,
        books: Mapping[str, Book],
        account: Account,
        outbox: Outbox,
        link: VenueLink,
        clock: Clock,
        put: Callable[[Report], object],
        tell: Callable[[str], object],
        rules: ReconcileRules | None = None,
        baseline: Mapping[str, Decimal] | None = None,
    ) -> None:
        """`baseline` is what the account held besides the session's books when it began, by asset
        and symbol; None for a session that begins now."""
        self._venue = venue
        self._prefix = f"{session_id}-"
        self._books = books
        self._account = account
        self._outbox = outbox
        self._link = link
        self._clock = clock
        self._put = put
        self._tell = tell
        self._rules = ReconcileRules() if rules is None else rules
        self.baseline: Mapping[str, Decimal] | None = baseline
        self._told: set[str] = set()
        self.rounds = 0
        self.last_ns = 0
        """When the venue was last found to agree; 0: not yet."""

    async def start(self) -> None:
        """The first comparison. Raises Unavailable when the venue cannot be asked."""
        held = await self._held()
        if self.baseline is None:
            self.baseline = held
            for name, amount in held.items():
                if amount < 0:
                    words = f"the session is to begin with {-amount} {name} more than"
                    self._difference(name, f"{words} {self._venue.name} holds")
        await self.once()

    async def run(self) -> None:
        """Compare on a timer until cancelled; a venue that cannot be asked now is asked later."""
        while True:
            await self._clock.sleep(self._rules.every_s)
            try:
                await self.once()
            except Unavailable as error:
                self._tell(f"reconciliation: {self._venue.name} cannot be asked now: {error}")

    async def once(self) -> list[str]:
        """Compare now; returns what could not be explained (and has been reported)."""
        self.rounds += 1
        found = await self._unexplained_orders()
        found += await self._unexplained_holdings()
        if not found:
            self.last_ns = self._clock.now_ns()
        return found

    async def _unexplained_orders(self) -> list[str]:
        found = []
        for order in await self._venue.open_orders():
            client_id = order.client_order_id
            if client_id in self._outbox.open:
                continue
            name = client_id or order.venue_order_id
            words = (
                f"{order.side.value} {order.symbol} {order.type.value}, order "
                f"{order.venue_order_id} at {self._venue.name}"
            )
            if client_id.startswith(self._prefix):
                # It may have ended here between the venue's answer and now: ask about it alone.
                there = await self._venue.find(client_id, order.symbol)
                if there is not None and there.status.value not in ("NEW", "ACCEPTED"):
                    continue
                found.append(f"{words} is open there and has ended here")
                self._difference(name, found[-1])
            elif name not in self._told:
                self._told.add(name)
                self._tell(f"reconciliation: not ours: {words}")
                if self._rules.stop_on_external:
                    found.append(f"{words} is not ours")
                    self._difference(name, found[-1])
        return found

    async def _unexplained_holdings(self) -> list[str]:
        """Holdings that differ from the baseline, and go on doing so."""
        before: dict[str, Decimal] | None = None
        looks = 0
        while True:
            fills = self._link.known_fills
            differing = self._differing(await self._held())
            if not differing:
                return []
            is_same = differing == before and fills == self._link.known_fills
            looks = looks + 1 if is_same else 1
            before = differing
            if looks >= _LOOKS:
                break
            await self._clock.sleep(self._rules.again_s)
        found = [
            f"{name}: {self._venue.name} and the session's books differ by {amount}"
            for name, amount in sorted(differing.items())
        ]
        for name, line in zip(sorted(differing), found, strict=True):
            self._difference(name, line)
        return found

    def _differing(self, held: Mapping[str, Decimal]) -> dict[str, Decimal]:
        baseline = self.baseline or {}
        return {
            name: amount - baseline.get(name, Decimal(0))
            for name, amount in held.items()
            if amount != baseline.get(name, Decimal(0))
        }

    async def _held(self) -> dict[str, Decimal]:
        """What the venue holds beyond the session's books, by asset, and by symbol where the venue
        keeps positions."""
        balances = await self._venue.balances()
        held = {
            wallet.asset: balances[wallet.asset] - to_decimal(wallet.balance, wallet.decimals)
            for wallet in self._account.wallets
            if wallet.asset in balances
        }
        positions = await self._venue.positions()
        for symbol, book in self._books.items():
            instrument = book.instrument
            if instrument.settlement == "spot" and instrument.base in balances:
                continue
            there = positions.get(symbol, 0) - book.inventory.position
            held[symbol] = instrument.quantity_decimal(there)
        return held

    def _difference(self, subject: str, detail: str) -> None:
        words = (
            f"{detail}. Trading stops: look at the account at the venue and at `logos inspect`; once "
            "it is explained, reset the kill switch"
        )
        self._put(Report(self._clock.now_ns(), ReportKind.DIFFERENCE, subject, words))
