"""Trades, profit, exposure and latency, per symbol and in total, readable at any moment.

The problem: figures that many look at (an operator, an exporter, a report) while fills change
them, where a reader must never see half of a fill, nor a total that is not the sum of its parts.

The method: every figure moves by deltas that follow from the session's records (fills, orders and
their updates) and from marks, under one lock that is held for a few additions; the totals move by
the same deltas as the symbols. `snapshot` copies all of it into immutable structs under the same
lock. Money is integers on one scale per currency, and currencies are never added: there is a total
of each, and one over all only in a reporting currency with an explicit rate for every other.

A *trade* here is a fill that closed something: it is won or lost by its profit after its fees.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import msgspec

from logos.core.records import OrderRecord, OrderUpdate, PaperFillRecord, PaymentRecord, Record
from logos.core.types import OrderStatus, Side

_ANSWERS: Final = frozenset(
    (
        OrderStatus.ACCEPTED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
        OrderStatus.REJECTED,
        OrderStatus.CANCELLED,
        OrderStatus.EXPIRED,
    )
)
"""What tells that an order's fate is known; UNKNOWN tells that it is not."""


class MetricSymbol(msgspec.Struct, frozen=True):
    """What the aggregator must know of a symbol. `unit_value` is the money (in units of
    `10**-money_decimals` of `currency`) of one price unit times one quantity unit."""

    symbol: str
    currency: str
    money_decimals: int
    unit_value: int


class ReportingRates(msgspec.Struct, frozen=True):
    """A currency for totals over all: `factors` maps each currency to the units of
    `10**-decimals` of `currency` that one of its own units is worth."""

    currency: str
    decimals: int
    factors: Mapping[str, int]


class Figures(msgspec.Struct, frozen=True):
    """Figures of one symbol, of one currency, or of everything; money in units, latency in ns."""

    name: str
    """A symbol, or a currency."""
    currency: str
    money_decimals: int
    orders: int
    answered: int
    """Orders of which it is known whether the venue took them."""
    fills: int
    trades: int
    wins: int
    losses: int
    gross_units: int
    """Realised profit before fees."""
    fees_units: int
    unrealised_units: int
    exposure_units: int
    """What the open positions are worth at their marks, without signs."""
    net_exposure_units: int
    exposure_peak_units: int
    equity_peak_units: int
    """The highest that net profit and open profit together have been; 0 at the start."""
    drawdown_peak_units: int
    """The deepest fall below that."""
    latency_sum_ns: int
    """From an order's making to the first answer, by the times of the records."""
    latency_max_ns: int

    @property
    def net_units(self) -> int:
        """Realised profit after fees."""
        return self.gross_units - self.fees_units

    @property
    def drawdown_units(self) -> int:
        """How far net and open profit are below their peak now."""
        return self.equity_peak_units - (self.net_units + self.unrealised_units)

    @property
    def win_rate(self) -> Fraction:
        """Won trades among all; 0 of none."""
        return Fraction(self.wins, self.trades) if self.trades else Fraction(0)

    @property
    def latency_mean_ns(self) -> int:
        """Rounded down; 0 of none."""
        return self.latency_sum_ns // self.answered if self.answered else 0


class MetricsSnapshot(msgspec.Struct, frozen=True):
    """Everything at one moment. `version` counts the updates that are in it."""

    version: int
    symbols: tuple[Figures, ...]
    currencies: tuple[Figures, ...]
    total: Figures | None
    """In the reporting currency; None where there is none."""

    def symbol(self, name: str) -> Figures:
        """The figures of a symbol. Raises KeyError."""
        for figures in self.symbols:
            if figures.name == name:
                return figures
        raise KeyError(name)


ADDITIVE: Final = (
    "orders",
    "answered",
    "fills",
    "trades",
    "wins",
    "losses",
    "gross_units",
    "fees_units",
    "unrealised_units",
    "exposure_units",
    "net_exposure_units",
    "latency_sum_ns",
)
"""Figures whose totals are sums. Peaks are not: symbols are at theirs at different moments."""


