"""What a session is and how it stands, gathered from its journal record by record.

Nothing is written, and a running session is read as well as a finished one: what is there is
shown, and a following reader takes in each new record as it comes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.core.fixed import format_units
from logos.core.orders import TRANSITIONS
from logos.core.records import (
    AccountRecord,
    BlockedRecord,
    CommandRecord,
    GuardRecord,
    NoteRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PaymentRecord,
    PlotRecord,
    PositionRecord,
    RefusalRecord,
    RiskRecord,
    SwitchRecord,
    WarmUpRecord,
    WarningRecord,
)
from logos.core.types import SwitchState
from logos.journal.entries import Manifest, Sealed, SessionRecord, Stopping, open_journal
from logos.journal.reader import Damaged, TornTail
from logos.session.artifacts.counts import is_stopping
from logos.session.artifacts.folder import is_finished
from logos.session.artifacts.rows import Moments
from logos.session.presence.heartbeat import is_in_use

_LAST_MAX: Final = 10


class Overview:
    """A session as its journal shows it so far; `read` takes in what is new.

    Use as a context manager. Raises OSError when the journal cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "state.jsonl"
        self.manifest: Manifest | None = None
        self.sealed: Sealed | None = None
        self.damage: Damaged | None = None
        self.is_torn = False
        self.counts: Counter[str] = Counter()
        self.open_orders: dict[int, tuple[OrderRecord, OrderUpdate | None]] = {}
        self.positions: dict[str, str] = {}
        self.accounts: dict[str, AccountRecord] = {}
        self.switch_state = SwitchState.SAFE.name
        self.trigger: GuardRecord | SwitchRecord | None = None
        """What first halted the session or engaged the switch."""
        self.tick_id = 0
        self.now_ns = 0
        self._last: deque[tuple[int, SessionRecord]] = deque(maxlen=_LAST_MAX)
        self._moments = Moments()
        self._reader = open_journal(self.journal)

    def __enter__(self) -> Overview:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    @property
    def session_id(self) -> str:
        """Its id, as its manifest has it; before that is read, the name of its folder."""
        return self.folder.name if self.manifest is None else self.manifest.session_id

    @property
    def is_real(self) -> bool:
        """Whether its orders go to a venue."""
        config = {} if self.manifest is None else self.manifest.config
        return bool((config.get("venue") or {}).get("live"))

    @property
    def records(self) -> int:
        """How many whole records have been read."""
        return self._reader.sequence

    def status(self) -> str:
        """RUNNING, the seal's status, or CRASHED: not finished, and no process that writes."""
        if is_in_use(self.journal):
            return "RUNNING"
        is_whole = is_finished(self.folder) and not self.is_torn
        return self.sealed.status if self.sealed is not None and is_whole else "CRASHED"

    def is_cut_back(self) -> bool:
        """Whether the journal has lost records that were read: `logos resume` cut off a stop."""
        return self._reader.is_cut_back()

    def read(self, show: Callable[[str], object] | None = None) -> None:
        """Take in all records that are new; `show` is called with a line of text for each.

        Raises ConfigError for a journal of another schema.
        """
        self.is_torn = False
        try:
            for sequence, *_, record in self._reader.entries():
                self._see(record)
                self._last.append((sequence, record))
                if show is not None:
                    show(self._text(sequence, record))
        except TornTail:
            self.is_torn = True
        except Damaged as damage:
            self.damage = damage

    def _see(self, record: SessionRecord) -> None:
        if isinstance(record, Manifest):
            self.manifest = record
            return
        if isinstance(record, Sealed):
            self.sealed = record
            return
        kind = str(type(record).__struct_config__.tag)
        self.counts[kind] += 1
        if isinstance(record, Stopping):
            return
        self.now_ns = record.ts_ns
        self.tick_id = getattr(record, "tick_id", self.tick_id)
        if isinstance(record, OrderRecord):
            self.open_orders[record.order_id] = (record, None)
        elif isinstance(record, OrderUpdate):
            self._see_update(record)
        elif isinstance(record, PaperFillRecord | PositionRecord):
            self.positions[record.symbol] = format_units(
                record.position_units, record.quantity_decimals
            )
        elif isinstance(record, AccountRecord):
            self.accounts[record.currency] = record
        elif isinstance(record, SwitchRecord):
            self.switch_state = record.state
        if self.trigger is None and isinstance(record, GuardRecord | SwitchRecord):
            self.trigger = record if is_stopping(record) else None

    def _see_update(self, update: OrderUpdate) -> None:
        entry = self.open_orders.pop(update.order_id, None)
        if entry is None or not TRANSITIONS[update.status]:
            return
        order = entry[0]
        if update.quantity_units:
            order = msgspec.structs.replace(order, quantity_units=update.quantity_units)
        self.open_orders[update.order_id] = (order, update)

    # ---- as text and as JSON ----

    def _text(self, sequence: int, record: SessionRecord) -> str:
        kind = str(type(record).__struct_config__.tag)
        ts_ns = getattr(record, "ts_ns", self.now_ns)
        time = self._moments.text(ts_ns) if ts_ns else "-"
        return f"{sequence:>8}  {time:<30}  {kind:<12}  {describe(record)}"

    def last_records(self) -> list[str]:
        """The latest records, a line of text each."""
        return [self._text(sequence, record) for sequence, record in self._last]

    def as_json(self) -> dict[str, Any]:
        """Everything gathered, as plain JSON values."""
        manifest = self.manifest
        return {
            "session_id": self.session_id,
            "folder": str(self.folder),
            "status": self.status(),
            "reason": "" if self.sealed is None else self.sealed.reason,
            "is_torn": self.is_torn,
            "damage": None
            if self.damage is None
            else {
                "sequence": self.damage.sequence,
                "offset": self.damage.offset,
                "reason": self.damage.reason,
            },
            **_identity(manifest),
            "records": self.records,
            "counts": dict(sorted(self.counts.items())),
            "tick_id": self.tick_id,
            "last_event": self._moments.text(self.now_ns) if self.now_ns else "",
            "switch_state": self.switch_state,
            "positions": dict(self.positions),
            "accounts": {name: account_figures(each) for name, each in self.accounts.items()},
            "open_orders": [_order_figures(*each) for each in self.open_orders.values()],
            "last_records": self.last_records(),
        }


