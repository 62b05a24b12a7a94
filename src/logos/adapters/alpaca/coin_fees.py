"""What each execution in a coin cost: the part of it that did not arrive.

Problem: Alpaca takes a fee on coins from what is received: of a purchase in the coin, of a sale in
dollars. Neither the order nor the execution says so; the position is just less than what was bought
(0.09975 after 0.1: alpacahq/alpaca-py 374, Petersoj/alpaca-java 148). The fee is listed at the end
of the day, by coin and day, without its order (docs.alpaca.markets/docs/crypto-fees).

Method: what the account held at one moment, and every execution of the account since, say what it
should hold; what it holds less is the fee of the executions since. It is shared out over them by
quantity, and is theirs for good. The account is asked between two equal lists of executions, so
that nothing happens in between. A lack that is no fee (none is above 0.25 %: crypto-fees) is not
booked as one: the answer stays open for a while, and then the executions are handed out without a
fee, so that the comparison of holdings shows the difference.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import partial
from typing import Any, Final

from logos.adapters.alpaca.questions import CLOCK_NS, Questions
from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND
from logos.venues.failures import Failure, Knowledge, question_error
from logos.venues.ids import ClientIds
from logos.venues.records import Unreadable, decimal_of, text_of, time_ns

RATE_MAX: Final = Decimal("0.003")
"""A little above the highest documented rate: a fee is rounded."""

_PATIENCE_NS: Final = 10 * NS_PER_SECOND
_STEP: Final = Decimal("0.000000001")
"""Coins have nine decimals at Alpaca."""
_CENT: Final = Decimal("0.01")
_LOOKS: Final = 3

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of the account, as far as it changes what is held."""

    fill_id: str
    coin: str
    """Alpaca's symbol without the slash; empty for anything but a coin."""
    received: Decimal
    """What the account gets: coins of a purchase, money of a sale; fees not taken off."""
    is_buy: bool
    quantity: Decimal
    money: Decimal


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account holds: its cash, and of everything else by Alpaca's name without a slash."""

    currency: str
    cash: Decimal
    owned: dict[str, Decimal]


@dataclass(slots=True)
class _Since:
    """What was held at a moment, and which executions are in it: as many of the latest as
    `latest_fills` lists, and more."""

    holdings: Holdings
    moment_ns: int
    ids: set[str]
    unexplained_ns: int = -1


class CoinFees:
    """The fees of an account's executions in coins. `begin` before the first of them."""

    def __init__(self, questions: Questions, ids: ClientIds, clock: Clock) -> None:
        self._questions = questions
        self._ids = ids
        self._clock = clock
        self._since: _Since | None = None
        self._fees: dict[str, Decimal] = {}
        self._begun_ns = 0
        """When the books began from which it reckons, until `begin` has seen what was before."""

    def fee_of(self, fill_id: str) -> Decimal:
        """What it cost, of what it brought; 0 for one from before `begin`."""
        return self._fees.get(fill_id, Decimal(0))

    def resume_from(
        self, owned: Mapping[str, Decimal], cash: Decimal, seen: Collection[str], since_ns: int
    ) -> None:
        """Reckon from what the books of an earlier run say, in which these executions since
        `since_ns` are; before `begin`."""
        moment_ns = max(since_ns - CLOCK_NS, 0) // NS_PER_SECOND * NS_PER_SECOND
        self._since = _Since(Holdings("USD", cash, dict(owned)), moment_ns, set(seen))
        self._begun_ns = since_ns

    async def begin(self, what: str) -> None:
        """Remember what the account holds now, unless books say so. Raises Unavailable."""
        since = self._since
        if since is not None and self._begun_ns:
            since.ids |= await self._before(what, since.moment_ns)
            self._begun_ns = 0
        if since is not None:
            return
        for _ in range(_LOOKS):
            moment_ns, ids = await self._questions.latest_fills(what)
            holdings = await self._holdings(what)
            if (moment_ns, ids) == await self._questions.latest_fills(what):
                self._since = _Since(holdings, moment_ns, ids)
                return
        raise question_error(what, Failure(Knowledge.UNKNOWN, "the account is being traded"))

    async def _before(self, what: str, moment_ns: int) -> set[str]:
        """What was executed before the books began: it is in them, as the owner's. The session's
        own may carry an earlier time, by the broker's clock. Raises Unavailable."""
        ask = self._questions
        _, ids = await ask.latest_fills(what)
        listed = await ask.fills(what, moment_ns)
        begun_ns, early = self._begun_ns, {}
        for fill_id, row in listed.items():
            if ask.read(what, partial(time_ns, row.get("transaction_time"))) < begun_ns:
                early[fill_id] = row.get("order_id")
        ours = await ask.own_orders(what, moment_ns, self._ids) if early else set()
        others = {fill_id for fill_id, order_id in early.items() if order_id not in ours}
        return others | (ids - listed.keys())

    async def settle(self, what: str, found: Mapping[str, Row]) -> None:
        """See that the fee of each of these executions is known.

        Raises Unavailable where the account does not add up yet.
        """
        since = self._since
        if since is None:
            return
        wanted = {
            fill_id
            for fill_id, row in found.items()
            if fill_id not in since.ids and fill_id not in self._fees and self._is_coin(what, row)
        }
        if not wanted:
            return
        for _ in range(_LOOKS):
            before = await self._questions.fills(what, since.moment_ns)
            holdings = await self._holdings(what)
            after = await self._questions.fills(what, since.moment_ns)
            if before.keys() == after.keys() and wanted <= after.keys():
                self._account_for(what, since, holdings, after)
                return
        raise question_error(what, Failure(Knowledge.UNKNOWN, "the account is being traded"))

    async def look(self, what: str) -> Holdings:
        """What the account holds; where nothing was traded, what comes is reckoned from here on.

        Money moves for other reasons too (dividends, deposits), which are no fees of executions.
        Raises Unavailable.
        """
        since = self._since
        before = await self._questions.latest_fills(what)
        holdings = await self._holdings(what)
        if since is None or holdings.owned != since.holdings.owned:
            return holdings
        if before[1] <= since.ids and before == await self._questions.latest_fills(what):
            since.holdings = holdings
        return holdings

    def _is_coin(self, what: str, row: Row) -> bool:
        """Whether an execution is one of a coin, and not from before what is reckoned from."""
        assert self._since is not None
        moment_ns = self._questions.read(what, lambda: time_ns(row.get("transaction_time")))
        return "/" in str(row.get("symbol")) and moment_ns >= self._since.moment_ns

    def _account_for(
        self, what: str, since: _Since, holdings: Holdings, listed: Mapping[str, Row]
    ) -> None:
        new = [
            self._questions.read(what, lambda row=row: execution_of(row))  # type: ignore[misc]
            for fill_id, row in listed.items()
            if fill_id not in since.ids
        ]
        fees = _shared_out(since.holdings, holdings, new)
        if fees is None:
            now_ns = self._clock.now_ns()
            if since.unexplained_ns < 0:
                since.unexplained_ns = now_ns
            if now_ns - since.unexplained_ns < _PATIENCE_NS:
                words = "what the account holds is not what its executions and a fee come to"
                raise question_error(what, Failure(Knowledge.UNKNOWN, words, 1.0))
            fees = {}
        for each in new:
            if each.coin:
                self._fees[each.fill_id] = fees.get(each.fill_id, Decimal(0))
        moments = [
            self._questions.read(what, lambda row=row: time_ns(row.get("transaction_time")))  # type: ignore[misc]
            for row in listed.values()
        ]
        self._since = _Since(holdings, max([since.moment_ns, *moments]), {*since.ids, *listed})

    async def _holdings(self, what: str) -> Holdings:
        return await holdings_of(self._questions, what)


