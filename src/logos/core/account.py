"""Money: wallets that hold assets, and ledgers that measure profit in one currency each.

A `Wallet` is what there is of one asset and what is bound. A `Ledger` is the profit and loss of
everything quoted in one currency, and at every event, exactly:

    equity = initial + realised - fees + unrealised + payments

where payments are what time brings and costs (see `terms.payments`): 0 unless the settings say so.

Currencies are never added. Only where a rate to the reporting currency is configured for every
ledger is there a total besides, moved by the same deltas, so it equals the converted sum exactly.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.guards import LedgerLimits
from logos.core.instrument import RATE_SCALE
from logos.errors import InvariantBroken

NO_FLOOR: Final = -(1 << 61)
"""Nothing watches equity: who is told that it was passed finds no limit. It is small enough to be
compared as a machine's word, at every mark."""


@final
class EquityTrack:
    """A level of equity with its high-water mark and the deepest fall from it."""

    __slots__ = ("equity", "high_water", "max_drawdown")

    def __init__(self, equity: int) -> None:
        self.equity = equity
        self.high_water = equity
        self.max_drawdown: int = 0

    def move(self, delta: int) -> None:
        """Change equity by `delta` and observe the new level."""
        self.equity += delta
        self.observe()

    def observe(self) -> None:
        """Take note of the level equity is at, if it is a new high or a deeper fall."""
        equity = self.equity
        if equity > self.high_water:
            self.high_water = equity
        elif self.high_water - equity > self.max_drawdown:
            self.max_drawdown = self.high_water - equity


@final
class Wallet:
    """One asset, in units of `10**-decimals`. `borrow_limit` is how far below zero it may go."""

    __slots__ = ("asset", "balance", "borrow_limit", "decimals", "initial", "locked")

    def __init__(self, asset: str, decimals: int, initial: int, borrow_limit: int) -> None:
        self.asset = asset
        self.decimals = decimals
        self.initial = initial
        self.balance = initial
        self.borrow_limit = borrow_limit
        self.locked: int = 0

    @property
    def available(self) -> int:
        """What a new order may use, credit included."""
        return self.balance - self.locked + self.borrow_limit

    def lock(self, units: int) -> None:
        """Bind `units` for an open order."""
        self.locked += units

    def unlock(self, units: int) -> None:
        """Release what `lock` bound; raises InvariantBroken when it was never bound."""
        self.locked -= units
        if self.locked < 0:
            raise InvariantBroken(f"{self.asset}: released {-self.locked} units never locked")


