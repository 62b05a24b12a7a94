"""An error says what is known after a failure."""

from __future__ import annotations

from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable
from logos.venues.failures import Failure, Knowledge, order_error, question_error


def test_an_error_says_what_is_known() -> None:
    assert isinstance(order_error("order", Failure(Knowledge.REFUSED, "no")), Refused)
    unsent = order_error("order", Failure(Knowledge.NOT_SENT, "busy", 3.0))
    assert isinstance(unsent, NotSent)
    assert unsent.retry_after_s == 3.0
    unknown = order_error("order", Failure(Knowledge.UNKNOWN, "lost"))
    assert isinstance(unknown, OutcomeUnknown)
    assert "do not send again" in str(unknown)
    for knowledge in Knowledge:
        assert isinstance(question_error("find", Failure(knowledge, "x")), Unavailable)
