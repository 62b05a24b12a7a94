"""What a rehearsal expects, and how it is judged: from the journal alone.

Each expectation is one small check with its own limits, written in a scenario as
`{ check = "sealed", status = "HALTED" }`. It looks at the verified journal; only `outcome`,
`sessions` and `switch_history` look elsewhere (exit code, folders, the switch's own history), for
the incidents that leave no journal. "The injection" is the last one of the scenario: the tick at
which it happened is known to the feed that made it.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Final

from logos.core import records
from logos.core.guards.table import GUARDS
from logos.core.types import OrderStatus, Side
from logos.rehearsal.evidence import Evidence
from logos.rehearsal.finding import Check, Finding

_SIGN: Final = {Side.BUY: 1, Side.SELL: -1}
_LEFT_UNFILLED: Final = (OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED)


def _codes(refusal: records.RefusalRecord) -> list[str]:
    """The code of a refusal, and of every other guard that tripped on it."""
    return [code.value for code in (refusal.code, *refusal.also)]


class Intact(Check, tag_field="check", tag="journal_intact", frozen=True, kw_only=True):
    """Every line follows from those before it. `torn`: the last may be cut off, by a crash."""

    torn: bool = False

    def judge(self, evidence: Evidence) -> Finding:
        journal = evidence.journal
        words = f"{len(journal.records)} records chained"
        if journal.problem:
            return Finding(False, f"{words}, then {journal.problem}")
        words += ", and a torn last line" if journal.is_torn else ""
        return Finding(self.torn or not journal.is_torn, words)


class Sealed(Check, tag_field="check", tag="sealed", frozen=True, kw_only=True):
    """The journal was closed with one of these statuses, for a reason that holds these words."""

    status: str | list[str]
    reason: str = ""

    def judge(self, evidence: Evidence) -> Finding:
        seal = evidence.journal.seal
        if seal is None:
            return Finding(False, "not sealed")
        wanted = [self.status] if isinstance(self.status, str) else self.status
        holds = seal.status in wanted and self.reason in seal.reason
        return Finding(holds, f"sealed {seal.status}: {seal.reason}")


class Unsealed(Check, tag_field="check", tag="unsealed", frozen=True, kw_only=True):
    """The journal does not claim to be whole."""

    def judge(self, evidence: Evidence) -> Finding:
        seal = evidence.journal.seal
        return Finding(seal is None, "not sealed" if seal is None else "sealed")


class SwitchSeen(Check, tag_field="check", tag="switch_seen", frozen=True, kw_only=True):
    """The session saw the switch in this state; `at_injection`: by that very tick."""

    state: str
    at_injection: bool = False

    def judge(self, evidence: Evidence) -> Finding:
        for seen in evidence.journal.of(records.SwitchRecord):
            if seen.state == self.state:
                # A command stands between two ticks and bears the number of the one before.
                on_time = evidence.tick - 1 <= seen.tick_id <= evidence.tick
                words = f"{self.state} at tick {seen.tick_id}: {seen.reason}"
                return Finding(on_time or not self.at_injection, words)
        return Finding(False, f"never seen {self.state}")


class OrdersAfterBlock(
    Check, tag_field="check", tag="orders_after_block", frozen=True, kw_only=True
):
    """No order was made once the session had seen ENGAGED; and nothing was filled either."""

    def judge(self, evidence: Evidence) -> Finding:
        later = evidence.journal.after(records.SwitchRecord, state="ENGAGED")
        if later is None:
            return Finding(False, "the switch was never seen ENGAGED")
        orders = sum(isinstance(record, records.OrderRecord) for record in later)
        fills = sum(isinstance(record, records.PaperFillRecord) for record in later)
        return Finding(orders == fills == 0, f"{orders} orders, {fills} fills after it")


class OrdersFromInjection(
    Check, tag_field="check", tag="orders_from_injection", frozen=True, kw_only=True
):
    """How many orders were made at the injection's tick or later."""

    at_most: int

    def judge(self, evidence: Evidence) -> Finding:
        orders = [o for o in evidence.journal.of(records.OrderRecord) if o.tick_id >= evidence.tick]
        words = f"{len(orders)} orders from tick {evidence.tick} on"
        return Finding(evidence.tick > 0 and len(orders) <= self.at_most, words)