@final
class Ledger:
    """Profit and loss in one currency, on the scale of that currency's wallet.

    Exposure is the value of the open positions at their marks: `net_exposure` with its sign,
    `gross_exposure` without. `open_*` is what open orders may add, at the prices they were judged
    at. Equity is compared with one `floor` after every change; see `guards`.
    """

    __slots__ = (
        "currency",
        "daily_loss_tripped",
        "day_start",
        "decimals",
        "drawdown_tripped",
        "fees",
        "floor",
        "gross_exposure",
        "initial",
        "initial_margin",
        "interest_rate",
        "is_charged",
        "limits",
        "maintenance_margin",
        "margin_call",
        "net_exposure",
        "open_buy_value",
        "open_increase",
        "open_sell_value",
        "payments",
        "realised",
        "total",
        "total_factor",
        "track",
        "unrealised",
        "wallet",
    )

    def __init__(self, wallet: Wallet, limits: LedgerLimits | None = None) -> None:
        self.wallet = wallet
        self.limits: LedgerLimits = limits if limits is not None else LedgerLimits()
        self.currency = wallet.asset
        self.decimals = wallet.decimals
        self.initial = wallet.initial
        self.realised: int = 0
        self.fees: int = 0
        self.unrealised: int = 0
        self.payments: int = 0
        """What came in over time, less what went out: funding, borrowing, interest, charges."""
        self.interest_rate: int = 0
        """What a year of a balance below zero costs, in 10**-9; set apart."""
        self.is_charged: bool = False
        """Whether a venue may charge it for what was traded, behind the fills; set apart."""
        self.track = EquityTrack(wallet.initial)
        self.initial_margin: int = 0
        self.maintenance_margin: int = 0
        self.margin_call: bool = False
        """Whether equity is below the maintenance margin now."""
        self.net_exposure: int = 0
        self.gross_exposure: int = 0
        self.open_buy_value: int = 0
        self.open_sell_value: int = 0
        self.open_increase: int = 0
        """By how much open orders could grow gross exposure; kept while that has a limit."""
        self.day_start = wallet.initial
        """Equity at the beginning of the UTC day."""
        self.drawdown_tripped: bool = False
        self.daily_loss_tripped: bool = False
        """Guards that have tripped are not watched again before a new high, or a new day."""
        self.floor: int = NO_FLOOR
        self.total: EquityTrack | None = None
        self.total_factor: int = 0
        self.raise_floor()

    @property
    def equity(self) -> int:
        """Equity in ledger units."""
        return self.track.equity

    @property
    def free_margin(self) -> int:
        """What new margin positions may bind. Open losses count against it, open profits do not."""
        open_loss = self.unrealised if self.unrealised < 0 else 0
        return self.wallet.balance + open_loss - self.initial_margin - self.wallet.locked

    @property
    def spendable(self) -> int:
        """What spot purchases may use: money that is neither locked nor bound as margin."""
        return self.wallet.available - self.initial_margin

    def mark(self, delta: int, is_long: bool) -> bool:
        """An open position gained `delta`; whether equity is now below the floor."""
        self.unrealised += delta
        self.net_exposure += delta
        self.gross_exposure += delta if is_long else -delta
        # `track.move`, spelled out: with open positions this runs on every tick.
        track = self.track
        equity = track.equity + delta
        track.equity = equity
        if equity > track.high_water:
            track.high_water = equity
            self._see_high()
        elif track.high_water - equity > track.max_drawdown:
            track.max_drawdown = track.high_water - equity
        if self.total is not None:
            self.total.move(delta * self.total_factor)
        return equity < self.floor

    def mark_sized(self, delta: int, size: int) -> bool:
        """As `mark`, of a position whose value may be below zero though it is long: `size` is by
        how much its value without sign has grown."""
        self.gross_exposure += size - delta
        return self.mark(delta, True)

    def mark_inverse(self, delta: int, size: int) -> bool:
        """As `mark_sized`, of an inverse contract: it gains as its value in the coin falls."""
        self.net_exposure += 2 * delta
        return self.mark_sized(-delta, size)

    def book_inverse(
        self, realised: int, fee: int, old_value: int, new_value: int, cost: int
    ) -> None:
        """As `book`, of an inverse contract."""
        self.book(realised, fee, -old_value, -new_value, -cost)
        self.net_exposure += 2 * (new_value - old_value)

    def book(self, realised: int, fee: int, old_value: int, new_value: int, cost: int) -> None:
        """A fill realised `realised`, cost `fee`, and moved a position's value and cost.

        `old_value` and `new_value` are the position's value at its mark before and after, `cost`
        the change of its entry value. The new level of equity is not observed yet: in the middle
        of an event, prices of before it value fills of during it, and that equity never existed.
        `observe` comes after the marks.
        """
        unrealised_delta = new_value - old_value - cost
        self.realised += realised
        self.fees += fee
        self.unrealised += unrealised_delta
        self.net_exposure += new_value - old_value
        self.gross_exposure += abs(new_value) - abs(old_value)
        delta = realised - fee + unrealised_delta
        self.track.equity += delta
        if self.total is not None:
            self.total.equity += delta * self.total_factor

    def pay(self, amount: int) -> bool:
        """Book a payment that is no fill's, received above 0; whether equity is below the floor."""
        self.wallet.balance += amount
        self.payments += amount
        self.track.equity += amount
        if self.total is not None:
            self.total.equity += amount * self.total_factor
        return self.observe()

    def observe(self) -> bool:
        """Take note of equity after an event with fills; whether it is below the floor."""
        is_high = self.track.equity > self.track.high_water
        self.track.observe()
        if is_high:
            self._see_high()
        if self.total is not None:
            self.total.observe()
        return self.track.equity < self.floor

    @property
    def drawdown_allowance(self) -> int:
        """How far below the high-water mark equity may fall; 0 for no limit."""
        limits = self.limits
        allowance = limits.drawdown
        if limits.drawdown_rate:
            # At least one unit: a share of nothing is not "no limit".
            share = max(self.track.high_water * limits.drawdown_rate // RATE_SCALE, 1)
            allowance = min(allowance, share) if allowance else share
        return allowance

    @property
    def is_drawn_down(self) -> bool:
        """Whether equity is further below its high-water mark than is allowed."""
        allowance = self.drawdown_allowance
        return allowance != 0 and self.track.high_water - self.track.equity > allowance

    @property
    def is_daily_loss_exceeded(self) -> bool:
        """Whether the UTC day has lost more than it may."""
        limit = self.limits.daily_loss
        return limit != 0 and self.day_start - self.track.equity > limit

    def raise_floor(self) -> None:
        """Set the floor anew: the highest level that a guard still watches."""
        floor = NO_FLOOR
        allowance = self.drawdown_allowance
        if allowance and not self.drawdown_tripped:
            floor = self.track.high_water - allowance
        if self.limits.daily_loss and not self.daily_loss_tripped:
            floor = max(floor, self.day_start - self.limits.daily_loss)
        self.floor = floor

    def _see_high(self) -> None:
        self.drawdown_tripped = False
        self.raise_floor()

    def start_day(self) -> None:
        """A UTC day begins: its loss counts from here."""
        self.day_start = self.track.equity
        self.daily_loss_tripped = False
        self.raise_floor()

    def check(self) -> None:
        """Raise InvariantBroken unless the equity identity holds to the last digit."""
        result = self.realised - self.fees + self.unrealised + self.payments
        if self.track.equity != self.initial + result:
            raise InvariantBroken(
                f"{self.currency}: equity {self.track.equity} is not initial {self.initial} "
                f"+ realised {self.realised} - fees {self.fees} + unrealised {self.unrealised} "
                f"+ payments {self.payments}"
            )


@final
class Account:
    """All wallets and ledgers of a session, in the order they were configured."""

    __slots__ = ("ledgers", "total", "total_currency", "total_decimals", "wallets")

    def __init__(self, wallets: list[Wallet], ledgers: list[Ledger]) -> None:
        self.wallets = wallets
        self.ledgers = ledgers
        self.total: EquityTrack | None = None
        self.total_currency: str = ""
        self.total_decimals: int = 0

    def ledger(self, currency: str) -> Ledger:
        """The ledger of `currency`; raises KeyError when nothing is quoted in it."""
        for ledger in self.ledgers:
            if ledger.currency == currency:
                return ledger
        raise KeyError(currency)

    def report_in(self, currency: str, decimals: int, factors: dict[str, int]) -> None:
        """Keep a total in `currency` at `decimals`.

        `factors` maps each ledger's currency to the total units one of its units is worth: its
        rate, as an integer on the total's scale. Every ledger needs one (KeyError otherwise).
        """
        self.total_currency = currency
        self.total_decimals = decimals
        start = 0
        for ledger in self.ledgers:
            start += ledger.equity * factors[ledger.currency]
        self.total = EquityTrack(start)
        for ledger in self.ledgers:
            ledger.total = self.total
            ledger.total_factor = factors[ledger.currency]
