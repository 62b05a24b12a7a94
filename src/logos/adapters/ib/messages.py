"""What a gateway says, as records with exact figures.

Problem: ib_async turns figures into floats, logs what it cannot read and goes on, and makes states
of its own (any error about an order is "Cancelled" there). Method: its connection, its requests and
its layouts of long messages are used; figures stay as they came, what cannot be read ends the
connection, and an order's state is what the gateway said. Sources of the layouts: ib_async 2.1,
`ib_async/decoder.py`; of the execution times: see `moment_ns`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol, cast
from zoneinfo import ZoneInfo

import msgspec
from ib_async.contract import ContractDetails
from ib_async.decoder import Decoder

from logos.core.types import NS_PER_SECOND
from logos.feeds.sequence import RawBar
from logos.venues.records import Unreadable, decimal_of

_UNSET: Final = Decimal("1E300")
"""A figure beyond this is not there: the gateway writes the greatest double."""
_PENDING: Final = Decimal(-1)
"""A commission that is not known yet comes as -1.0 (nautechsystems/nautilus_trader, pull request
4230). A rebate of exactly that is taken for it, and then said to be unknown."""

_TIME: Final = re.compile(r"(\d{8})(-| {1,2})(\d\d:\d\d:\d\d)(?: ([\w/+-]+))?", re.ASCII)


class Listed(msgspec.Struct, frozen=True):
    """An order as the gateway lists it. `order_id` is a number of its client's, 0 where none is
    told; `filled` is None until an orderStatus told it."""

    order_id: int
    client_id: int
    perm_id: int
    con_id: int
    account: str
    order_ref: str
    action: str
    kind: str
    quantity: Decimal
    limit: Decimal
    status: str
    filled: Decimal | None = None
    words: str = ""


class Status(msgspec.Struct, frozen=True):
    """What of an order has filled, and where it stands."""

    order_id: int
    client_id: int
    perm_id: int
    status: str
    filled: Decimal


class Executed(msgspec.Struct, frozen=True):
    """One execution; a correction has the same id up to its last period."""

    exec_id: str
    con_id: int
    account: str
    order_ref: str
    perm_id: int
    client_id: int
    order_id: int
    side: str
    quantity: Decimal
    price: Decimal
    ts_ns: int
    is_maker: bool

    @property
    def stem(self) -> str:
        """What all revisions of it have in common."""
        return self.exec_id.rpartition(".")[0]


class Cost(msgspec.Struct, frozen=True):
    """What an execution cost."""

    exec_id: str
    commission: Decimal
    currency: str


class Held(msgspec.Struct, frozen=True):
    """A position of an account."""

    account: str
    con_id: int
    quantity: Decimal


class Tick(msgspec.Struct, frozen=True):
    """A price or a size of the market, as text ("": not told); `kind` is IB's number of it."""

    kind: int
    price: str
    size: str


class Printed(msgspec.Struct, frozen=True):
    """One trade of the market, its time to the second."""

    ts_ns: int
    price: str
    size: str


class DataKind(msgspec.Struct, frozen=True):
    """Which kind of market data comes from now on: 1 live, 3 delayed, 2 and 4 frozen."""

    kind: int


class Said(msgspec.Struct, frozen=True):
    """A code and words about what is streamed."""

    code: int
    words: str


class Listener(Protocol):
    """Whoever is told what the gateway says. Nothing here may raise but Unreadable."""

    def on_error(self, request_id: int, code: int, words: str) -> None: ...
    def on_order(self, order: Listed) -> None: ...
    def on_completed(self, order: Listed) -> None: ...
    def on_status(self, status: Status) -> None: ...
    def on_execution(self, request_id: int, execution: Executed) -> None: ...
    def on_cost(self, cost: Cost) -> None: ...
    def on_row(self, key: object, row: object) -> None: ...
    def on_end(self, key: object) -> None: ...
    def on_unreadable(self, words: str) -> None: ...


