"""A thread for each channel: takes what is pending, hands it over, notes that it was taken.

A channel that is slow, away or refuses holds up nobody else. What failed is tried again after
1, 2, 4 ... 60 seconds, for a day; then that it was given up is noted, and `logos alerts list` says
so. An alert that a channel refuses again and again lets those behind it pass.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from logos.config.environment import Environment
from logos.config.tables.alerts import AlertSettings, ChannelSettings
from logos.core.types import NS_PER_SECOND
from logos.errors import ConfigError, error_words
from logos.observe.alerts.alert import Alert, Message, message_of, summary_of
from logos.observe.alerts.channels.base import Channel, DeliveryError
from logos.observe.alerts.channels.make import make_channel
from logos.observe.alerts.outbox import Failed, Outbox, Outcome, Taken
from logos.observe.alerts.throttle import Throttle

BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
GIVE_UP_NS: Final = 86_400 * NS_PER_SECOND
_PASSED_AFTER: Final = 3
"""Failures of one alert after which those behind it go first."""

MakeChannel = Callable[[str, ChannelSettings, Environment], Channel]


class Delivery:
    """Delivers to one channel, in a thread of its own."""

    def __init__(
        self,
        name: str,
        settings: AlertSettings,
        outbox: Outbox,
        tell: Callable[[str], object],
        make: MakeChannel = make_channel,
    ) -> None:
        """`settings` has the channel `name`; `tell` hears, once, of an outbox that fails."""
        self.name = name
        self.settings = settings
        self._outbox = outbox
        self._tell = tell
        self._make = make
        self._throttle = Throttle(settings)
        self._failures = 0
        self._tries: dict[str, int] = {}
        self._errors: dict[str, str] = {}
        """Why each alert that is tried again failed last."""
        self._wake = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"alerts {name}", daemon=True)
        self.failure = ""
        """Why the thread ended, in words; empty while all is well."""
        self._remember()

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something new."""
        self._wake.set()

    def stop(self, wait_s: float) -> None:
        """End after the delivery that is under way, if that is over within `wait_s`."""
        self._is_over.set()
        self._wake.set()
        self._thread.join(wait_s)

    def _remember(self) -> None:
        """Rate and quiet go on where an earlier sender left them."""
        noted = [
            (taken.time_ns, taken.outcome, alert)
            for alert, taken in self._outbox.deliveries(self.name)
            if taken.outcome != "gave up"
        ]
        noted.sort(key=lambda each: each[0])
        for time_ns, together in groupby(noted, key=lambda each: each[0]):
            self._throttle.delivered([alert for _, _, alert in together], time_ns)

    def _run(self) -> None:
        try:
            while not self._is_over.is_set():
                wait_s = self.step()
                self._wake.wait(wait_s)
                self._wake.clear()
        except OSError as error:
            self.failure = f"channel {self.name}: {error.filename}: {error.strerror}"
            self._tell(self.failure)

    def step(self) -> float | None:
        """Deliver what is due; how many seconds to wait then, None: until something is new.

        Raises OSError when the outbox cannot be written.
        """
        while not self._is_over.is_set():
            now_ns = time.time_ns()
            pending = sorted(
                self._outbox.pending(self.name),
                key=lambda alert: self._tries.get(alert.id, 0) // _PASSED_AFTER,
            )
            due = self._throttle.due(pending, now_ns)
            if not due.alerts:
                return max(0.05, (due.again_ns - now_ns) / NS_PER_SECOND) if due.again_ns else None
            if not self._deliver(due.alerts):
                wait_s = BACKOFF_S[min(self._failures, len(BACKOFF_S)) - 1]
                if self._is_over.wait(wait_s):
                    break
        return None

    def _deliver(self, alerts: Sequence[Alert]) -> bool:
        """Hand `alerts` over together; whether they were taken, or given up."""
        message = message_of(alerts[0]) if len(alerts) == 1 else summary_of(alerts)
        error = self._try(message)
        now_ns = time.time_ns()
        ids = tuple(alert.id for alert in alerts)
        if not error:
            outcome: Outcome = "sent" if len(alerts) == 1 else "summary"
            self._outbox.take(Taken(self.name, ids, outcome, now_ns))
            self._throttle.delivered(alerts, now_ns)
            self._failures = 0
            for each in ids:
                self._tries.pop(each, None)
                self._errors.pop(each, None)
            return True
        self._failures += 1
        for alert in alerts:
            self._tries[alert.id] = self._tries.get(alert.id, 0) + 1
            if now_ns - alert.time_ns > GIVE_UP_NS:
                self._outbox.take(Taken(self.name, (alert.id,), "gave up", now_ns, error))
            elif self._errors.get(alert.id) != error:
                self._errors[alert.id] = error
                self._outbox.take(Failed(self.name, alert.id, error, now_ns))
        return False

    def _try(self, message: Message) -> str:
        """Deliver `message`; why that failed, in words, or ""."""
        try:
            # Made anew each time: a variable that was missing may be in `.env` by now.
            channel = self._make(self.name, self.settings.channels[self.name], Environment.read())
            channel.deliver(message)
        except (DeliveryError, ConfigError) as error:
            return str(error)
        except Exception as error:  # a defect of one channel must not end the others' thread
            return f"internal error: {error_words(error).partition(':')[0]}"
        return ""
