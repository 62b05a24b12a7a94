"""What is known after a failure, and the error that says so.

Every library fails in its own words. An adapter sorts each failure into one of three kinds of
knowledge (`Knowledge`); `order_error` makes the error of a request that could change something,
`question_error` that of one that could not. Errors are raised outside the `except` block that
caught the library's own, because a library's exception holds on to the request, and a request holds
the key: no chain of exceptions leads back to it.
"""

from __future__ import annotations

import enum

import msgspec

from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable, VenueError


class Knowledge(enum.Enum):
    """What a failed request is known to have done."""

    REFUSED = "the venue said no"
    NOT_SENT = "it was never handled"
    UNKNOWN = "it may have been handled"


class Failure(msgspec.Struct, frozen=True):
    """One failed request: what is known, in words for a person, and when to come back.

    `demand_s`: see `contract.NotSent`.
    """

    knowledge: Knowledge
    words: str
    retry_after_s: float = 0.0
    demand_s: float | None = None


def order_error(what: str, failure: Failure) -> VenueError:
    """The error of a request that could change something (`what` was to be done)."""
    if failure.knowledge is Knowledge.REFUSED:
        return Refused(f"{what}: refused: {failure.words}")
    if failure.knowledge is Knowledge.NOT_SENT:
        words = f"{what}: not handled: {failure.words}"
        return NotSent(words, failure.retry_after_s, failure.demand_s)
    return OutcomeUnknown(
        f"{what}: the outcome is not known; ask the venue, do not send again: {failure.words}"
    )


def question_error(what: str, failure: Failure) -> Unavailable:
    """The error of a question: it stays open, whatever the reason."""
    words = f"{what}: no answer: {failure.words}"
    return Unavailable(words, failure.retry_after_s, failure.demand_s)


def system_words(error: BaseException) -> str:
    """What the system says behind a library's error ("Name or service not known"), the deepest of
    its causes; empty where none of them is the system's."""
    words = ""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            words = cause.strerror
        cause = cause.__cause__ or cause.__context__
    return words
