"""Records of the risk against figures that were recomputed from trades.csv alone.

What a fill, a payment or a mark makes of the money is recomputed by the auditor; exposure and
drawdown must follow from the record's own figures. What prices between two samples made (the
high-water mark, the day's beginning), open orders and the used part of a guard are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from logos.audit.auditor import State
from logos.audit.csv_cells import plain
from logos.core.guards.uses import CurrencyRisk, SymbolRisk
from logos.core.records import RiskRecord

Figures = Mapping[str, tuple[Fraction, Fraction | None]]
"""What is said and what it must be (None: not known), by name."""


def marks_of(record: RiskRecord) -> dict[str, Fraction]:
    """The marks that the record tells of, by symbol."""
    return {each.symbol: _amount(each.mark_units, each.mark_decimals) for each in record.symbols}


def judge_risk(record: RiskRecord, state: State) -> list[str]:
    """What does not add up, in words; `state` has the auditor's figures at the record's marks."""
    found: list[str] = []
    for symbol in record.symbols:
        found += _differences(f"risk of {symbol.symbol}", _of_symbol(symbol, state))
    for money in record.currencies:
        found += _differences(f"risk of {money.currency}", _of_currency(money, record, state))
    return found


def _of_symbol(said: SymbolRisk, state: State) -> Figures:
    mine = state.symbols.get(said.symbol)
    money = said.money_decimals
    return {
        "position": (
            _amount(said.position_units, said.quantity_decimals),
            None if mine is None else mine.position,
        ),
        "realised": (_amount(said.realised_units, money), None if mine is None else mine.realised),
        "unrealised": (
            _amount(said.unrealised_units, money),
            None if mine is None else mine.unrealised,
        ),
        "fees": (_amount(said.fees_units, money), None if mine is None else mine.fees),
    }


def _of_currency(said: CurrencyRisk, record: RiskRecord, state: State) -> Figures:
    mine = state.currencies.get(said.currency)
    values = [each.value_units for each in record.symbols if each.currency == said.currency]
    figures: dict[str, tuple[int, Fraction | None]] = {
        "initial": (said.initial_units, None if mine is None else mine.initial),
        "realised": (said.realised_units, None if mine is None else mine.realised),
        "fees": (said.fees_units, None if mine is None else mine.fees),
        "unrealised": (said.unrealised_units, None if mine is None else mine.unrealised),
        "payments": (said.payments_units, None if mine is None else mine.payments),
        "equity": (said.equity_units, None if mine is None else mine.equity),
    }
    decimals = said.money_decimals
    follows = {
        "gross_exposure": (said.gross_exposure_units, sum(map(abs, values))),
        "net_exposure": (said.net_exposure_units, sum(values)),
        "drawdown": (said.drawdown_units, said.high_water_units - said.equity_units),
    }
    return {
        **{name: (_amount(units, decimals), own) for name, (units, own) in figures.items()},
        **{name: (_amount(a, decimals), _amount(b, decimals)) for name, (a, b) in follows.items()},
    }


def _differences(what: str, figures: Figures) -> Iterator[str]:
    for name, (said, mine) in figures.items():
        if said != mine:
            must = "unknown" if mine is None else plain(mine)
            yield f"{what}: {name} is {plain(said)!r}, and recomputed {must!r}"


def _amount(units: int, decimals: int) -> Fraction:
    return units / Fraction(10) ** decimals
