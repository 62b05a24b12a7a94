"""The requests that an order came to, each recorded on the disk before it is sent.

One order may need several requests: a close for each ticket, and an opening. Each has an id of its
own, the order's with its number behind it (`run-7`, `run-7.2`, `run-7.3`), which is its comment at
the terminal; no number is ever used twice. MetaTrader cuts a comment without a word, and two that
are cut may be the same, so an order's leaves room for the largest number (`ORDER_COMMENT_MAX`).

What came of a request is recorded behind it. Whoever starts again reads which requests left and of
which nothing more is known: those are looked for, and none is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.files import AppendFile, sync_file, sync_folder
from logos.venues.contract import Unavailable

OPENS: Final = ""
"""In place of the ticket that a request closes: it opens one, or waits."""

COMMENT_MAX: Final = 31
"""Characters of a comment that MetaTrader keeps."""

LEGS_MAX: Final = 999
"""The most requests that one order may come to."""

ORDER_COMMENT_MAX: Final = COMMENT_MAX - len(f".{LEGS_MAX}")
"""Characters of an order's own comment."""

_KEPT: Final = 20_000
"""Orders whose requests are remembered."""


class Leg(msgspec.Struct):
    """One request of an order. `closes` is a ticket, or OPENS."""

    order: str
    number: int
    symbol: str
    side: str
    units: int
    closes: str
    ts_ns: int
    outcome: str = ""
    """"done", "refused", "not sent"; empty: nobody knows."""
    done_units: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether it is known what came of it."""
        return bool(self.outcome)


def leg_comment(comment: str, number: int) -> str:
    """The comment of an order's request: the order's own, and a number from the second on."""
    return comment if number == 1 else f"{comment}.{number}"


def order_comment(comment: str) -> str:
    """The comment of the order that a request with this one belongs to."""
    base, dot, number = comment.rpartition(".")
    return base if dot and number.isascii() and number.isdigit() else comment


class LegRecord:
    """The record of one session's requests, in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier process wrote, and go on behind it. Raises OSError, and
        msgspec.MsgspecError for a line that is none."""
        self._legs: dict[str, list[Leg]] = {}
        is_new = not path.exists()
        self._file = AppendFile(path)
        self._file.cut_torn_line()
        if is_new:
            sync_folder(path.parent)
        for line in path.read_bytes().splitlines():
            self._take(msgspec.json.decode(line))

    def _take(self, line: Mapping[str, Any]) -> None:
        if "symbol" in line:
            leg = msgspec.convert(dict(line), Leg)
            self._legs.setdefault(leg.order, []).append(leg)
            return
        order, number = str(line["order"]), line["number"]
        [leg] = [each for each in self.of(order) if each.number == number]
        leg.outcome, leg.done_units = str(line["outcome"]), int(line["done_units"])

    def of(self, order: str) -> list[Leg]:
        """An order's requests, oldest first."""
        return self._legs.get(order, [])

    def begin(self, order: str, symbol: str, side: str, units: int, closes: str, ts_ns: int) -> Leg:
        """One more request is about to leave; it is on the disk when this returns. OSError."""
        number = 1 + max((each.number for each in self.of(order)), default=0)
        leg = Leg(order, number, symbol, side, units, closes, ts_ns, "not sent")
        known = {name: getattr(leg, name) for name in Leg.__struct_fields__[:7]}
        # Its number is used from here on: a disk that fails may have the line all the same.
        self._legs.setdefault(order, []).append(leg)
        self._write(known)
        sync_file(self._file.path)
        leg.outcome = ""
        if len(self._legs) > _KEPT:
            self._forget_one()
        return leg

    def _forget_one(self) -> None:
        """Let go of the oldest order of whose requests everything is known."""
        for order, legs in self._legs.items():
            if all(each.is_settled for each in legs):
                del self._legs[order]
                return

    def end(self, leg: Leg, outcome: str, done_units: int = 0) -> None:
        """What came of it. After a crash that is found out anew, so no disk is waited for."""
        leg.outcome, leg.done_units = outcome, done_units
        said = {"order": leg.order, "number": leg.number}
        self._write({**said, "outcome": outcome, "done_units": done_units})

    def _write(self, line: Mapping[str, object]) -> None:
        try:
            self._file.write(bytearray(msgspec.json.encode(line) + b"\n"))
        except OSError:
            with suppress(OSError):
                self._file.cut_torn_line()  # the next line begins where this one should have
            raise

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        self._file.close()


def read_record(path: Path) -> LegRecord:
    """The record at that path, made if there is none. Raises Unavailable for one that cannot be
    used."""
    try:
        return LegRecord(path)
    except (OSError, msgspec.MsgspecError, LookupError, ValueError, TypeError) as error:
        raise Unavailable(
            f"{path}: the record of requests by ticket cannot be used: {error}"
        ) from None
