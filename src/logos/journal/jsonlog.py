"""The decision log: one JSON object a line, in the order of decisions.

The problem is cost and whole lines. What comes again in a line (its moment, its symbol with action
and reason, the switch) is kept encoded, and an order comes as the journal has it: a line is five
pieces. They are joined, and go to the file in one write of whole lines, once there are enough of
them, on `flush` and on `close`. The file is opened for appending, so no line of
another writer is cut. A last line that a crash tore is removed when the log is opened again;
nothing is lost that way, because the journal holds every decision.

What stands in a line is said by whoever writes it; docs/JSON-LOG.md explains it, and
docs/schema/decision-log.schema.json describes it for programs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.files import AppendFile

LINES_MAX: Final = 128
"""The buffer is written out as soon as it holds so many lines: 64 KiB of them, about."""

_SECONDS: Final = tuple(b"%02d." % second for second in range(60))

_HEADS_MAX: Final = 4_096
"""So many combinations of symbol, action and reason are kept encoded."""

_PIECES: Final = 5
"""Of a line."""


def tail_of(circuit_breaker_state: bytes, name: str = "") -> bytes:
    """What a line has behind its reason: the kill switch, a JSON object, and the `name` of one more
    object that ends the line; empty: there is none."""
    tail = b',"circuit_breaker_state":' + circuit_breaker_state
    return tail + f',"{name}":'.encode() if name else tail


class JsonLog:
    """Appends decision records to one file. For one thread; close it, or use it in a `with`."""

    def __init__(self, path: Path, session_id: str) -> None:
        """Open `path` for appending, making its folder. Raises OSError when that cannot be done."""
        self.path = path
        self._encode = msgspec.json.Encoder().encode
        self._after_time: Final = b'Z","session_id":%b,"tick_id":' % self._encode(session_id)
        self._buffer = bytearray()
        self._pieces: list[bytes] = []
        """Of the lines that come behind the buffer, which holds what could not be written."""
        self._heads: dict[tuple[str, str, str], bytes] = {}
        self._front = b""
        self._front_of = (-1, -1)
        self._minute_ns = -NS_PER_MINUTE
        self._minute = b"1969-12-31T23:59:"
        self._second_ns = -NS_PER_SECOND
        self._second = self._minute + _SECONDS[59]
        self._file = AppendFile(path)
        self._file.cut_torn_line()

    def decision(
        self,
        ts_ns: int,
        tick_id: int,
        symbol: str,
        action: str,
        reason: str,
        tail: bytes,
        particulars: bytes = b"",
    ) -> None:
        """Record what was decided at the event of `ts_ns` (nanoseconds UTC). `tail` is made by
        `tail_of`; `particulars` is the object that it names, as JSON.

        Raises OSError when a full buffer cannot be written; what it holds is kept, and nothing
        is added, so the buffer stays bounded however often this is tried.
        """
        pieces = self._pieces
        if len(pieces) >= LINES_MAX * _PIECES or self._buffer:
            self.flush()
        if self._front_of != (ts_ns, tick_id):
            self._go_to(ts_ns, tick_id)
        key = symbol, action, reason
        head = self._heads.get(key) or self._head(key)
        pieces += (self._front, head, tail, particulars, b"}\n")

    def flush(self) -> None:
        """Hand everything to the operating system. Raises OSError naming the file."""
        self._buffer += b"".join(self._pieces)
        self._pieces.clear()
        self._file.write(self._buffer)

    def close(self) -> None:
        """Flush and close; closing again does nothing."""
        if self._file.is_closed:
            return
        try:
            self.flush()
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _go_to(self, ts_ns: int, tick_id: int) -> None:
        """The next lines are about this moment."""
        begin = (b'{"timestamp":"', self._timestamp(ts_ns), self._after_time)
        self._front = b"".join((*begin, self._encode(tick_id)))
        self._front_of = ts_ns, tick_id

    def _head(self, key: tuple[str, str, str]) -> bytes:
        """What a line has from its symbol to its reason."""
        heads = self._heads
        if len(heads) >= _HEADS_MAX:
            heads.clear()
        head = heads[key] = b',"symbol":%b,"action":%b,"reason":%b' % tuple(map(self._text, key))
        return head

    def _text(self, text: str) -> bytes:
        """As a JSON string. A reason can quote a file name that is not text; the record matters
        more."""
        try:
            return self._encode(text)
        except UnicodeEncodeError:
            return self._encode(_writable(text))

    def _timestamp(self, ts_ns: int) -> bytes:
        """ISO-8601 with nanoseconds, without the zone. The second is kept: events come in
        bursts."""
        rest_ns = ts_ns - self._second_ns
        if not 0 <= rest_ns < NS_PER_SECOND:
            rest_ns = self._to_second(ts_ns)
        # Several times faster than the format `%09d`, which pads to the same text.
        return self._second + self._encode(NS_PER_SECOND + rest_ns)[1:]

    def _to_second(self, ts_ns: int) -> int:
        """Keep the second of `ts_ns`; what is left of it, nanoseconds."""
        minute_ns = ts_ns - self._minute_ns
        if not 0 <= minute_ns < NS_PER_MINUTE:
            minute, minute_ns = divmod(ts_ns, NS_PER_MINUTE)
            self._minute = _second_text(minute * 60)[:17].encode()
            self._minute_ns = minute * NS_PER_MINUTE
        second, rest_ns = divmod(minute_ns, NS_PER_SECOND)
        self._second = self._minute + _SECONDS[second]
        self._second_ns = ts_ns - rest_ns
        return rest_ns


def timestamp_text(ts_ns: int) -> str:
    """A moment (nanoseconds UTC) as the lines have it: ISO-8601 with nine decimals."""
    second, rest = divmod(ts_ns, NS_PER_SECOND)
    return f"{_second_text(second)}.{rest:09d}Z"


def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _writable(text: str) -> str:
    """`text` with what UTF-8 cannot hold (lone surrogates) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