class _Sum:
    """The moving figures of one symbol, currency or total."""

    __slots__ = (
        *ADDITIVE,
        "currency",
        "drawdown_peak_units",
        "equity_peak_units",
        "exposure_peak_units",
        "latency_max_ns",
        "money_decimals",
        "name",
    )

    def __init__(self, name: str, currency: str, money_decimals: int) -> None:
        self.name = name
        self.currency = currency
        self.money_decimals = money_decimals
        self.orders = 0
        self.answered = 0
        self.fills = 0
        self.trades = 0
        self.wins = 0
        self.losses = 0
        self.gross_units = 0
        self.fees_units = 0
        self.unrealised_units = 0
        self.exposure_units = 0
        self.net_exposure_units = 0
        self.latency_sum_ns = 0
        self.latency_max_ns = 0
        self.exposure_peak_units = 0
        self.equity_peak_units = 0
        self.drawdown_peak_units = 0

    def move(self, gross: int, fees: int, unrealised: int, exposure: int, net: int) -> None:
        """Change the money by these deltas, and take note of new peaks."""
        self.gross_units += gross
        self.fees_units += fees
        self.unrealised_units += unrealised
        self.exposure_units += exposure
        self.net_exposure_units += net
        self.exposure_peak_units = max(self.exposure_peak_units, self.exposure_units)
        equity = self.gross_units - self.fees_units + self.unrealised_units
        self.equity_peak_units = max(self.equity_peak_units, equity)
        self.drawdown_peak_units = max(self.drawdown_peak_units, self.equity_peak_units - equity)

    def figures(self) -> Figures:
        return Figures(*(getattr(self, name) for name in Figures.__struct_fields__))


_KEPT: Final = tuple(
    name for name in _Sum.__slots__ if name not in ("currency", "money_decimals", "name")
)
"""What a snapshot has of each."""


class _Symbol:
    """A symbol's own sum, those it adds to, and what its deltas are made from."""

    __slots__ = ("cost", "mark", "position", "sums", "unit_value", "value")

    def __init__(self, unit_value: int, sums: Sequence[tuple[_Sum, int]]) -> None:
        self.unit_value = unit_value
        self.sums = sums
        """Each with the factor by which its money is multiplied."""
        self.position = 0
        self.mark = 0
        self.cost = 0
        """The signed entry value of what is held."""
        self.value = 0
        """The position at its mark, signed."""

    def revalue(self, position: int, mark: int, cost: int, gross: int, fees: int) -> None:
        """Take a new position, mark and cost, and move every sum by what follows."""
        value = position * mark * self.unit_value
        unrealised = (value - cost) - (self.value - self.cost)
        exposure = abs(value) - abs(self.value)
        net = value - self.value
        self.position, self.mark, self.cost, self.value = position, mark, cost, value
        for each, factor in self.sums:
            each.move(
                gross * factor, fees * factor, unrealised * factor, exposure * factor, net * factor
            )


