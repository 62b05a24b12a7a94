"""What is known after a failure, in the words of each kind."""

from __future__ import annotations

from logos.venues.contract import NotSent, OutcomeUnknown, Refused
from logos.venues.failures import Failure, Knowledge, order_error, question_error


def test_what_is_known_after_a_failure_is_in_its_words() -> None:
    told = {
        knowledge: order_error("order s-1-1", Failure(knowledge, "why", 2.0))
        for knowledge in Knowledge
    }
    assert {type(error): str(error) for error in told.values()} == {
        Refused: "order s-1-1: refused: why",
        NotSent: "order s-1-1: not handled: why",
        OutcomeUnknown: "order s-1-1: the outcome is not known; ask the venue, do not send again: "
        "why",
    }
    question = question_error("find s-1-1", Failure(Knowledge.REFUSED, "why", 2.0))
    assert (str(question), question.retry_after_s) == ("find s-1-1: no answer: why", 2.0)
    not_sent = told[Knowledge.NOT_SENT]
    assert isinstance(not_sent, NotSent)
    assert not_sent.retry_after_s == 2.0