async def holdings_of(questions: Questions, what: str) -> Holdings:
    """What the account holds. Raises Unavailable."""
    account = await questions.record(what, "/account")
    positions = await questions.rows(what, "/positions")
    return questions.read(what, lambda: _holdings(account, positions))


def _holdings(account: Row, positions: Sequence[Row]) -> Holdings:
    cash = decimal_of(account.get("cash"), "the account's cash")
    owned: dict[str, Decimal] = {}
    for row in positions:
        symbol, side = text_of(row, "symbol"), row.get("side")
        quantity = abs(decimal_of(row.get("qty"), f"the position in {symbol}"))
        if side not in ("long", "short"):
            raise Unreadable(f"{symbol}: the position's side {side!r} is unknown")
        owned[symbol.replace("/", "")] = quantity if side == "long" else -quantity
    return Holdings(text_of(account, "currency"), cash, owned)


def execution_of(row: Row) -> Execution:
    """One execution from the list of activities. Raises Unreadable."""
    symbol = text_of(row, "symbol")
    is_buy = row.get("side") == "buy"
    quantity = decimal_of(row.get("qty"), "the quantity of a fill")
    money = quantity * decimal_of(row.get("price"), "the price of a fill")
    coin = symbol.replace("/", "") if "/" in symbol else ""
    received = quantity if is_buy else money
    return Execution(text_of(row, "id"), coin, received, is_buy, quantity, money)


def _shared_out(
    then: Holdings, now: Holdings, new: Sequence[Execution]
) -> dict[str, Decimal] | None:
    """By execution, its part of what is held less than expected; None where that is no fee."""
    fees: dict[str, Decimal] = {}
    for coin in dict.fromkeys(each.coin for each in new if each.coin):
        here = [each for each in new if each.coin == coin]
        moved = sum((each.quantity if each.is_buy else -each.quantity for each in here), Decimal(0))
        lack = then.owned.get(coin, Decimal(0)) + moved - now.owned.get(coin, Decimal(0))
        if not _share(lack, [each for each in here if each.is_buy], fees, _STEP):
            return None
    sales = [each for each in new if each.coin and not each.is_buy]
    if sales:
        moved = sum((-each.money if each.is_buy else each.money for each in new), Decimal(0))
        if not _share(then.cash + moved - now.cash, sales, fees, _CENT):
            return None
    return fees


def _share(
    lack: Decimal, over: Sequence[Execution], fees: dict[str, Decimal], step: Decimal
) -> bool:
    """Share `lack` out over executions by what they brought; False where it is no fee of them, each
    rounded up to a `step`."""
    brought = sum((each.received for each in over), Decimal(0))
    if not 0 <= lack <= brought * RATE_MAX + len(over) * step:
        return False
    left = lack
    for each in over[:-1]:
        part = (lack * each.received / brought).quantize(_STEP, ROUND_DOWN)
        fees[each.fill_id] = part
        left -= part
    if over:
        fees[over[-1].fill_id] = left
    return True