class MetricsAggregator:
    """Takes records and marks from any thread; `snapshot` may be called from any other."""

    def __init__(
        self, symbols: Iterable[MetricSymbol], reporting: ReportingRates | None = None
    ) -> None:
        """Raises ValueError for a symbol named twice, two scales in one currency, or a currency
        without a reporting rate."""
        self._lock = threading.Lock()
        self._symbols: dict[str, _Symbol] = {}
        self._currencies: dict[str, _Sum] = {}
        self._total: _Sum | None = None
        if reporting is not None:
            self._total = _Sum(reporting.currency, reporting.currency, reporting.decimals)
        for each in symbols:
            self._add_symbol(each, reporting)
        self._made_ns: dict[int, int] = {}
        """When each order was made that is not answered yet, by its number."""
        self._version = 0

    def _add_symbol(self, each: MetricSymbol, reporting: ReportingRates | None) -> None:
        if each.symbol in self._symbols:
            raise ValueError(f"{each.symbol} is named twice")
        currency = each.currency
        of_currency = self._currencies.get(currency)
        if of_currency is None:
            of_currency = self._currencies[currency] = _Sum(currency, currency, each.money_decimals)
        if of_currency.money_decimals != each.money_decimals:
            raise ValueError(f"{each.symbol}: {currency} has two scales; use one for all")
        own = _Sum(each.symbol, currency, each.money_decimals)
        sums = [(own, 1), (of_currency, 1)]
        if reporting is not None and self._total is not None:
            if currency not in reporting.factors:
                raise ValueError(f"no rate from {currency} to {reporting.currency}")
            sums.append((self._total, reporting.factors[currency]))
        self._symbols[each.symbol] = _Symbol(each.unit_value, sums)

    # ---- for a snapshot ----

    def save(self) -> dict[str, Any]:
        """Everything as plain JSON data, for `load` of an aggregator of the same symbols."""
        with self._lock:
            own = (each.sums[0][0] for each in self._symbols.values())
            sums = [*own, *self._currencies.values(), *([self._total] if self._total else ())]
            return {
                "sums": [[getattr(each, name) for name in _KEPT] for each in sums],
                "books": [
                    [each.position, each.mark, each.cost, each.value]
                    for each in self._symbols.values()
                ],
                "made_ns": list(self._made_ns.items()),
            }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `save` told. Raises LookupError, TypeError or ValueError for anything
        else."""
        with self._lock:
            own = (each.sums[0][0] for each in self._symbols.values())
            sums = [*own, *self._currencies.values(), *([self._total] if self._total else ())]
            for one, values in zip(sums, state["sums"], strict=True):
                for name, value in zip(_KEPT, values, strict=True):
                    setattr(one, name, value)
            for each, values in zip(self._symbols.values(), state["books"], strict=True):
                each.position, each.mark, each.cost, each.value = values
            self._made_ns = dict(state["made_ns"])
            self._version += 1

    # ---- updates ----

    def add(self, records: Iterable[Record]) -> None:
        """Take a session's records; kinds that say nothing here are passed over. Records of one
        call are seen together or not at all. Raises KeyError for an unknown symbol."""
        with self._lock:
            for record in records:
                kind = type(record)
                if kind is OrderUpdate:
                    self._on_update(record)  # type: ignore[arg-type]
                elif kind is OrderRecord:
                    self._on_order(record)  # type: ignore[arg-type]
                elif kind is PaperFillRecord:
                    self._on_fill(record)  # type: ignore[arg-type]
                elif kind is PaymentRecord:
                    self._on_payment(record)  # type: ignore[arg-type]
            self._version += 1

    def mark(self, symbol: str, mark_units: int) -> None:
        """Value what is held of `symbol` at this price. Raises KeyError."""
        self.mark_all({symbol: mark_units})

    def mark_all(self, marks: Mapping[str, int]) -> None:
        """Value several symbols in one step; 0 stands for no price yet. Raises KeyError."""
        with self._lock:
            for symbol, mark_units in marks.items():
                each = self._symbols[symbol]
                if not mark_units or mark_units == each.mark:
                    continue
                if each.position:
                    each.revalue(each.position, mark_units, each.cost, 0, 0)
                else:
                    each.mark = mark_units
            self._version += 1

    def _on_order(self, record: OrderRecord) -> None:
        self._made_ns[record.order_id] = record.ts_ns
        for each, _ in self._symbols[record.symbol].sums:
            each.orders += 1

    def _on_update(self, update: OrderUpdate) -> None:
        if update.status not in _ANSWERS:
            return
        made_ns = self._made_ns.pop(update.order_id, None)
        if made_ns is None:
            return
        latency_ns = update.ts_ns - made_ns
        for each, _ in self._symbols[update.symbol].sums:
            each.answered += 1
            each.latency_sum_ns += latency_ns
            each.latency_max_ns = max(each.latency_max_ns, latency_ns)

    def _on_fill(self, fill: PaperFillRecord) -> None:
        each = self._symbols[fill.symbol]
        signed = fill.quantity_units if fill.side is Side.BUY else -fill.quantity_units
        paid = signed * fill.price_units * each.unit_value
        # What was closed leaves the cost at its entry value: the fill's value less its profit.
        cost = each.cost + paid + fill.realised_units
        mark = each.mark or fill.price_units
        net = sum(lot.pnl_units - lot.fee_units for lot in fill.lots)
        for one, _ in each.sums:
            one.fills += 1
            if fill.lots:
                one.trades += 1
                one.wins += net > 0
                one.losses += net < 0
        each.revalue(fill.position_units, mark, cost, fill.realised_units, fill.fee_units)

    def _on_payment(self, payment: PaymentRecord) -> None:
        """What time brought or cost counts as profit; interest is of no symbol."""
        if payment.symbol:
            sums = self._symbols[payment.symbol].sums
        else:
            sums = [(self._currencies[payment.currency], 1)]
            of_total = [
                each.sums[2]
                for each in self._symbols.values()
                if len(each.sums) > 2 and each.sums[1][0] is sums[0][0]
            ]
            sums += of_total[:1]
        for one, factor in sums:
            one.move(payment.amount_units * factor, 0, 0, 0, 0)

    # ---- reading ----

    def snapshot(self) -> MetricsSnapshot:
        """All figures as they stand between two updates."""
        with self._lock:
            return MetricsSnapshot(
                self._version,
                tuple(each.sums[0][0].figures() for each in self._symbols.values()),
                tuple(each.figures() for each in self._currencies.values()),
                None if self._total is None else self._total.figures(),
            )
