"""When a channel gets which alerts: a bounded rate, and quiet after the first of a cause.

Pure: it is given what is pending, what was delivered and the time, and answers what to do now. An
alert that has to wait stays pending. What waited together comes as one summary; one that waited
alone comes as it is. Nothing is dropped.

- Repeats: an alert of a session, kind and cause that the channel heard of less than `quiet_s` ago
  waits until that time has passed.
- Rate: no more than `rate` deliveries in any `rate_window_s`; urgent alerts up to twice as many.
  Once the window has room again, all that waited for it comes as one summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from logos.config.tables.alerts import AlertSettings
from logos.core.types import NS_PER_SECOND
from logos.observe.alerts.alert import Alert

Repeats = tuple[str, str, str]


class Due(msgspec.Struct, frozen=True):
    """What to deliver now, together; nothing: come again at `again_ns` (0: when more comes)."""

    alerts: tuple[Alert, ...] = ()
    again_ns: int = 0


class Throttle:
    """The rules of one channel, and what they have to remember."""

    def __init__(self, settings: AlertSettings) -> None:
        self._rate = settings.rate
        self._window_ns = settings.rate_window_s * NS_PER_SECOND
        self._quiet_ns = settings.quiet_s * NS_PER_SECOND
        self._sent_ns: list[int] = []
        self._heard_ns: dict[Repeats, int] = {}
        self._is_full_for: set[str] = set()
        """The ids of alerts that the rate has kept waiting."""

    def delivered(self, alerts: Iterable[Alert], now_ns: int) -> None:
        """The channel has got these, together, at `now_ns`."""
        self._sent_ns.append(now_ns)
        for alert in alerts:
            self._heard_ns[alert.repeats_of] = now_ns
            self._is_full_for.discard(alert.id)

    def due(self, pending: Sequence[Alert], now_ns: int) -> Due:
        """What of `pending`, oldest first, the channel is to get at `now_ns`."""
        self._forget(now_ns)
        quiet: list[Alert] = []
        free: list[Alert] = []
        for alert in pending:
            heard_ns = self._heard_ns.get(alert.repeats_of)
            is_quiet = heard_ns is not None and now_ns < heard_ns + self._quiet_ns
            (quiet if is_quiet else free).append(alert)
        quiet_ns = min((self._quiet_until_ns(alert) for alert in quiet), default=0)
        if not free:
            return Due((), quiet_ns)
        urgent = next((alert for alert in free if alert.is_urgent), None)
        room = self._rate - len(self._sent_ns)
        if room > 0:
            return Due(self._together(free))
        if urgent is not None and room > -self._rate:
            return Due((urgent,))
        self._is_full_for |= {alert.id for alert in free}
        full_ns = self._sent_ns[0] + self._window_ns
        return Due((), min(full_ns, quiet_ns or full_ns))

    def _together(self, free: list[Alert]) -> tuple[Alert, ...]:
        """All that the rate kept waiting; else the first, with those of its kind that waited."""
        waited = [alert for alert in free if alert.id in self._is_full_for]
        if waited:
            return tuple(waited)
        first = next((alert for alert in free if alert.is_urgent), free[0])
        if first.repeats_of not in self._heard_ns:
            return (first,)
        return tuple(alert for alert in free if alert.repeats_of == first.repeats_of)

    def _quiet_until_ns(self, alert: Alert) -> int:
        return self._heard_ns[alert.repeats_of] + self._quiet_ns

    def _forget(self, now_ns: int) -> None:
        """Let go what is too long ago to matter. A clock that was set back holds nothing up."""
        self._sent_ns = [each for each in self._sent_ns if 0 <= now_ns - each < self._window_ns]
        keep_ns = max(self._quiet_ns * 2, self._window_ns)
        self._heard_ns = {
            key: each for key, each in self._heard_ns.items() if 0 <= now_ns - each <= keep_ns
        }
