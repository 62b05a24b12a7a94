"""How a session ends, in the words of its artifacts and of the process."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from logos.core.outbox import VenueRequest
from logos.core.records import Record
from logos.core.types import SessionStatus
from logos.errors import StrategyError, error_words
from logos.interrupts import is_interrupt


class ExitCode(enum.IntEnum):
    """How the process ends; documented in README and `logos --help`."""

    FINISHED = 0
    INTERNAL_ERROR = 1
    BAD_CONFIGURATION = 2
    BAD_DATA = 3
    HALTED = 4
    STRATEGY_FAILED = 5
    CANNOT_WRITE = 6
    TORN = 7
    DAMAGED = 8
    DIFFERS = 9
    DISK_LOW = 10


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How a session went. `summary` is plain JSON data; `host` is what differs between runs."""

    session_id: str
    folder: Path
    status: SessionStatus
    exit_code: ExitCode
    reason: str
    summary: Mapping[str, Any]
    host: Mapping[str, Any]


class Ending(msgspec.Struct, frozen=True):
    """How the events came to an end. `failure` is the way to it through the strategy's code."""

    status: SessionStatus
    exit_code: ExitCode
    reason: str
    failure: tuple[str, ...] = ()


ORDERS_LEFT: Final = "may still rest at the venue, look there and cancel them"
"""In the reason of a session some of whose orders no venue has confirmed to be over."""


HOLDINGS: Final = "holdings at the end"
"""What was found of a venue's holdings and ours at the end, in the facts of a session; in its
reason, where they were not seen to agree."""

AGREED: Final = "agreed"

CANCELS: Final = "cancels that the venue has not answered"
"""Orders whose cancel was wanted and that the session ended without, in its facts and its reason;
left out where there are none."""


class Stopped(Exception):
    """The operator asked the session to end, and it is between two events."""


def session_failure(error: BaseException) -> Exception:
    """What ends a session, of an `error` that came out of its core.

    An interrupt is raised again, also one that came out of the strategy. What else is no Exception
    (SystemExit, GeneratorExit) nothing of logos raises: it is the strategy's failure.
    """
    if isinstance(error, KeyboardInterrupt):
        raise error
    # Compiled code knows no `raise ... from`: there the cause is the context.
    cause = error.__cause__ or error.__context__
    if isinstance(error, StrategyError) and cause is not None and is_interrupt(cause):
        raise cause
    if isinstance(error, Exception):
        return error
    failure = StrategyError(f"the strategy raised {error_words(error)}")
    failure.__cause__ = error
    return failure


class Outputs(NamedTuple):
    """What one batch gave rise to: records of the core, and what is to leave for a real venue.

    The records are in the journal already. The requests may leave after `Session.sync`.
    """

    records: Sequence[Record]
    requests: Sequence[VenueRequest]


NOTHING: Final = Outputs((), ())