class ExactDecoder(Decoder):
    """ib_async's decoder with figures as they came, for `listener`."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(cast(Any, _Ends(listener)), 0)
        self._listener = listener
        self._readers: Mapping[int, Callable[[list[str]], None]] = {
            1: lambda row: listener.on_row(int(row[2]), Tick(int(row[3]), row[4], row[5])),
            2: lambda row: listener.on_row(int(row[2]), Tick(int(row[3]), "", row[4])),
            3: self._status,
            4: self._error,
            5: self.openOrder,
            9: lambda row: listener.on_row("ids", int(row[2])),
            10: self.contractDetails,
            11: self._execution,
            15: lambda _row: None,
            17: self._bars,
            49: lambda row: self._only("time", int(row[2])),
            52: lambda row: listener.on_end(int(row[2])),
            53: lambda _row: listener.on_end("orders"),
            55: lambda row: listener.on_end(int(row[2])),
            58: lambda row: listener.on_row(int(row[2]), DataKind(int(row[3]))),
            59: self._cost,
            61: self._position,
            62: lambda _row: listener.on_end("positions"),
            63: lambda row: listener.on_row(int(row[2]), tuple(row[3:7])),
            64: lambda row: listener.on_end(int(row[2])),
            93: self._rule,
            99: self._printed,
            101: self.completedOrder,
            102: lambda _row: listener.on_end("completed"),
        }

    def interpret(self, fields: list[str]) -> None:
        """Read one message; what cannot be read ends the connection."""
        words = ""
        try:
            message_id = int(fields[0])
            reader = self._readers.get(message_id)
            if reader is not None:
                reader(fields)
            elif message_id not in self.handlers:
                words = f"message {message_id} is unknown"
        except (ValueError, IndexError, ArithmeticError, Unreadable) as error:
            words = f"message {fields[0][:8]!r}: {type(error).__name__}: {str(error)[:300]}"
        if words:
            self._listener.on_unreadable(words)

    def parse(self, obj: Any) -> None:
        """Give a record's fields the kinds of their defaults; figures become exact decimals."""
        for each in fields_of(obj):
            text = getattr(obj, each.name)
            if not isinstance(text, str) or isinstance(each.default, str):
                continue
            if not text:
                setattr(obj, each.name, each.default)
            elif isinstance(each.default, bool):
                setattr(obj, each.name, bool(int(text)))
            elif isinstance(each.default, int):
                setattr(obj, each.name, int(text))
            elif isinstance(each.default, float):
                setattr(obj, each.name, Decimal(text))

    def _only(self, key: str, row: object) -> None:
        self._listener.on_row(key, row)
        self._listener.on_end(key)

    def _status(self, row: list[str]) -> None:
        filled = _figure(row[3], "filled")
        told = Status(int(row[1]), int(row[9]), int(row[6]), row[2], filled)
        self._listener.on_status(told)

    def _error(self, row: list[str]) -> None:
        self._listener.on_error(int(row[2]), int(row[3]), row[4])

    def _execution(self, row: list[str]) -> None:
        told = Executed(
            exec_id=row[14],
            con_id=int(row[3]),
            account=row[16],
            order_ref=row[26],
            perm_id=int(row[21]),
            client_id=int(row[22]),
            order_id=int(row[2]),
            side=row[18],
            quantity=_figure(row[19], "shares"),
            price=_figure(row[20], "price"),
            ts_ns=moment_ns(row[15]),
            is_maker=row[30] == "1",
        )
        self._listener.on_execution(int(row[1]), told)

    def _cost(self, row: list[str]) -> None:
        commission = _figure(row[3], "commission")
        if abs(commission) < _UNSET and commission != _PENDING:
            self._listener.on_cost(Cost(row[2], commission, row[4]))

    def _position(self, row: list[str]) -> None:
        self._listener.on_row("positions", Held(row[2], int(row[3]), _figure(row[14], "position")))

    def _rule(self, row: list[str]) -> None:
        figures = [_figure(each, "price step") for each in row[3 : 3 + 2 * int(row[2])]]
        self._only(f"rule {row[1]}", list(zip(figures[::2], figures[1::2], strict=True)))

    def _printed(self, row: list[str]) -> None:
        if row[2] not in ("1", "2"):
            raise Unreadable(f"ticks of the kind {row[2][:20]!r} were not asked for")
        told = Printed(int(row[3]) * NS_PER_SECOND, row[4], row[5])
        self._listener.on_row(int(row[1]), told)

    def _bars(self, row: list[str]) -> None:
        """Bars in `formatDate` 2: their opens as seconds since 1970."""
        request_id, count = int(row[1]), int(row[4])
        for at in range(5, 5 + 8 * count, 8):
            opened, first, high, low, last, volume = row[at : at + 6]
            if not opened.isdecimal() or len(opened) < 9:
                raise Unreadable(f"a bar's time is {opened[:40]!r}")
            # Where no volume is known, IB says -1.
            told = None if volume.startswith("-") else volume
            bar = RawBar(int(opened) * NS_PER_SECOND, first, high, low, last, told)
            self._listener.on_row(request_id, bar)
        self._listener.on_end(request_id)


