"""A session's samples against figures that were recomputed from trades.csv alone.

The independent auditor takes in one row of trades.csv for each fill of the journal; at each sample
between two fills its positions, lots, profits, fees and wallets must be those of the journal.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from logos.audit.auditor import COLUMNS, Auditor, State, Terms
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
from logos.journal.entries import read_journal


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
    """Goes through a journal and a trades.csv side by side.

    `fills` and `samples` count what was compared, `findings` is what was found.
    """

    def __init__(self, config: Config, trades: Path) -> None:
        self._auditor = make_auditor(config)
        self._fees = FeeAudit(config, _terms(config))
        self._actions = ActionAudit(config, self._auditor)
        self._payments = PaymentAudit(config, self._auditor)
        self._trades = trades
        self._rows: Iterator[dict[str, str]] = iter(())
        self._marks: dict[str, Fraction] = {}
        self._waiting: list[tuple[int, PositionRecord]] = []
        self._state: State | None = None
        self._tracks: dict[str, tuple[Fraction, Fraction]] = {}
        """By currency, the high-water mark and the deepest fall of the sample before."""
        self.fills = 0
        self.samples = 0
        self.findings: list[Finding] = []

    def run(self, journal: Path, records: int) -> None:
        """Compare the first `records` records of `journal`. Raises OSError."""
        with ExitStack() as stack:
            file = stack.enter_context(open(self._trades, encoding="utf-8", newline=""))
            try:
                self._run(journal, records, csv.DictReader(file, strict=True))
            except (UnreadableTrades, csv.Error, UnicodeDecodeError) as error:
                line = self._auditor.report.rows + 1
                self.findings.append(Finding("trades.csv", f"near line {line}", str(error)))

    def _run(self, journal: Path, records: int, rows: csv.DictReader[str]) -> None:
        if rows.fieldnames != COLUMNS:
            raise UnreadableTrades(f"the head is not {','.join(COLUMNS)}")
        self._rows = rows
        for entry in read_journal(journal):
            record = entry.record
            if isinstance(record, PaymentRecord):
                self._end_sample()
                self._say(entry.sequence, self._payments.judge(record))
            elif isinstance(record, PaperFillRecord):
                self._end_sample()
                self._say(entry.sequence, self._payments.pass_time(record.ts_ns))
                self._apply_fill(entry.sequence)
            elif isinstance(record, CorporateActionRecord):
                self._end_sample()
                self._say(entry.sequence, self._payments.pass_time(record.ts_ns))
                for what, said, mine in self._actions.apply(record):
                    told = f"corporate action in {record.symbol}: {what}"
                    self._differ(entry.sequence, told, said, f"worked out again {mine!r}")
            elif isinstance(record, PositionRecord):
                if self._state is not None:
                    self._end_sample()
                if self._payments.is_used and not self._waiting:
                    self._say(entry.sequence, self._payments.pass_time(record.ts_ns))
                self._marks[record.symbol] = _amount(record.mark_units, record.price_decimals)
                self._waiting.append((entry.sequence, record))
            elif isinstance(record, AccountRecord):
                self._check_account(entry.sequence, record)
            elif isinstance(record, RiskRecord):
                self._end_sample()
                if self._payments.is_used:
                    self._say(entry.sequence, self._payments.pass_time(record.ts_ns))
                self._marks |= marks_of(record)
                self._say(entry.sequence, judge_risk(record, self._auditor.state(self._marks)))
                self.samples += 1
            if entry.sequence == records:
                break
        self._end_sample()
        if next(self._rows, None) is not None:
            message = "more rows than the journal has fills"
            self.findings.append(Finding("trades.csv", f"line {self.fills + 2}", message))

    def _say(self, sequence: int, problems: list[str]) -> None:
        for words in problems:
            self.findings.append(Finding("state.jsonl", f"record {sequence}", words))

    def _apply_fill(self, sequence: int) -> None:
        row = next(self._rows, None)
        if row is None:
            raise UnreadableTrades(f"no row is left for the fill of record {sequence}")
        self.fills += 1
        for each in self._auditor.apply(row):
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