def _identity(manifest: Manifest | None) -> dict[str, Any]:
    if manifest is None:
        return {}
    return {
        "uuid": manifest.uuid,
        "software": manifest.software,
        "strategy": manifest.strategy,
        "seed": manifest.seed,
        "config_hash": manifest.config_hash,
        "symbols": list(manifest.config.get("instruments", {})),
    }


def account_figures(account: AccountRecord) -> dict[str, str]:
    """The ledger's figures as decimal text, as of its last sample."""
    money = account.money_decimals
    return {
        "time": Moments().text(account.ts_ns),
        "balance": format_units(account.balance_units, money),
        "realised": format_units(account.realised_units, money),
        "unrealised": format_units(account.unrealised_units, money),
        "fees": format_units(account.fees_units, money),
        **(
            {"payments": format_units(account.payments_units, money)}
            if account.payments_units
            else {}
        ),
        "equity": format_units(account.equity_units, money),
    }


def _order_figures(order: OrderRecord, update: OrderUpdate | None) -> Mapping[str, Any]:
    quantities, prices = order.quantity_decimals, order.price_decimals
    filled = 0 if update is None else update.filled_units
    return {
        "order_id": order.order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "status": "NEW" if update is None else update.status.value,
        "quantity": format_units(order.quantity_units, quantities),
        "filled": format_units(filled, quantities),
        "limit_price": format_units(order.limit_price_units, prices)
        if order.limit_price_units
        else "",
        "stop_price": format_units(order.stop_price_units, prices)
        if order.stop_price_units
        else "",
    }


def describe(record: SessionRecord) -> str:
    """One record in one line, for people."""
    if isinstance(record, OrderRecord | OrderUpdate | PaperFillRecord):
        return _describe_order(record)
    if isinstance(record, RefusalRecord | GuardRecord | BlockedRecord | SwitchRecord):
        return _describe_safety(record)
    if isinstance(record, CommandRecord):
        return f"{record.action} by {record.by}: {record.reason}"
    if isinstance(record, WarningRecord):
        return f"{record.code} {record.symbol} {record.detail}".replace("  ", " ")
    if isinstance(record, WarmUpRecord):
        return f"{record.symbol} warmed up, {record.bars} bars, {record.past_bars} from before"
    if isinstance(record, NoteRecord):
        return f"{record.symbol} {record.text}".lstrip()
    if isinstance(record, RiskRecord):
        used = [each for each in record.guards if each.ratio is not None]
        most = max(used, key=lambda each: each.ratio or 0.0, default=None)
        if most is None:
            return "no limit is watched"
        return f"{most.guard.value} {most.subject} used {most.ratio or 0.0:.1%}".replace("  ", " ")
    if isinstance(record, PlotRecord):
        return f"{record.symbol} {record.name} {record.value}".lstrip()
    if isinstance(record, PositionRecord):
        held = format_units(record.position_units, record.quantity_decimals)
        mark = format_units(record.mark_units, record.price_decimals)
        return f"{record.symbol} {held} at {mark}"
    if isinstance(record, PaymentRecord):
        amount = format_units(record.amount_units, record.money_decimals)
        return f"{record.type} {record.symbol} {amount} {record.currency}".replace("  ", " ")
    if isinstance(record, AccountRecord):
        equity = format_units(record.equity_units, record.money_decimals)
        return f"{record.currency} equity {equity}"
    if isinstance(record, Manifest):
        return (
            f"{record.session_id}: {record.strategy}, seed {record.seed}, logos {record.software}"
        )
    if isinstance(record, Stopping):
        return f"by the operator after tick {record.tick_id}"
    if isinstance(record, Sealed):
        return f"{record.status}: {record.reason}"
    fields = msgspec.structs.asdict(record)
    return " ".join(str(fields[name]) for name in fields if name not in ("ts_ns", "tick_id"))


def _describe_order(record: OrderRecord | OrderUpdate | PaperFillRecord) -> str:
    if isinstance(record, OrderUpdate):
        return f"{record.order_id} {record.symbol} {record.status.value} {record.reason}".rstrip()
    quantity = format_units(record.quantity_units, record.quantity_decimals)
    what = f"{record.order_id} {record.symbol} {record.side.value} {quantity}"
    if isinstance(record, PaperFillRecord):
        return f"{what} at {format_units(record.price_units, record.price_decimals)}"
    prices = [
        f" {name} {format_units(units, record.price_decimals)}"
        for name, units in (("limit", record.limit_price_units), ("stop", record.stop_price_units))
        if units
    ]
    return f"{what} {record.type.value}{''.join(prices)}"


def _describe_safety(record: RefusalRecord | GuardRecord | BlockedRecord | SwitchRecord) -> str:
    if isinstance(record, SwitchRecord):
        return f"{record.state} {record.reason}"
    if isinstance(record, GuardRecord):
        return f"{record.code.value} {record.action} {record.subject} {record.detail}"
    if isinstance(record, BlockedRecord):
        return f"{record.symbol} {record.code.value}"
    return f"{record.symbol} {record.code.value} {record.detail}"
