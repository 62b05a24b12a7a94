"""Questions after which everything that was asked before is over.

If the terminal never said that it had read a request, the request may still lie in its inbox, and
where answers name no request, one that was given up may still come. So two questions are answered
on the new connection first: the terminal takes its connections in turns and does one thing after
the other, so by then all earlier requests have been read, and their answers have come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from logos.adapters.mt5.gateway.failures import NoAnswer
from logos.adapters.mt5.gateway.matching.replies import Attribution
from logos.adapters.mt5.gateway.wire import Question, Reply, is_plain_error

FENCES: Final = ("BALANCE", "ACCOUNT", "POSITIONS", "ORDERS")
"""Questions that change nothing and whose answers look different."""


class Fences:
    """The fences of one gateway; the lock is held by whoever uses them."""

    def __init__(
        self,
        attribution: Attribution,
        question: Callable[[dict[str, object]], Question],
        exchange: Callable[[Question], Reply],
        say: Callable[..., None],
    ) -> None:
        """`exchange` sends a question and waits; it raises NeverLeft and NoAnswer."""
        self._attribution = attribution
        self._question = question
        self._exchange = exchange
        self._say = say

    def pass_all(self, is_calm: bool) -> None:
        """Two questions answered; `is_calm`: nothing was lost for so long that nothing can come.

        The first is a fence (see `replies`), the second of another kind. Where answers of every
        kind are outstanding, the first is asked once more than its kind is. Raises NeverLeft and
        NoAnswer.
        """
        attribution = self._attribution
        if is_calm:
            attribution.fenced()
        outstanding = attribution.outstanding
        first = min(FENCES, key=lambda kind: outstanding[kind])
        count = outstanding[first]
        for _ in range(count + 1):
            self._ask(first)
        attribution.fenced(first, count)
        self._ask(next(kind for kind in FENCES if kind != first))
        attribution.fenced()

    def _ask(self, kind: str) -> None:
        question = self._question({"action": kind})
        question.is_fence = True
        try:
            reply = self._exchange(question)
        finally:
            outcome = question.outcome.value
            self._say("ZMQ_FENCE", kind=kind, token=question.token, outcome=outcome)
        if is_plain_error(reply):
            raise NoAnswer(f"the terminal cannot tell {kind}", True)
