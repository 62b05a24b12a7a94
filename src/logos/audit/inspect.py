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
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PositionRecord,
    RefusalRecord,
    SwitchRecord,
    WarningRecord,
)
from logos.core.types import SwitchState
from logos.journal.entries import Entry, Manifest, Sealed, Stopping, decode_entry
from logos.journal.reader import Damaged, JournalReader, TornTail
from logos.session.artifacts.folder import is_finished
from logos.session.artifacts.tables import Moments
from logos.session.presence.lock import is_in_use

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
        self.tick_id = 0
        self.now_ns = 0
        self._last: deque[tuple[int, Entry]] = deque(maxlen=_LAST_MAX)
        self._moments = Moments()
        self._reader = JournalReader(self.journal)

    def __enter__(self) -> Overview:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

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
            for line in self._reader.lines():
                entry = decode_entry(self.journal, line)
                self._see(entry)
                self._last.append((line.sequence, entry))
                if show is not None:
                    show(self._text(line.sequence, entry))
        except TornTail:
            self.is_torn = True
        except Damaged as damage:
            self.damage = damage

    def _see(self, entry: Entry) -> None:
        if isinstance(entry, Manifest):
            self.manifest = entry
            return
        if isinstance(entry, Sealed):
            self.sealed = entry
            return
        kind = str(type(entry).__struct_config__.tag)
        self.counts[kind] += 1
        if isinstance(entry, Stopping):
            return
        self.now_ns = entry.ts_ns
        self.tick_id = getattr(entry, "tick_id", self.tick_id)
        if isinstance(entry, OrderRecord):
            self.open_orders[entry.order_id] = (entry, None)
        elif isinstance(entry, OrderUpdate):
            self._see_update(entry)
        elif isinstance(entry, PaperFillRecord | PositionRecord):
            self.positions[entry.symbol] = format_units(
                entry.position_units, entry.quantity_decimals
            )
        elif isinstance(entry, AccountRecord):
            self.accounts[entry.currency] = entry
        elif isinstance(entry, SwitchRecord):
            self.switch_state = entry.state

    def _see_update(self, update: OrderUpdate) -> None:
        order = self.open_orders.pop(update.order_id, None)
        if order is not None and TRANSITIONS[update.status]:
            self.open_orders[update.order_id] = (order[0], update)

    # ---- as text and as JSON ----

    def _text(self, sequence: int, entry: Entry) -> str:
        kind = str(type(entry).__struct_config__.tag)
        ts_ns = getattr(entry, "ts_ns", self.now_ns)
        time = self._moments.text(ts_ns) if ts_ns else "-"
        return f"{sequence:>8}  {time:<30}  {kind:<12}  {describe(entry)}"

    def last_records(self) -> list[str]:
        """The latest records, a line of text each."""
        return [self._text(sequence, entry) for sequence, entry in self._last]

    def as_json(self) -> dict[str, Any]:
        """Everything gathered, as plain JSON values."""
        manifest = self.manifest
        return {
            "session_id": self.folder.name if manifest is None else manifest.session_id,
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


def describe(entry: Entry) -> str:
    """One record in one line, for people."""
    if isinstance(entry, OrderRecord | OrderUpdate | PaperFillRecord):
        return _describe_order(entry)
    if isinstance(entry, RefusalRecord | GuardRecord | BlockedRecord | SwitchRecord):
        return _describe_safety(entry)
    if isinstance(entry, CommandRecord):
        return f"{entry.action} by {entry.by}: {entry.reason}"
    if isinstance(entry, WarningRecord):
        return f"{entry.code} {entry.symbol} {entry.detail}".replace("  ", " ")
    if isinstance(entry, PositionRecord):
        held = format_units(entry.position_units, entry.quantity_decimals)
        mark = format_units(entry.mark_units, entry.price_decimals)
        return f"{entry.symbol} {held} at {mark}"
    if isinstance(entry, AccountRecord):
        equity = format_units(entry.equity_units, entry.money_decimals)
        return f"{entry.currency} equity {equity}"
    if isinstance(entry, Manifest):
        return f"{entry.session_id}: {entry.strategy}, seed {entry.seed}, logos {entry.software}"
    if isinstance(entry, Stopping):
        return f"by the operator after tick {entry.tick_id}"
    if isinstance(entry, Sealed):
        return f"{entry.status}: {entry.reason}"
    fields = msgspec.structs.asdict(entry)
    return " ".join(str(fields[name]) for name in fields if name not in ("ts_ns", "tick_id"))


def _describe_order(entry: OrderRecord | OrderUpdate | PaperFillRecord) -> str:
    if isinstance(entry, OrderUpdate):
        return f"{entry.order_id} {entry.symbol} {entry.status.value} {entry.reason}".rstrip()
    quantity = format_units(entry.quantity_units, entry.quantity_decimals)
    what = f"{entry.order_id} {entry.symbol} {entry.side.value} {quantity}"
    if isinstance(entry, PaperFillRecord):
        return f"{what} at {format_units(entry.price_units, entry.price_decimals)}"
    prices = [
        f" {name} {format_units(units, entry.price_decimals)}"
        for name, units in (("limit", entry.limit_price_units), ("stop", entry.stop_price_units))
        if units
    ]
    return f"{what} {entry.type.value}{''.join(prices)}"


def _describe_safety(entry: RefusalRecord | GuardRecord | BlockedRecord | SwitchRecord) -> str:
    if isinstance(entry, SwitchRecord):
        return f"{entry.state} {entry.reason}"
    if isinstance(entry, GuardRecord):
        return f"{entry.code.value} {entry.action} {entry.subject} {entry.detail}"
    if isinstance(entry, BlockedRecord):
        return f"{entry.symbol} {entry.code.value}"
    return f"{entry.symbol} {entry.code.value} {entry.detail}"
