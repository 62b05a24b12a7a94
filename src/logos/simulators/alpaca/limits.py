"""How many requests the local broker answers in a minute, and how it says so.

Every answer of the trading API carries X-RateLimit-Limit, X-RateLimit-Remaining and, in seconds
since 1970, X-RateLimit-Reset; a request beyond the limit is answered with 429. It counts for the
account, whichever session asked. (alpaca.markets/support/usage-limit-api-calls,
forum.alpaca.markets/t/executing-orders/12029.)
"""

from __future__ import annotations

from logos.simulators.alpaca.book import NS, Denied

_WINDOW_S = 60


class RateLimit:
    """So many requests in each minute; 0: no limit. The minute begins with its first request."""

    def __init__(self, a_minute: int) -> None:
        self.a_minute = a_minute
        self.turned_away = 0
        self._used = 0
        self._reset_s = 0

    def take(self, now_ns: int) -> None:
        """Count one request. Raises Denied for one too many."""
        now_s = now_ns // NS
        if now_s >= self._reset_s:
            self._used, self._reset_s = 0, now_s + _WINDOW_S
        if self.a_minute and self._used >= self.a_minute:
            self.turned_away += 1
            raise Denied(429, 42910000, "rate limit exceeded")
        self._used += 1

    def headers(self) -> dict[str, str]:
        """What every answer says of it."""
        if not self.a_minute:
            return {}
        return {
            "X-RateLimit-Limit": str(self.a_minute),
            "X-RateLimit-Remaining": str(self.a_minute - self._used),
            "X-RateLimit-Reset": str(self._reset_s),
        }
