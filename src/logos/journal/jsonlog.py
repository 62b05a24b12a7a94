"""The decision log: one JSON object a line, in the order of decisions.

The problem is cost and whole lines. A record is encoded straight into one byte buffer (one
encode, no intermediate text), and the buffer goes to the file in one write of whole lines once
it is large enough, on `flush` and on `close`. The file is opened for appending, so no line of
another writer is cut. A last line that a crash tore is removed when the log is opened again;
nothing is lost that way, because the journal holds every decision.

What stands in a line is said by whoever writes it; docs/JSON-LOG.md explains it, and
docs/schema/decision-log.schema.json describes it for programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from logos.core.types import NS_PER_SECOND
from logos.files import AppendFile

BUFFER_BYTES: Final = 65_536
"""The buffer is written out as soon as it holds this much."""

OrderFields = Mapping[str, object] | msgspec.Struct | msgspec.Raw
"""The order of a record: anything that msgspec encodes as a JSON object, or one encoded already."""


class _Record(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    timestamp: str
    session_id: str
    tick_id: int
    symbol: str
    action: str
    reason: str
    circuit_breaker_state: msgspec.Raw
    order: OrderFields | None = None


class JsonLog:
    """Appends decision records to one file. For one thread; close it, or use it in a `with`."""

    def __init__(self, path: Path, session_id: str) -> None:
        """Open `path` for appending, making its folder. Raises OSError when that cannot be done."""
        self.path = path
        self._session_id: Final = session_id
        self._encode_into = msgspec.json.Encoder().encode_into
        self._buffer = bytearray()
        self._second_ns = -NS_PER_SECOND
        self._second_text = "1969-12-31T23:59:59"
        self._file = AppendFile(path)
        self._file.cut_torn_line()

    def decision(
        self,
        ts_ns: int,
        tick_id: int,
        symbol: str,
        action: str,
        reason: str,
        circuit_breaker_state: msgspec.Raw,
        order: OrderFields | None = None,
    ) -> None:
        """Record what was decided at the event of `ts_ns` (nanoseconds UTC), with the kill switch
        as a JSON object.

        Raises OSError when a full buffer cannot be written; what it holds is kept, and nothing
        is added, so the buffer stays bounded however often this is tried. Raises TypeError for
        an order that JSON cannot hold, and writes nothing of it.
        """
        buffer = self._buffer
        if len(buffer) >= BUFFER_BYTES:
            self.flush()
        timestamp, name = self._timestamp(ts_ns), self._session_id
        state = circuit_breaker_state
        record = _Record(timestamp, name, tick_id, symbol, action, reason, state, order)
        try:
            self._encode_whole(record)
        except UnicodeEncodeError:
            # A reason can quote a file name that is not text; the record matters more.
            text = (_writable(reason), _writable(symbol))
            record = msgspec.structs.replace(record, reason=text[0], symbol=text[1])
            self._encode_whole(record)
        buffer += b"\n"

    def flush(self) -> None:
        """Hand everything to the operating system. Raises OSError naming the file."""
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

    def _encode_whole(self, record: _Record) -> None:
        """Append the encoded record to the buffer, wholly or not at all."""
        end = len(self._buffer)
        try:
            self._encode_into(record, self._buffer, -1)
        except BaseException:
            del self._buffer[end:]
            raise

    def _timestamp(self, ts_ns: int) -> str:
        """ISO-8601 with nanoseconds. The text of the second is kept: events come in bursts."""
        rest = ts_ns - self._second_ns
        if not 0 <= rest < NS_PER_SECOND:
            second, rest = divmod(ts_ns, NS_PER_SECOND)
            self._second_text = _second_text(second)
            self._second_ns = second * NS_PER_SECOND
        # Several times faster than the format `:09d`, which pads to the same text.
        return f"{self._second_text}.{str(NS_PER_SECOND + rest)[1:]}Z"


def timestamp_text(ts_ns: int) -> str:
    """A moment (nanoseconds UTC) as the lines have it: ISO-8601 with nine decimals."""
    second, rest = divmod(ts_ns, NS_PER_SECOND)
    return f"{_second_text(second)}.{rest:09d}Z"


def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _writable(text: str) -> str:
    """`text` with what UTF-8 cannot hold (lone surrogates) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
