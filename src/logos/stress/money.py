"""Rules on money: fills and deals, profit, and what is held at the end.

Profit is made from fills by the FIFO rule alone, here and there: neither our books nor the
simulator's are believed.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from logos.stress.evidence import Evidence, Fill

_ZERO: Final = Decimal(0)


def check_fills(evidence: Evidence) -> tuple[str, list[str]]:
    """Every deal of theirs is one fill of ours, to the last digit, and the other way round."""
    ours, theirs = Counter(evidence.fills), Counter(evidence.their_fills)
    problems = [f"only here: {_words(fill)}" for fill in (ours - theirs)]
    problems += [f"only there: {_words(fill)}" for fill in (theirs - ours)]
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.fills:
        filled[fill.comment] += fill.quantity
    for comment, order in evidence.orders.items():
        if filled[comment] != order.filled or order.filled > order.quantity:
            problems.append(
                f"{comment}: {order.filled} of {order.quantity}, fills {filled[comment]}"
            )
    return f"{len(evidence.fills)} fills", problems


def check_pnl(evidence: Evidence) -> tuple[str, list[str]]:
    """Profit and fees: recomputed first in, first out; ours and theirs; total and sum.

    What is realised depends on the order in which fills are booked, and that of a lost answer is
    booked late. Open and realised profit together, at one price, do not: they must be equal
    always, and what is realised wherever the order was the same.
    """
    problems = _fills_recomputed(evidence)
    books = evidence.books
    ours = booked(evidence.fills, evidence)
    reordered = _reordered(evidence)
    total = fees = _ZERO
    for symbol, row in evidence.positions.items():
        realised, paid = Decimal(row["realised"]), Decimal(row["fees"])
        total, fees = total + realised, fees + paid
        theirs = books["symbols"][symbol]
        deals = [deal for deal in evidence.deals if deal["symbol"] == symbol]
        made = sum((Decimal(d["profit_money"]) for d in deals), _ZERO)
        recomputed, open_lots = ours[symbol].realised, ours[symbol].lots
        if recomputed != realised:
            problems.append(f"{symbol}: realised {realised}, recomputed {recomputed}")
        if made != Decimal(theirs["realised"]):
            problems.append(f"{symbol}: their deals made {made}, their books {theirs['realised']}")
        if made != realised and symbol not in reordered:
            problems.append(f"{symbol}: realised {realised}, theirs {made}")
        long = sum(lot.quantity for lot in open_lots) > 0
        price = Decimal(theirs["bid" if long else "ask"])
        left = sum(((price - lot.price) * lot.quantity for lot in open_lots), _ZERO)
        whole = realised + left * evidence.multiplier(symbol)
        their_whole = Decimal(theirs["realised"]) + Decimal(theirs["open_profit"])
        if whole != their_whole:
            problems.append(f"{symbol}: realised and open {whole}, theirs {their_whole}")
        if paid != -Decimal(theirs["commission"]):
            problems.append(f"{symbol}: fees {paid}, theirs {theirs['commission']}")
    account = evidence.account
    if total != Decimal(account["realised"]) or fees != Decimal(account["fees"]):
        problems.append(
            f"the account has realised {account['realised']} and fees {account['fees']}, "
            f"the symbols sum up to {total} and {fees}"
        )
    change = Decimal(books["balance"]) - Decimal(books["initial_balance"])
    parts = (Decimal(s["realised"]) + Decimal(s["commission"]) for s in books["symbols"].values())
    if change != sum(parts, _ZERO) or (change != total - fees and not reordered):
        problems.append(f"the simulator's balance changed by {change}, ours by {total - fees}")
    equity = Decimal(account["initial"]) + total - fees + Decimal(account["unrealised"])
    if equity != Decimal(account["equity"]):
        problems.append(f"equity is {account['equity']}, its parts make {equity}")
    late = f"; {len(reordered)} symbols booked in another order than dealt" if reordered else ""
    return f"realised {total}, fees {fees}{late}", problems


def _reordered(evidence: Evidence) -> set[str]:
    """Symbols whose fills were booked in another order than they were dealt in."""
    ours: dict[str, list[str]] = defaultdict(list)
    theirs: dict[str, list[str]] = defaultdict(list)
    for fill in evidence.fills:
        ours[fill.symbol].append(fill.comment)
    for fill in evidence.their_fills:
        theirs[fill.symbol].append(fill.comment)
    return {symbol for symbol in ours if ours[symbol] != theirs[symbol]}


def _fills_recomputed(evidence: Evidence) -> list[str]:
    """What each fill of ours and each deal of theirs says it realised, against the FIFO rule."""
    problems = []
    ours = _realised(evidence.fills, evidence)
    for row, made in zip(evidence.trades, ours, strict=False):
        if Decimal(row["realised"]) != made:
            problems.append(f"fill {row['fill_id']}: realised {row['realised']}, recomputed {made}")
    for deal, made in zip(evidence.deals, _realised(evidence.their_fills, evidence), strict=True):
        if Decimal(deal["profit_money"]) != made:
            words = f"realised {deal['profit_money']}, recomputed {made}"
            problems.append(f"their deal of {deal['comment']}: {words}")
    return problems


class Lot(NamedTuple):
    """What is left of a fill: signed quantity, price and fee of a unit."""

    quantity: Decimal
    price: Decimal
    fee: Decimal


class Booked:
    """One symbol's fills booked first in, first out."""

    def __init__(self, multiplier: Decimal) -> None:
        self._multiplier = multiplier
        self.lots: deque[Lot] = deque()
        self.realised = self.fees = _ZERO
        self.trades = self.wins = 0
        """Fills that closed something, and those whose profit exceeds the fees of both ends."""

    def book(self, fill: Fill) -> Decimal:
        """Book one fill; what it realised, before fees."""
        left = fill.quantity if fill.side == "BUY" else -fill.quantity
        fee = fill.fee / fill.quantity
        realised = costs = _ZERO
        has_closed = False
        while left and self.lots and (self.lots[0].quantity > 0) != (left > 0):
            lot = self.lots.popleft()
            closed = min(abs(lot.quantity), abs(left)).copy_sign(lot.quantity)
            realised += (fill.price - lot.price) * closed * self._multiplier
            costs += (fee + lot.fee) * abs(closed)
            left += closed
            has_closed = True
            if lot.quantity != closed:
                self.lots.appendleft(lot._replace(quantity=lot.quantity - closed))
        if left:
            self.lots.append(Lot(left, fill.price, fee))
        self.realised += realised
        self.fees += fill.fee
        self.trades += has_closed
        self.wins += has_closed and realised > costs
        return realised


