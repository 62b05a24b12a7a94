"""How a request to the terminal can fail, in the words of the contract of venues.

What is lost is told apart by what is known of it: a trade that never left may be sent again, a
trade without an answer may have been done, a question without an answer is asked again.
"""

from __future__ import annotations

from logos.adapters.mt5.gateway.wire import TRADE
from logos.errors import LogosError
from logos.venues.contract import NotSent, OutcomeUnknown, Unavailable, VenueError


class GatewayError(LogosError, OSError):
    """Every failure of the gateway is one of these too, for those who know no venues (feeds)."""


class TradeLost(OutcomeUnknown, GatewayError):
    """A trade was sent, and whether it was done is not known."""


class TradeNotSent(NotSent, GatewayError):
    """A trade never left this machine."""


class QuestionLost(Unavailable, GatewayError):
    """A question was not answered."""


class NoAnswer(Exception):
    """No answer; `was_read` says whether the terminal had read the request."""

    def __init__(self, words: str, was_read: bool) -> None:
        super().__init__(words)
        self.was_read = was_read


class NeverLeft(Exception):
    """The request is still here: nobody was there to send it to."""


def lost(kind: str, error: NoAnswer) -> VenueError:
    """What it means that a request of this kind was sent and not answered."""
    words = f"{kind}: {error}"
    return TradeLost(words) if kind == TRADE else QuestionLost(words)


def not_sent(kind: str, words: str, retry_after_s: float) -> VenueError:
    """What it means that a request of this kind never left, and when to try again."""
    if kind == TRADE:
        return TradeNotSent(f"{kind}: not sent: {words}", retry_after_s)
    return QuestionLost(f"{kind}: not asked: {words}", retry_after_s)
