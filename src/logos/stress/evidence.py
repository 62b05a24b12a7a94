"""What a stress run left behind, read as evidence: the runner's own word counts for nothing.

Ours: the session's journal and tables, and the gateway's log. Theirs: the simulator's audit, which
is a broker's memory. And the history of the run's kill switch. Figures are exact decimals.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from logos.adapters.mt5.tickets.legs import ORDER_COMMENT_MAX, order_comment
from logos.core.fixed import decimals_of
from logos.journal.entries import JOURNAL, SessionRecord, read_journal
from logos.stress.files import REPORT, hashes_of, read_list
from logos.stress.plan import SESSION_ID, StressPlan
from logos.venues.ids import ClientIds, IdRule

HOME: Final = "home"
AUDIT: Final = "simulator.jsonl"
PLAN: Final = "stress.json"

Record = dict[str, Any]

Kind = TypeVar("Kind", bound=SessionRecord)


_CLOSE: Final = "POSITION_PARTIAL"
"""The request that closes a position, or a part of it, by its ticket."""


class OurOrder(NamedTuple):
    """A row of orders.csv."""

    client_id: str
    comment: str
    """Its id as the terminal has it."""
    symbol: str
    side: str
    type: str
    quantity: Decimal
    filled: Decimal
    status: str
    reason: str


class Fill(NamedTuple):
    """A fill of ours, or a deal of theirs; `comment` says of which order."""

    comment: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal


class Evidence:
    """Everything that a judge looks at. Raises OSError, ValueError or KeyError for what is
    missing or cannot be read."""

    def __init__(self, folder: Path) -> None:
        home = folder / HOME
        self.session = home / "runs" / "live" / "sessions" / SESSION_ID
        self.config: Mapping[str, Any] = msgspec.json.decode(
            (self.session / "config.json").read_bytes()
        )
        logs = home / "logos" / "logs"
        self.gateway = _lines(logs / f"{SESSION_ID}.gateway.jsonl")
        self.audit = _lines(folder / AUDIT)
        tickets = logs / f"{SESSION_ID}.tickets.jsonl"
        self.tickets = _lines(tickets) if tickets.exists() else []
        """The session's record of its requests at a hedging account."""
        self.switch = [
            each["body"] for each in _lines(home / "state" / "kill-switch" / "history.jsonl")
        ]
        self.plan = msgspec.json.decode((folder / PLAN).read_bytes(), type=StressPlan)
        self.texts = _texts(folder)
        """Every file's text, but for the judge's own report."""
        self.listed = read_list(folder)
        self.hashes = hashes_of(folder)
        self.errors = "".join(text for name, text in self.texts.items() if name.endswith(".err"))
        self.journal = [entry.record for entry in read_journal(self.session / JOURNAL)]
        ids = ClientIds(IdRule(ORDER_COMMENT_MAX, takes_punctuation=True), SESSION_ID)
        self.orders = {each.comment: each for each in self._our_orders(ids)}
        self.trades = _table(self.session / "trades.csv")
        self.fills = [
            Fill(
                ids.to_venue(row["client_order_id"]),
                row["symbol"],
                row["side"],
                Decimal(row["quantity"]),
                Decimal(row["price"]),
                Decimal(row["fee"]),
            )
            for row in self.trades
        ]
        self.account = _table(self.session / "account.csv")[-1]
        self.positions = {row["symbol"]: row for row in _table(self.session / "positions.csv")}
        """The last row of each symbol."""
        self.taken = self._of_kind("order")
        """Orders that the simulator took."""
        self.deals = self._of_kind("deal")
        self.requests = [
            each
            for each in self._of_kind("request")
            if each["action"] == "TRADE"
            and (each["action_type"] == _CLOSE or each["action_type"].startswith("ORDER_TYPE"))
        ]
        """New orders, and closes by ticket, that reached the simulator, taken or not."""

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The journal's records of this kind, in order."""
        return [record for record in self.journal if isinstance(record, kind)]

    def _our_orders(self, ids: ClientIds) -> list[OurOrder]:
        return [
            OurOrder(
                row["client_order_id"],
                ids.to_venue(row["client_order_id"]),
                row["symbol"],
                row["side"],
                row["type"],
                Decimal(row["quantity"]),
                Decimal(row["filled"]),
                row["status"],
                row["reason"],
            )
            for row in _table(self.session / "orders.csv")
        ]

    def _of_kind(self, kind: str) -> list[Record]:
        return [each for each in self.audit if each["kind"] == kind]

    @property
    def their_fills(self) -> list[Fill]:
        """The simulator's deals as fills, each of its order: one may have come to several requests,
        each with its number behind the order's comment."""
        return [
            Fill(
                order_comment(deal["comment"]),
                deal["symbol"],
                "BUY" if deal["is_buy"] else "SELL",
                Decimal(deal["volume"]),
                Decimal(deal["price"]),
                -Decimal(deal["commission"]).scaleb(-18),
            )
            for deal in self.deals
        ]

    @property
    def books(self) -> Record:
        """The simulator's own last account of itself."""
        last = self.audit[-1]
        if last["kind"] != "books":
            raise ValueError(
                "the simulator did not end in order: its audit has no books at its end"
            )
        return last

    def multiplier(self, symbol: str) -> Decimal:
        """The contract size of a symbol."""
        return Decimal(self.config["instruments"][symbol]["multiplier"])

    def quantity_decimals(self, symbol: str) -> int:
        """The decimals that quantities of a symbol are counted in."""
        return decimals_of(self.config["instruments"][symbol]["lot"])


def _texts(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != REPORT)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode(errors="replace")
        for path in paths
    }


def _lines(path: Path) -> list[Record]:
    """JSON lines. A torn last line (its writer was killed) is no line; damage raises ValueError."""
    found = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            found.append(msgspec.json.decode(line))
        except msgspec.DecodeError as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from None
    return found


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