class Blocked(Check, tag_field="check", tag="blocked", frozen=True, kw_only=True):
    """Ticks that gate 1 kept from the strategy: at least so many; `to_the_end`: all that came."""

    at_least: int = 1
    to_the_end: bool = False

    def judge(self, evidence: Evidence) -> Finding:
        ticks = [blocked.tick_id for blocked in evidence.journal.of(records.BlockedRecord)]
        if not ticks:
            return Finding(False, "no tick was blocked")
        all_of_them = list(range(evidence.tick, evidence.ticks_delivered + 1))
        holds = len(ticks) >= self.at_least and (not self.to_the_end or ticks == all_of_them)
        return Finding(holds, f"{len(ticks)} ticks blocked, {ticks[0]} to {ticks[-1]}")


class Refused(Check, tag_field="check", tag="refused", frozen=True, kw_only=True):
    """Intents were refused with this code (empty: any) at the injection; `or_later`: or after."""

    code: str = ""
    at_least: int = 1
    or_later: bool = False

    def judge(self, evidence: Evidence) -> Finding:
        tick = evidence.tick
        later = [
            refusal
            for refusal in evidence.journal.of(records.RefusalRecord)
            if refusal.tick_id == tick or (self.or_later and refusal.tick_id > tick)
        ]
        codes = [_codes(refusal) for refusal in later]
        count = sum(not self.code or self.code in each for each in codes)
        others = Counter(first for first, *_ in codes)
        words = f"{count} refused{self.code and ' with '}{self.code}"
        if not self.code or not count:
            words += "; " + (", ".join(f"{n} {code}" for code, n in others.items()) or "none other")
        return Finding(count >= self.at_least, words)


class Tripped(Check, tag_field="check", tag="tripped", frozen=True, kw_only=True):
    """Each of these guards refused an order or acted, at the injection or later."""

    codes: list[str]

    def judge(self, evidence: Evidence) -> Finding:
        first: dict[str, int] = {}
        for record in evidence.journal.records:
            if isinstance(record, records.RefusalRecord):
                named = _codes(record)
            elif isinstance(record, records.GuardRecord):
                named = [record.code.value]
            else:
                continue
            if record.tick_id >= evidence.tick > 0:
                for code in named:
                    first.setdefault(code, record.tick_id)
        seen = [
            f"{code} at tick {first[code]}" if code in first else f"{code} never"
            for code in self.codes
        ]
        return Finding(set(self.codes) <= first.keys(), ", ".join(seen))


class GuardsTogether(Check, tag_field="check", tag="guards_together", frozen=True, kw_only=True):
    """One refusal at the injection names all of these guards, and they stand in the fixed order."""

    codes: list[str]

    def judge(self, evidence: Evidence) -> Finding:
        order = {code.value: place for place, code in enumerate(GUARDS)}
        seen = "no refusal names them together"
        for refusal in evidence.journal.of(records.RefusalRecord):
            named = _codes(refusal)
            if refusal.tick_id != evidence.tick or not set(self.codes) <= set(named):
                continue
            places = [order[code] for code in named if code in order]
            if places == sorted(places):
                return Finding(True, f"tick {refusal.tick_id}: {', '.join(named)}")
            seen = f"tick {refusal.tick_id}: out of order: {', '.join(named)}"
        return Finding(False, seen)


