"""One count of an account's requests for all sessions of this machine, in a file.

Problem: an exchange counts the requests of an account or of a machine, whichever process made them.
Two sessions that each spend all of it are both turned away, cancels first of all. Method: what is
used of each pool is one moment (see `meter`), so all of it fits into a small file. Each step of
counting holds the file's lock: read, decide, take, write. Who waits for what is written there as
well, so that cancels go before orders and orders before questions over all sessions, and within a
kind the one that has waited longest.

Nothing has to be given back when a process dies: the kernel drops its lock, what it used comes back
by itself, and whoever was not heard of for `STALE_S` waits for nothing any more. A file that cannot
be read counts as everything used. It holds no key; its name is a hash.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec

from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.files import private_opener

STALE_S: Final = 2.0
"""How long a session that waits may say nothing before it counts as gone."""
LOOK_S: Final = 0.25
"""How often one that waits looks again, and says that it still does."""
LOCK_S: Final = 0.05
"""How long the lock is waited for: whoever counts holds it for microseconds."""
_SPIN_S: Final = 0.0002
_STALE_NS: Final = round(STALE_S * NS_PER_SECOND)
_BYTES: Final = 16_384
_OWNERS_MAX: Final = 64
_PAUSE_NS_MAX: Final = 3 * NS_PER_DAY
"""Binance's longest ban ("from 2 minutes to 3 days": developers.binance.com, spot, limits). A pause
that the file says is longer was written before the clock was set back."""
_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What can be written again."""


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """One session: when it was heard of, since when its first cancel, order and question wait
    (0: none waits), and how many orders and cancels it may have to send at once."""

    seen_ns: _Whole
    since_ns: tuple[_Whole, _Whole, _Whole]
    may_need: _Whole


class State(msgspec.Struct, forbid_unknown_fields=True):
    """What the file holds; times are nanoseconds since 1970."""

    free_ns: dict[str, _Whole] = {}
    """By pool: when nothing of it is used any more."""
    said: dict[str, tuple[_Whole, _Whole]] = {}
    """By pool: what the venue said is left, and until when (see `meter`)."""
    closed_until_ns: _Whole = 0
    no_questions_until_ns: _Whole = 0
    owners: dict[str, Row] = {}


class Others:
    """The other sessions that were heard of lately."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self._rows = rows
        self.may_need = sum(row.may_need for row in rows)

    def are_ahead(self, rank: int, since_ns: int, *, is_patient: bool = False) -> bool:
        """Whether one of them goes first: something of a better rank waits there, or something of
        this one waits longer. What is patient waits for cancels only."""
        if is_patient:
            return any(row.since_ns[0] for row in self._rows)
        better = any(row.since_ns[each] for row in self._rows for each in range(rank))
        return better or any(0 < row.since_ns[rank] < since_ns for row in self._rows)


NOBODY: Final = Others()


class Together:
    """The count that this session shares with others. Raises OSError where the file cannot be."""

    def __init__(self, path: Path) -> None:
        self._token = secrets.token_hex(8)
        self._others = 1  # until it is known how many there are
        self._is_held = False
        """Whether the lock could not be had the last time; then it is asked for, and not waited
        for, until it can be had again."""
        self._descriptor = private_opener(str(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        os.set_inheritable(self._descriptor, False)
        self.close: Final = weakref.finalize(self, os.close, self._descriptor)
        """Lets go of the file; called by itself when nobody counts here any more."""

    @property
    def times(self) -> int:
        """As how many requests each of ours counts: where the count is not shared for now, once for
        every session that was heard of last, because each of them counts alone as well."""
        return 1 + self._others if self._is_held else 1

    @contextmanager
    def step(self, now_ns: int) -> Iterator[tuple[State | None, Others]]:
        """What is counted, alone: the state, and the other sessions. A state of None: the file
        could not be read. Where another process holds the lock for `LOCK_S` (it was stopped), it is
        as if there were nobody, and each request counts `times`."""
        self._is_held = not self._is_locked()
        if self._is_held:
            yield State(), NOBODY
            return
        try:
            state = _read(self._descriptor, now_ns)
            owners = {} if state is None else state.owners
            rows = [
                row
                for token, row in owners.items()
                if token != self._token and abs(now_ns - row.seen_ns) < _STALE_NS
            ]
            self._others = len(rows)
            yield state, Others(rows)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _is_locked(self) -> bool:
        give_up_s = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._is_held or time.monotonic() > give_up_s:
                    return False
                time.sleep(_SPIN_S)
            else:
                return True

    def write(self, state: State, row: Row) -> None:
        """Keep this, and where this session stands; within a step."""
        owners = {
            token: each
            for token, each in state.owners.items()
            if abs(row.seen_ns - each.seen_ns) < _STALE_NS
        }
        owners[self._token] = row
        state.owners = dict(list(owners.items())[-_OWNERS_MAX:])
        # Of one length: what is written is whole, or what was there before.
        os.pwrite(self._descriptor, msgspec.json.encode(state).ljust(_BYTES), 0)


def _read(descriptor: int, now_ns: int) -> State | None:
    """What the file holds; an empty one that nothing was used; None: it cannot be read."""
    text = os.pread(descriptor, _BYTES, 0)
    if not text:
        return State()
    try:
        state = msgspec.json.decode(text, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    latest_ns = now_ns + _PAUSE_NS_MAX
    if state.closed_until_ns > latest_ns:
        state.closed_until_ns = 0
    if state.no_questions_until_ns > latest_ns:
        state.no_questions_until_ns = 0
    state.said = {pool: said for pool, said in state.said.items() if said[1] <= latest_ns}
    return state