def booked(fills: Iterable[Fill], evidence: Evidence) -> dict[str, Booked]:
    """Each symbol's fills, booked in this order."""
    books = {symbol: Booked(evidence.multiplier(symbol)) for symbol in evidence.positions}
    for fill in fills:
        books[fill.symbol].book(fill)
    return books


def _realised(fills: Sequence[Fill], evidence: Evidence) -> list[Decimal]:
    """What each fill realised."""
    books = {symbol: Booked(evidence.multiplier(symbol)) for symbol in evidence.positions}
    return [books[fill.symbol].book(fill) for fill in fills]


def check_positions(evidence: Evidence) -> tuple[str, list[str]]:
    """What is held at the end: the sum of our fills, our books and theirs."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.fills:
        sums[fill.symbol] += fill.quantity if fill.side == "BUY" else -fill.quantity
    problems = []
    for symbol, row in evidence.positions.items():
        figures = (
            Decimal(row["position"]),
            sums[symbol],
            Decimal(evidence.books["symbols"][symbol]["volume"]),
        )
        if len(set(figures)) > 1:
            problems.append(f"{symbol}: books, fills and simulator say {figures}")
    if evidence.books["open_orders"]:
        problems.append(f"{evidence.books['open_orders']} orders still wait at the simulator")
    return f"{len(evidence.positions)} symbols", problems


def _words(fill: Fill) -> str:
    side = f"{fill.side} {fill.quantity} {fill.symbol} at {fill.price}"
    return f"{fill.comment} {side}, fee {fill.fee}"