class Guard(Check, tag_field="check", tag="guard", frozen=True, kw_only=True):
    """A guard that watches every tick acted."""

    code: str
    action: str

    def judge(self, evidence: Evidence) -> Finding:
        found = [g for g in evidence.journal.of(records.GuardRecord) if g.code.value == self.code]
        words = ", ".join(f"{g.code.value} {g.action} at tick {g.tick_id}" for g in found[:3])
        holds = any(g.action == self.action and g.tick_id >= evidence.tick > 0 for g in found)
        return Finding(holds, words or f"no record of {self.code}")


class Warned(Check, tag_field="check", tag="warned", frozen=True, kw_only=True):
    """A warning of this code stands in the journal."""

    code: str

    def judge(self, evidence: Evidence) -> Finding:
        found = [w for w in evidence.journal.of(records.WarningRecord) if w.code == self.code]
        words = f"{self.code} at tick {found[0].tick_id}" if found else f"no {self.code}"
        return Finding(bool(found), words)


class EveryOrderEnded(Check, tag_field="check", tag="every_order_ended", frozen=True, kw_only=True):
    """No order is open at the end. `by`: at least one ended for this reason."""

    by: str = ""

    def judge(self, evidence: Evidence) -> Finding:
        journal = evidence.journal
        still_open = journal.open_orders()
        words = f"{len(journal.of(records.OrderRecord))} orders, {len(still_open)} left open"
        if self.by:
            count = sum(update.reason == self.by for update in journal.of(records.OrderUpdate))
            return Finding(not still_open and count > 0, f"{words}, {count} ended by {self.by}")
        return Finding(not still_open, words)


class NoFills(Check, tag_field="check", tag="no_fills_at_injection", frozen=True, kw_only=True):
    """Nothing was filled at the injection's tick."""

    def judge(self, evidence: Evidence) -> Finding:
        fills = [
            f for f in evidence.journal.of(records.PaperFillRecord) if f.tick_id == evidence.tick
        ]
        return Finding(evidence.tick > 0 and not fills, f"{len(fills)} at tick {evidence.tick}")


class Equity(Check, tag_field="check", tag="equity_identity", frozen=True, kw_only=True):
    """In every sample equity = initial + realised - fees + unrealised (+ payments); fills add up
    to the last."""

    def judge(self, evidence: Evidence) -> Finding:
        samples = evidence.journal.of(records.AccountRecord)
        last: dict[str, records.AccountRecord] = {}
        for sample in samples:
            total = sample.initial_units + sample.realised_units - sample.fees_units
            total += sample.payments_units
            if sample.equity_units != total + sample.unrealised_units:
                return Finding(False, f"not so for {sample.currency} at {sample.ts_ns} ns")
            last[sample.currency] = sample
        sums: Counter[tuple[str, str]] = Counter()
        for fill in evidence.journal.of(records.PaperFillRecord):
            sums[fill.currency, "fees_units"] += fill.fee_units
            sums[fill.currency, "realised_units"] += fill.realised_units
        for currency, sample in last.items():
            for name in ("fees_units", "realised_units"):
                if getattr(sample, name) != sums[currency, name]:
                    return Finding(False, f"{currency}: the fills' {name} are not the ledger's")
        return Finding(bool(samples), f"exact in {len(samples)} samples")


class OrderRate(Check, tag_field="check", tag="order_rate", frozen=True, kw_only=True):
    """No window of `window_s` seconds of event time holds more than `at_most` orders."""

    at_most: int
    window_s: Decimal

    def judge(self, evidence: Evidence) -> Finding:
        times = [order.ts_ns for order in evidence.journal.of(records.OrderRecord)]
        window_ns = int(self.window_s * 10**9)
        first = most = 0
        for last, ts_ns in enumerate(times):
            while ts_ns - times[first] >= window_ns:
                first += 1
            most = max(most, last - first + 1)
        return Finding(most <= self.at_most, f"at most {most} orders in {self.window_s} s")