class _Ends:
    """What the library's layouts of long messages end in, by the names that it calls."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def openOrder(self, order_id: int, contract: Any, order: Any, state: Any) -> None:
        self._listener.on_order(_listed(order_id, contract, order, state.status, None, ""))

    def completedOrder(self, contract: Any, order: Any, state: Any) -> None:
        filled = Decimal(order.filledQuantity)
        if abs(filled) > _UNSET:
            raise Unreadable("a completed order does not say what of it filled")
        words = str(state.completedStatus).strip()
        self._listener.on_completed(_listed(0, contract, order, state.status, filled, words))

    def contractDetails(self, request_id: int, details: ContractDetails) -> None:
        self._listener.on_row(request_id, details)


def _listed(
    order_id: int, contract: Any, order: Any, status: str, filled: Decimal | None, words: str
) -> Listed:
    limit = Decimal(order.lmtPrice or 0)
    return Listed(
        order_id=order_id,
        client_id=int(order.clientId),
        perm_id=int(order.permId),
        con_id=int(contract.conId),
        account=order.account,
        order_ref=order.orderRef,
        action=order.action,
        kind=order.orderType,
        quantity=Decimal(order.totalQuantity),
        limit=Decimal(0) if abs(limit) > _UNSET else limit,
        status=status,
        filled=filled,
        words=words,
    )


def _figure(text: str, what: str) -> Decimal:
    return decimal_of(text, what)


def moment_ns(text: str) -> int:
    """When an execution was, nanoseconds since 1970, to the second. Raises Unreadable.

    Three spellings were recorded: `20260413 15:27:04 US/Eastern`; `20260610-19:58:22`, which is
    UTC; and `20230224  12:04:56`, in the time zone of whoever logged in to the gateway, which is
    not said and cannot be read here (ThomasMarcelis/ibkr-go, wboayue/rust-ibapi; which one comes is
    a setting of the gateway).
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise Unreadable(f"an execution's time is {text[:40]!r}")
    day, between, clock, zone = match.groups()
    if between != "-" and zone is None:
        raise Unreadable(
            "the gateway tells times without their zone: in its settings, API, set 'Send "
            "instrument-specific attributes for dual-mode API client in' to 'UTC format'"
        )
    try:
        there = UTC if between == "-" else ZoneInfo(zone or "")
        moment = datetime.strptime(f"{day} {clock}", "%Y%m%d %H:%M:%S").replace(tzinfo=there)
    except (ValueError, OSError, LookupError):
        raise Unreadable(f"an execution's time is {text[:40]!r}") from None
    return int(moment.timestamp()) * NS_PER_SECOND
