"""Reconciliation: do the venue and we agree on orders, positions and money?

At the start, after a reconnection and on a timer the venue is asked for everything it has, and it
is compared with the session's books by client order id. Asking changes nothing, here or there, so
it may be done twice. What a link (`venue_link`) follows already is its business; what remains is

- an order of ours that is open there and has ended here: unexplained, trading stops;
- an order that this session did not place: reported; trading stops only if the operator wants that;
- money or a position that differs from ours by another amount than at the start. What the account
  held besides is its owner's business and is remembered as a baseline; a difference must be seen
  several times, unchanged, without a fill in between and with every order of ours accounted for
  since, before it counts: fills are listed late. Holdings that do not agree once in two minutes
  count as well, whatever happens meanwhile.

The money of margin trading is compared only while no position is open: which lots a venue closes
first, and so what it has realised, is its own affair until all are closed.

A difference is reported once, and again if it goes away and comes back: whoever has looked at it
and reset the switch has accepted it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from logos.core.clock import Clock
from logos.core.context import CoreView
from logos.core.fixed import to_decimal
from logos.core.messages import Report
from logos.core.types import NS_PER_SECOND, ReportKind
from logos.execution.bounded import BoundedVenue
from logos.execution.charges import Charges
from logos.execution.order_match import is_over
from logos.execution.tracked import sleep_unless
from logos.execution.venue_link import VenueLink
from logos.venues.contract import Venue, VenueError

_LOOKS = 3
_LOOKS_MAX = 24


@dataclass(frozen=True, slots=True)
class ReconcileRules:
    """Times in seconds. `stop_on_external`: whether an order that this session did not place stops
    trading."""

    every_s: float = 60.0
    again_s: float = 5.0
    """Between two looks at a difference that may still explain itself."""
    stop_on_external: bool = False
    watch_s: float = 60.0
    """How long holdings are compared every `again_s` after an order was declared not sent."""
    call_s: float = 15.0
    """How long the venue may take for one answer."""


class Reconciler:
    """Compares one session with its venue."""

    def __init__(
        self,
        venue: Venue,
        view: CoreView,
        link: VenueLink,
        clock: Clock,
        put: Callable[[Report], object],
        tell: Callable[[str], object],
        rules: ReconcileRules | None = None,
        baseline: Mapping[str, Decimal] | None = None,
    ) -> None:
        """`baseline` is what the account held besides the session's books when it began, by asset
        and symbol; None for a session that begins now."""
        self._rules = ReconcileRules() if rules is None else rules
        self._venue = BoundedVenue(venue, clock, self._rules.call_s, link.lane)
        link.doubts.is_compared = True
        self.charges = Charges(self._venue, view, clock, put)
        """What the venue charges behind its fills."""
        self._prefix = f"{view.session_id}-"
        self._view = view
        self._link = link
        self._clock = clock
        self._put = put
        self._tell = tell
        self.baseline: Mapping[str, Decimal] | None = baseline
        self._told: set[str] = set()
        self._reported: dict[str, int] = {}
        """Differences the core has been told of and that are still there, and when it was."""
        self._unsettled: set[str] = set()
        """Money of margin trading with a position open: not comparable now."""
        self.rounds = 0
        self.last_ns = 0
        """When the venue was last found to agree; 0: not yet."""

    @property
    def difference_count(self) -> int:
        """What the last comparison could not explain."""
        return len(self._reported)

    async def start(self) -> None:
        """The first comparison. Raises VenueError when the venue cannot be asked.

        Nobody takes reports yet: where the venue has charged something since the session's last
        run, the comparison is made as soon as that is booked.
        """
        if self.baseline is None:
            held = await self._held()
            self.baseline = held
            for holding in self._view.holdings():
                lack = -held.get(holding.asset, Decimal(0))
                if lack > 0 and holding.balance > 0:
                    words = f"the session is to begin with {lack} {holding.asset} more than"
                    self._difference(holding.asset, f"{words} {self._venue.name} holds")
        elif await self.charges.book(self._differing(await self._held())):
            self._link.doubts.wanted.set()
            return
        await self.once()

    async def run(self) -> None:
        """Compare on a timer until cancelled; a venue that cannot be asked now is asked later.

        Before an order that the venue denies is declared not sent, holdings are compared at once,
        and after it often for a while: if they move all the same, the denial was wrong.
        """
        watch_until_ns = 0
        while True:
            is_watching = self._clock.now_ns() < watch_until_ns
            wait_s = self._rules.again_s if is_watching else self._rules.every_s
            wanted = self._link.doubts.wanted
            await sleep_unless(self._clock, wait_s, wanted)
            if wanted.is_set():
                wanted.clear()
                watch_until_ns = self._clock.now_ns() + round(self._rules.watch_s * NS_PER_SECOND)
            try:
                await self.once()
            except VenueError as error:
                self._tell(f"reconciliation: {self._venue.name} cannot be asked now: {error}")

    async def once(self) -> list[str]:
        """Compare now; returns what could not be explained, reported now or before.

        Raises VenueError when the venue cannot be asked.
        """
        self.rounds += 1
        began_ns = self._clock.now_ns()
        found = await self._unexplained_orders()
        found.update(await self._unexplained_holdings(began_ns))
        self._reported = {line: ns for line, ns in self._reported.items() if line in found}
        for line, subject in found.items():
            if line not in self._reported:
                self._reported[line] = self._clock.now_ns()
                self._difference(subject, line)
        self._link.doubts.settle(began_ns, max(self._reported.values(), default=-1))
        if not found:
            self.last_ns = self._clock.now_ns()
        return list(found)

    async def differing(self) -> dict[str, Decimal]:
        """What holdings differ by now, by asset or symbol, in one look.

        Raises VenueError when the venue cannot be asked.
        """
        return self._differing(await self._held())

    async def _unexplained_orders(self) -> dict[str, str]:
        """Lines about orders, each with its subject."""
        found: dict[str, str] = {}
        for order in await self._venue.open_orders():
            client_id = order.client_order_id
            if self._view.is_open(client_id):
                continue
            name = client_id or order.venue_order_id
            words = (
                f"{order.side.value} {order.symbol} {order.type.value}, order "
                f"{order.venue_order_id} at {self._venue.name}"
            )
            if client_id.startswith(self._prefix):
                # It may have ended here between the venue's answer and now: ask about it alone.
                there = await self._venue.find(client_id, order.symbol)
                if there is not None and not is_over(there):
                    found[f"{words} is open there and has ended here"] = name
                continue
            if name not in self._told:
                self._told.add(name)
                self._tell(f"reconciliation: order not placed by this session: {words}")
            if self._rules.stop_on_external:
                found[f"{words} was not placed by this session"] = name
        return found

    async def _unexplained_holdings(self, began_ns: int) -> dict[str, str]:
        """Lines about holdings that differ from the baseline, and go on doing so."""
        watch_ns = round(self._rules.watch_s * NS_PER_SECOND)
        before: dict[str, Decimal] = {}
        looks = same_looks = 0
        fills = since_ns = -1
        while True:
            now_ns = self._clock.now_ns()
            differing = self._differing(await self._held())
            if not differing:
                return {}
            await self.charges.book(differing)
            # New orders of what was denied a moment ago wait until this has explained itself.
            self._link.doubts.hold_denied(began_ns - watch_ns, began_ns)
            looks += 1
            if differing == before and fills == self._link.known_fills:
                same_looks += 1
            else:
                same_looks, since_ns = 1, now_ns
                before, fills = differing, self._link.known_fills
            if same_looks >= _LOOKS and self._link.has_seen_all_since(since_ns):
                break
            if looks >= _LOOKS_MAX:
                break
            await self._clock.sleep(self._rules.again_s)
        return {
            f"{name}: {self._venue.name} and the session's books differ by {amount}": name
            for name, amount in sorted(differing.items())
        }

    def _differing(self, held: Mapping[str, Decimal]) -> dict[str, Decimal]:
        baseline = self.baseline or {}
        return {
            name: amount - baseline.get(name, Decimal(0))
            for name, amount in held.items()
            if amount != baseline.get(name, Decimal(0)) and name not in self._unsettled
        }

    async def _held(self) -> dict[str, Decimal]:
        """What the venue holds beyond the session's books: by asset, and by symbol where the venue
        keeps positions.

        Venues leave out what is zero. So an asset that is missing there is none at all if it must
        be there (the money of a spot market, or what was there at the start); other assets (the
        money of an account in another currency) cannot be compared. A spot symbol is compared as a
        position if the venue lists it as one, and by what is owned of it otherwise.
        """
        known = self.baseline or {}
        balances = await self._venue.balances()
        assets = set(balances) | set(known)
        owned = self._account_holdings()
        positions = await self._venue.positions()
        by_position: dict[str, Decimal] = {}
        self._unsettled.clear()
        for symbol, scales in self._view.symbols.items():
            instrument = scales.instrument
            ours = self._view.position(symbol)
            is_spot = instrument.settlement == "spot"
            is_position = symbol in positions or (symbol in known and symbol != instrument.base)
            if not is_spot or is_position:
                there = positions.get(symbol, 0) - ours
                by_position[symbol] = instrument.quantity_decimal(there)
            else:
                assets.add(instrument.base)
            if is_spot:
                assets.add(instrument.quote)
                if is_position:
                    assets.discard(instrument.base)
            elif ours or positions.get(symbol, 0):
                self._unsettled.add(instrument.quote)
        held = {
            asset: balances.get(asset, Decimal(0)) - amount
            for asset, amount in owned.items()
            if asset in assets
        }
        return {**held, **by_position}

    def _account_holdings(self) -> dict[str, Decimal]:
        return {
            holding.asset: to_decimal(holding.balance, holding.decimals)
            for holding in self._view.holdings()
        }

    def _difference(self, subject: str, detail: str) -> None:
        words = (
            f"{detail}. Trading stops: look at the account at the venue and at `logos inspect`; "
            "once it is explained, reset the kill switch"
        )
        self._put(Report(self._clock.now_ns(), ReportKind.DIFFERENCE, subject, words))