class NoDuplicates(Check, tag_field="check", tag="no_duplicates", frozen=True, kw_only=True):
    """No two equal orders within `window_s` seconds of event time."""

    window_s: Decimal

    def judge(self, evidence: Evidence) -> Finding:
        made: dict[tuple[object, ...], int] = {}
        shown = ("symbol", "side", "type", "quantity_units", "time_in_force")
        names = (*shown, "limit_price_units", "stop_price_units")
        for order in evidence.journal.of(records.OrderRecord):
            shape = tuple(getattr(order, name) for name in names)
            before_ns = made.get(shape)
            if before_ns is not None and order.ts_ns - before_ns < self.window_s * 10**9:
                return Finding(False, f"order {order.order_id} repeats one within the window")
            made[shape] = order.ts_ns
        return Finding(
            True, f"{len(made)} different orders, none repeated within {self.window_s} s"
        )


class OnlyReducing(Check, tag_field="check", tag="only_reducing_after", frozen=True, kw_only=True):
    """After REDUCE_ONLY was seen every order could only shrink its symbol's position."""

    def judge(self, evidence: Evidence) -> Finding:
        position: Counter[str] = Counter()
        open_quantity: dict[int, tuple[str, int]] = {}
        reducing = False
        orders = 0
        for record in evidence.journal.records:
            if isinstance(record, records.SwitchRecord):
                reducing = reducing or record.state == "REDUCE_ONLY"
            elif isinstance(record, records.OrderRecord):
                signed = record.quantity_units * _SIGN[record.side]
                symbol = record.symbol
                ahead = sum(
                    left for name, left in open_quantity.values()
                    if name == symbol and (left > 0) == (signed > 0)
                )  # fmt: skip
                held = position[symbol]
                if reducing and not (held * signed < 0 and abs(signed + ahead) <= abs(held)):
                    return Finding(False, f"order {record.order_id} could grow {symbol}")
                orders += reducing
                open_quantity[record.order_id] = (symbol, signed)
            elif isinstance(record, records.PaperFillRecord):
                signed = record.quantity_units * _SIGN[record.side]
                position[record.symbol] = record.position_units
                symbol, left = open_quantity[record.order_id]
                open_quantity[record.order_id] = (symbol, left - signed)
            elif isinstance(record, records.OrderUpdate) and record.status in _LEFT_UNFILLED:
                open_quantity.pop(record.order_id, None)
        return Finding(reducing, f"{orders} orders after it, none that could grow a position")


class Outcome(Check, tag_field="check", tag="outcome", frozen=True, kw_only=True):
    """The exit code the process would have ended with, and words of its message."""

    exit_code: int
    says: str = ""

    def judge(self, evidence: Evidence) -> Finding:
        holds = evidence.exit_code == self.exit_code and self.says in evidence.error
        return Finding(holds, f"exit code {evidence.exit_code} {evidence.error}".strip())


class Sessions(Check, tag_field="check", tag="sessions", frozen=True, kw_only=True):
    """How many session folders there are."""

    equals: int

    def judge(self, evidence: Evidence) -> Finding:
        return Finding(evidence.sessions == self.equals, f"{evidence.sessions} session folders")


class SwitchHistory(Check, tag_field="check", tag="switch_history", frozen=True, kw_only=True):
    """The last state in the switch's own history."""

    last: str

    def judge(self, evidence: Evidence) -> Finding:
        states = list(evidence.switch_history)
        return Finding(states[-1:] == [self.last], " -> ".join(states) or "no history")


Expectation = (
    Intact
    | Sealed
    | Unsealed
    | SwitchSeen
    | OrdersAfterBlock
    | OrdersFromInjection
    | Blocked
    | Refused
    | Tripped
    | GuardsTogether
    | Guard
    | Warned
    | EveryOrderEnded
    | NoFills
    | Equity
    | OrderRate
    | NoDuplicates
    | OnlyReducing
    | Outcome
    | Sessions
    | SwitchHistory
)
