"""A session's samples against figures that were recomputed from trades.csv alone.

The independent auditor takes in one row of trades.csv for each fill of the journal; at each sample
between two fills its positions, lots, profits, fees and wallets must be those of the journal.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Self, TextIO

from logos.audit.auditor import COLUMNS, Auditor, State, Terms, rows_of
from logos.audit.csv_cells import UnreadableTrades, plain
from logos.audit.findings import Finding
from logos.audit.money.actions import ActionAudit
from logos.audit.money.carried import carry_of, taken_of
from logos.audit.money.fees import FeeAudit
from logos.audit.money.payments import PaymentAudit
from logos.audit.risk import judge_risk, marks_of
from logos.config import BALANCE_DEFAULT, Config
from logos.core.records import (
    AccountRecord,
    CorporateActionRecord,
    PaperFillRecord,
    PaymentRecord,
    PositionRecord,
    RiskRecord,
)
from logos.journal.entries import SessionRecord, read_journal


def _terms(config: Config) -> dict[str, Terms]:
    return {
        symbol: Terms(
            each.base or symbol,
            each.quote,
            Fraction(each.multiplier),
            each.settlement,
            bool(each.allow_negative_prices),
        )
        for symbol, each in config.instruments.items()
    }


def make_auditor(config: Config) -> Auditor:
    """An auditor of the session that `config` describes, before its first fill."""
    terms = _terms(config)
    quotes = dict.fromkeys(each.quote for each in config.instruments.values())
    balances = config.account.balances or dict.fromkeys(quotes, BALANCE_DEFAULT)
    auditor = Auditor(terms, {asset: Fraction(amount) for asset, amount in balances.items()})
    carry = carry_of(config)
    if carry is not None:
        auditor.take_over(taken_of(carry))
    return auditor


class SampleAudit:
    """Goes through a journal and a trades.csv side by side: `run`, or `see` with each record of the
    journal and then `close`.

    `fills` and `samples` count what was compared, `findings` is what was found.
    """

    def __init__(self, config: Config, trades: Path) -> None:
        self._auditor = make_auditor(config)
        self._fees = FeeAudit(config, _terms(config))
        self._actions = ActionAudit(config, self._auditor)
        self._payments = PaymentAudit(config, self._auditor)
        self._trades = trades
        self._file: TextIO | None = None
        self._rows: Iterator[list[str]] = iter(())
        self._is_readable = True
        self._marks: dict[str, Fraction] = {}
        self._waiting: list[tuple[int, PositionRecord]] = []
        self._state: State | None = None
        self._tracks: dict[str, tuple[Fraction, Fraction]] = {}
        """By currency, the high-water mark and the deepest fall of the sample before."""
        self.fills = 0
        self.samples = 0
        self.findings: list[Finding] = []
        self._takers: dict[type, Callable[[int, Any], None]] = {
            PaymentRecord: self._see_payment,
            PaperFillRecord: self._see_fill,
            CorporateActionRecord: self._see_action,
            PositionRecord: self._see_position,
            AccountRecord: self._check_account,
            RiskRecord: self._see_risk,
        }

    def run(self, journal: Path, records: int) -> None:
        """Compare the first `records` records of `journal`. Raises OSError."""
        with self:
            for entry in read_journal(journal):
                self.see(entry.sequence, entry.record)
                if entry.sequence == records or not self._is_readable:
                    break
            self.close()

    def __enter__(self) -> Self:
        """Open the table. Raises OSError."""
        self._file = open(self._trades, encoding="utf-8", newline="")
        try:
            head, self._rows = rows_of(self._file)
            if head != COLUMNS:
                raise UnreadableTrades(f"the head is not {','.join(COLUMNS)}")
        except (UnreadableTrades, csv.Error, UnicodeDecodeError) as error:
            self._end_reading(error)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def see(self, sequence: int, record: SessionRecord) -> None:
        """Take in the record with this number; nothing behind a row that has no reading."""
        take = self._takers.get(type(record))
        if take is None or not self._is_readable:
            return
        try:
            take(sequence, record)
        except (UnreadableTrades, csv.Error, UnicodeDecodeError) as error:
            self._end_reading(error)

    def close(self) -> None:
        """There are no more records."""
        if not self._is_readable:
            return
        try:
            self._end_sample()
            if next(self._rows, None) is not None:
                message = "more rows than the journal has fills"
                self.findings.append(Finding("trades.csv", f"line {self.fills + 2}", message))
        except (UnreadableTrades, csv.Error, UnicodeDecodeError) as error:
            self._end_reading(error)

    def _end_reading(self, error: Exception) -> None:
        self._is_readable = False
        line = self._auditor.report.rows + 1
        self.findings.append(Finding("trades.csv", f"near line {line}", str(error)))

    def _see_payment(self, sequence: int, record: PaymentRecord) -> None:
        self._end_sample()
        self._say(sequence, self._payments.judge(record))

    def _see_fill(self, sequence: int, record: PaperFillRecord) -> None:
        self._end_sample()
        self._say(sequence, self._payments.pass_time(record.ts_ns))
        self._apply_fill(sequence)

    def _see_action(self, sequence: int, record: CorporateActionRecord) -> None:
        self._end_sample()
        self._say(sequence, self._payments.pass_time(record.ts_ns))
        for what, said, mine in self._actions.apply(record):
            told = f"corporate action in {record.symbol}: {what}"
            self._differ(sequence, told, said, f"worked out again {mine!r}")

    def _see_position(self, sequence: int, record: PositionRecord) -> None:
        if self._state is not None:
            self._end_sample()
        if self._payments.is_used and not self._waiting:
            self._say(sequence, self._payments.pass_time(record.ts_ns))
        self._marks[record.symbol] = _amount(record.mark_units, record.price_decimals)
        self._waiting.append((sequence, record))

    def _see_risk(self, sequence: int, record: RiskRecord) -> None:
        self._end_sample()
        if self._payments.is_used:
            self._say(sequence, self._payments.pass_time(record.ts_ns))
        self._marks |= marks_of(record)
        self._say(sequence, judge_risk(record, self._auditor.state(self._marks)))
        self.samples += 1

    def _say(self, sequence: int, problems: list[str]) -> None:
        for words in problems:
            self.findings.append(Finding("state.jsonl", f"record {sequence}", words))

    def _apply_fill(self, sequence: int) -> None:
        row = next(self._rows, None)
        if row is None:
            raise UnreadableTrades(f"no row is left for the fill of record {sequence}")
        self.fills += 1
        for each in self._auditor.apply_cells(row):
            self.findings.append(
                Finding(
                    "trades.csv",
                    f"line {each.row + 1}, column {each.column}",
                    f"is {each.printed!r}, and recomputed from the fills {each.recomputed!r}",
                )
            )
        differs = self._fees.judge(row)
        if differs is not None:
            said, due = differs
            message = f"is {said!r}, and by the fees of the settings {due!r}"
            place = f"line {self.fills + 1}, column fee"
            self.findings.append(Finding("trades.csv", place, message))

    # ---- samples: the positions of all symbols, then the accounts of all currencies ----

    def _end_sample(self) -> None:
        """Check the positions that wait; what comes next is about another moment."""
        if self._waiting:
            self._judged()
        self._state = None

    def _judged(self) -> State:
        """The auditor's figures at this sample; the positions are checked when they are made."""
        if self._state is not None:
            return self._state
        self._state = self._auditor.state(self._marks)
        for sequence, position in self._waiting:
            self._check_position(sequence, position, self._state)
        self._waiting.clear()
        return self._state

    def _check_position(self, sequence: int, record: PositionRecord, state: State) -> None:
        self.samples += 1
        mine = state.symbols.get(record.symbol)
        if mine is None:
            self._differ(sequence, "position", record.symbol, "not among the instruments")
            return
        quantities, money = record.quantity_decimals, record.money_decimals
        figures: Mapping[str, tuple[Fraction, Fraction | None]] = {
            "position": (_amount(record.position_units, quantities), mine.position),
            "cost": (_amount(record.cost_units, money), mine.cost),
            "realised": (_amount(record.realised_units, money), mine.realised),
            "unrealised": (_amount(record.unrealised_units, money), mine.unrealised),
            "fees": (_amount(record.fees_units, money), mine.fees),
            "open_lots": (Fraction(record.open_lots), Fraction(mine.open_lots)),
        }
        self._compare(sequence, f"position of {record.symbol}", figures)

    def _check_account(self, sequence: int, record: AccountRecord) -> None:
        self.samples += 1
        mine = self._judged().currencies.get(record.currency)
        if mine is None:
            self._differ(sequence, "account", record.currency, "no symbol is quoted in it")
            return
        money = record.money_decimals
        figures: Mapping[str, tuple[Fraction, Fraction | None]] = {
            "balance": (_amount(record.balance_units, money), mine.wallet),
            "initial": (_amount(record.initial_units, money), mine.initial),
            "realised": (_amount(record.realised_units, money), mine.realised),
            "fees": (_amount(record.fees_units, money), mine.fees),
            "unrealised": (_amount(record.unrealised_units, money), mine.unrealised),
            "equity": (_amount(record.equity_units, money), mine.equity),
            "payments": (_amount(record.payments_units, money), mine.payments),
        }
        self._compare(sequence, f"account of {record.currency}", figures)
        self._check_track(sequence, record)

    def _check_track(self, sequence: int, record: AccountRecord) -> None:
        """What follows from the samples alone: prices between them may have been further out."""
        what = f"account of {record.currency}"
        money = record.money_decimals
        high = _amount(record.high_water_units, money)
        fall = _amount(record.max_drawdown_units, money)
        equity = _amount(record.equity_units, money)
        high_before, fall_before = self._tracks.get(record.currency, (equity, Fraction(0)))
        least_high, least_fall = max(high_before, equity), max(fall_before, high - equity)
        if high < least_high:
            known = f"it was {plain(least_high)!r} by now"
            self._differ(sequence, f"{what}: high_water", plain(high), known)
        if fall < least_fall:
            known = f"equity had fallen by {plain(least_fall)!r} by now"
            self._differ(sequence, f"{what}: max_drawdown", plain(fall), known)
        if record.locked_units < 0:
            locked = plain(_amount(record.locked_units, money))
            self._differ(sequence, f"{what}: locked", locked, "nothing can lock less than nothing")
        self._tracks[record.currency] = (high, fall)

    def _compare(
        self, sequence: int, what: str, figures: Mapping[str, tuple[Fraction, Fraction | None]]
    ) -> None:
        for name, (said, mine) in figures.items():
            if said != mine:
                recomputed = "unknown" if mine is None else plain(mine)
                self._differ(
                    sequence,
                    f"{what}: {name}",
                    plain(said),
                    f"recomputed from trades.csv {recomputed!r}",
                )

    def _differ(self, sequence: int, what: str, said: str, mine: str) -> None:
        message = f"{what} is {said!r}, and {mine}"
        self.findings.append(Finding("state.jsonl", f"record {sequence}", message))

    def state(self) -> State:
        """The auditor's books after the records so far."""
        return self._auditor.state()

    # ---- the snapshot ----

    def check_snapshot(self, snapshot: Mapping[str, Any]) -> None:
        """Compare the wallets, positions and lots of state.json with the auditor's."""
        state = self._auditor.state()
        said_wallets = _amounts(snapshot.get("wallets"))
        for asset in {**said_wallets, **state.wallets}:
            mine = state.wallets.get(asset, Fraction(0))
            self._compare_text(f"wallets.{asset}", said_wallets.get(asset, "0"), mine)
        positions = snapshot.get("positions")
        said = positions if isinstance(positions, dict) else {}
        for symbol, books in state.symbols.items():
            there = said.get(symbol)
            entry = there if isinstance(there, dict) else {}
            place = f"positions.{symbol}"
            position = str(entry.get("position", "missing"))
            self._compare_text(f"{place}.position", position, books.position)
            lots = entry.get("lots")
            count = str(len(lots)) if isinstance(lots, list) else "missing"
            self._compare_text(f"{place}: open lots", count, Fraction(books.open_lots))

    def _compare_text(self, place: str, said: str, mine: Fraction) -> None:
        try:
            is_same = Fraction(said) == mine
        except (ValueError, ZeroDivisionError):
            is_same = False
        if not is_same:
            message = f"is {said!r}, and recomputed from trades.csv {plain(mine)!r}"
            self.findings.append(Finding("state.json", place, message))


def _amount(units: int, decimals: int) -> Fraction:
    """Units as an amount, whatever decimals a journal that was tampered with may say."""
    return units / Fraction(10) ** decimals


def _amounts(value: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}
