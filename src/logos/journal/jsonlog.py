"""The decision log: one JSON object a line, in the order of decisions.

The problem is cost and whole lines. What comes again in a line (its moment; its symbol with action,
reason and switch) is encoded once and taken over, and an order comes as the journal has it: a line
is three pieces. They are joined, and go to the file in one write of whole lines, once there are
enough of them, on `flush` and on `close`. The file is opened for appending, so no line of
another writer is cut. A last line that a crash tore is removed when the log is opened again;
nothing is lost that way, because the journal holds every decision.

What stands in a line is said by whoever writes it; docs/JSON-LOG.md explains it, and
docs/schema/decision-log.schema.json describes it for programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.files import AppendFile
from logos.journal.minutes import minute_text

LINES_MAX: Final = 128
"""The buffer is written out as soon as it holds so many lines: 64 KiB of them, about."""

LINES_MAX_AT_SPEED: Final = 16 * LINES_MAX
"""The same where nobody waits for a line: fewer writes are a tenth of what the log costs."""

_SECONDS: Final = tuple(b"%02d." % second for second in range(60))

PIECES: Final = 3
"""Of a line, as `JsonLog.add` takes it."""

_NINE_DIGITS: Final = 100_000_000
_END: Final = b"}\n"
_BEGIN: Final = _END + b'{"timestamp":"'

_encode: Final = msgspec.json.Encoder().encode


def tail_of(circuit_breaker_state: bytes, name: str = "") -> bytes:
    """What a line has behind its reason: the kill switch, a JSON object, and the `name` of one more
    object that ends the line; empty: there is none."""
    tail = b',"circuit_breaker_state":' + circuit_breaker_state
    return tail + f',"{name}":'.encode() if name else tail


def words_of(symbol: str, action: str, reason: str, tail: bytes) -> bytes:
    """The second piece of a line: from its symbol to its `tail`, which `tail_of` made."""
    said = tuple(map(_text, (symbol, action, reason)))
    return b',"symbol":%b,"action":%b,"reason":%b%b' % (*said, tail)


class JsonLog:
    """Appends decision records to one file. For one thread; close it, or use it in a `with`."""

    def __init__(self, path: Path, session_id: str, lines_max: int = LINES_MAX) -> None:
        """Open `path` for appending, making its folder. Raises OSError when that cannot be done."""
        self.path = path
        self._pieces_max: Final = lines_max * PIECES
        self._after_time: Final = b'Z","session_id":%b,"tick_id":' % _encode(session_id)
        self._buffer = bytearray()
        self._pieces: list[bytes] = []
        """Of lines; none while the buffer holds what could not be written."""
        self._minute_ns = -NS_PER_MINUTE
        self._minute = _BEGIN + b"1969-12-31T23:59:"
        self._second_ns = -NS_PER_SECOND
        self._second = self._minute + _SECONDS[59]
        self._file = AppendFile(path)
        self._file.cut_torn_line()

    def front(self, ts_ns: int, tick_id: int) -> bytes:
        """The first piece of lines about the event of `ts_ns` (nanoseconds UTC): it ends the line
        before and reaches to the tick's number."""
        rest_ns = ts_ns - self._second_ns
        if not 0 <= rest_ns < NS_PER_SECOND:
            rest_ns = self._to_second(ts_ns)
        if rest_ns >= _NINE_DIGITS:
            fraction = _encode(rest_ns)
        else:
            # Several times faster than the format `%09d`, which pads to the same text.
            fraction = _encode(NS_PER_SECOND + rest_ns)[1:]
        return b"".join((self._second, fraction, self._after_time, _encode(tick_id)))

    def add(self, pieces: Sequence[bytes]) -> None:
        """Append lines, `PIECES` each: `front`, `words`, and the object that the words name last,
        as JSON; empty where they name none.

        Raises OSError when a full buffer cannot be written; what it holds is kept, and no more is
        added than it has room for, so the buffer stays bounded however often this is tried.
        """
        kept = self._pieces
        if not self._buffer and len(kept) + len(pieces) <= self._pieces_max:
            kept += pieces
            return
        added = 0
        while added < len(pieces):
            if len(kept) >= self._pieces_max or self._buffer:
                self.flush()
            until = added + self._pieces_max - len(kept)
            kept += pieces[added:until]
            added = until

    def flush(self) -> None:
        """Hand everything to the operating system. Raises OSError naming the file."""
        if self._pieces:
            # Each front ends the line before; there is none before the first.
            self._buffer = bytearray().join((*self._pieces, _END))
            del self._buffer[: len(_END)]
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

    def _to_second(self, ts_ns: int) -> int:
        """Keep the second of `ts_ns`; what is left of it, nanoseconds."""
        minute_ns = ts_ns - self._minute_ns
        if not 0 <= minute_ns < NS_PER_MINUTE:
            minute, minute_ns = divmod(ts_ns, NS_PER_MINUTE)
            self._minute = _BEGIN + minute_text(minute).encode()
            self._minute_ns = minute * NS_PER_MINUTE
        second, rest_ns = divmod(minute_ns, NS_PER_SECOND)
        self._second = self._minute + _SECONDS[second]
        self._second_ns = ts_ns - rest_ns
        return rest_ns


def _text(text: str) -> bytes:
    """As a JSON string. A reason can quote a file name that is not text; the record matters
    more."""
    try:
        return _encode(text)
    except UnicodeEncodeError:
        return _encode(_writable(text))


def timestamp_text(ts_ns: int) -> str:
    """A moment (nanoseconds UTC) as the lines have it: ISO-8601 with nine decimals."""
    minute, rest_ns = divmod(ts_ns, NS_PER_MINUTE)
    second, rest_ns = divmod(rest_ns, NS_PER_SECOND)
    return f"{minute_text(minute)}{second:02d}.{rest_ns:09d}Z"


def _writable(text: str) -> str:
    """`text` with what UTF-8 cannot hold (lone surrogates) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
