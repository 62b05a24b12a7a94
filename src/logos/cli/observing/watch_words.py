"""What the lines of a journal say on the screen of `logos watch`: as the live screen says it, and
how a session ended or its switch changed, which a live screen tells otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Final

import msgspec

from logos.cli.screen.events import happenings, records_in
from logos.core.records import SwitchRecord
from logos.journal.entries import Sealed
from logos.observe.watching.events import Event

_OWN: Final = (b'"body":{"kind":"switch"', b'"body":{"kind":"sealed"')
_REFUSAL: Final = b'"body":{"kind":"refusal"'


class _Line(msgspec.Struct):
    body: SwitchRecord | Sealed


_DECODER: Final = msgspec.json.Decoder(_Line)


def words(lines: Sequence[bytes]) -> Iterator[Event]:
    """What a person is to see, oldest first; refusals that follow each other are told together.

    A line that cannot be read is passed over: `logos verify` judges journals.
    """
    now_ns = 0
    for is_refusal, group in groupby(lines, lambda line: _REFUSAL in line):
        for part in [list(group)] if is_refusal else ([line] for line in group):
            with suppress(ValueError):
                for event in _events(part, now_ns):
                    now_ns = event.ts_ns
                    yield event


def _events(lines: Sequence[bytes], now_ns: int) -> Iterator[Event]:
    if not any(kind in lines[0] for kind in _OWN):
        for each in happenings(records_in(lines)):
            yield Event(each.ts_ns, each.word, each.text)
        return
    record = _DECODER.decode(lines[0]).body
    if isinstance(record, Sealed):
        yield Event(now_ns, record.status, record.reason)
    else:
        yield Event(record.ts_ns, "SWITCH", f"{record.state}: {record.reason}")
