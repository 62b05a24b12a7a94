"""What the lines of a journal say on the screen of `logos watch`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from logos.audit.inspect import describe
from logos.core.records import Record, RefusalRecord
from logos.journal.entries import Sealed
from logos.observe.watching.events import Event

_KINDS: Final = {
    b"fill": "FILL",
    b"refusal": "REFUSED",
    b"guard": "GUARD",
    b"switch": "SWITCH",
    b"command": "COMMAND",
    b"warning": "WARNING",
    b"note": "NOTE",
    b"sealed": "",
}
_BODY: Final = b'"body":{"kind":"'


class _Line(msgspec.Struct):
    body: Record | Sealed


_DECODER: Final = msgspec.json.Decoder(_Line)


def words(lines: Sequence[bytes]) -> Iterator[Event]:
    """What a person is to see, oldest first; refusals between two other events are told together.

    A line that cannot be read is passed over: `logos verify` judges journals.
    """
    refused: Counter[str] = Counter()
    refused_ns = now_ns = 0
    for line in lines:
        start = line.find(_BODY) + len(_BODY)
        kind = line[start : line.find(b'"', start)]
        if kind not in _KINDS:
            continue
        with suppress(ValueError):
            record = _DECODER.decode(line).body
            now_ns = getattr(record, "ts_ns", now_ns)
            if isinstance(record, RefusalRecord):
                refused[record.code.value] += 1
                refused_ns = record.ts_ns
                continue
            if refused:
                yield _refusals(refused, refused_ns)
                refused = Counter()
            word = record.status if isinstance(record, Sealed) else _KINDS[kind]
            text = record.reason if isinstance(record, Sealed) else describe(record)
            yield Event(now_ns, word, text)
    if refused:
        yield _refusals(refused, refused_ns)


def _refusals(refused: Counter[str], ts_ns: int) -> Event:
    text = ", ".join(f"{code} {count:,}" for code, count in refused.most_common())
    return Event(ts_ns, "REFUSED", text)
