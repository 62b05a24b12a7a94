"""A live feed of what topics of Kafka brokers hold: quotes, trades, bars, and signals.

Problem: a session that is resumed must go on exactly behind the last message that it has seen, and
a message that cannot be read must neither stop trading nor pass in silence. Method: with the events
of each message goes its offset, into one batch of the recorded inputs; a resumed session asks its
inbox for it. What is not understood is left out, counted and told, and its offset is kept all the
same.

A signal that is too old when it comes is told and not acted out: after a night without the session
nobody wants last night's orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any, Final, cast

import msgspec

from logos.adapters.kafka.messages import (
    UNKNOWN_SYMBOL,
    BarMessage,
    market_event,
    read_market,
    read_signal,
    signal_of,
)
from logos.adapters.kafka.topics import Lost, Received, TopicReader, check_options
from logos.config.tables.kafka import LiveKafkaSettings, Start
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.messages import Bar
from logos.core.types import NS_PER_SECOND
from logos.data.defects import DUPLICATE_BAR
from logos.data.readers.numbers import RowError, format_timestamp
from logos.errors import ConfigError
from logos.feeds.common import Patience, Reporter, Trouble, UnitReader
from logos.feeds.contract import FeedFailedError, FeedState, OffsetSink, Sink

_STREAM: Final = "topics"
OLD_SIGNAL: Final = "old_signal"


class KafkaFeed:
    """A `LiveFeed` of topics.

    `markets` maps what messages call a symbol to its instrument. `options` are librdkafka's for the
    connection, `settings` the topics and what is wanted of them; without `has_market` only those of
    signals. `quantity` is for sides that name none.

    Raises ValueError without a topic, ImportError without the library.
    """

    def __init__(
        self,
        markets: Mapping[str, Instrument],
        clock: Clock,
        random: Random,
        options: Mapping[str, Any],
        settings: LiveKafkaSettings,
        quantity: Decimal | None = None,
        has_market: bool = True,
    ) -> None:
        topics = settings.topics if has_market else []
        signals = settings.signals
        if not topics and not signals:
            raise ValueError("no topics: name them in [live.kafka]")
        self._markets = dict(markets)
        self._units = {name: UnitReader(each) for name, each in markets.items()}
        self._clock = clock
        self._random = random
        self._topics = list(topics)
        self._signals = signals
        self._signal_age_max_ns = settings.signal_age_max_s * NS_PER_SECOND
        self._quantity = quantity
        self._from_end = settings.start is Start.END
        self._partitions = None if settings.partitions is msgspec.UNSET else settings.partitions
        self._bars_ns: dict[str, int] = {}
        """The end of the last bar of each symbol."""
        self._wanted = [*topics, *([signals] if signals else [])]
        self._options = dict(options)
        check_options(self._options)

    @property
    def name(self) -> str:
        """The source: "kafka"."""
        return "kafka"

    @property
    def symbols(self) -> Sequence[str]:
        """The session's symbols, if any market data is read."""
        return [each.symbol for each in self._markets.values()] if self._topics else []

    async def run(self, sink: Sink) -> None:
        """Deliver until cancelled; `sink` is an `OffsetSink`.

        Raises FeedFailedError for a topic that the brokers do not have, and for files of a
        connection that are none any more.
        """
        keeper = cast(OffsetSink, sink)
        reporter = Reporter(self.name, sink, self._clock)
        reporter.say("", FeedState.CONNECTING, f"topics {', '.join(self._wanted)}")
        voice = reporter.voice("", _STREAM)
        patience = Patience(voice, self._clock, Backoff(self._random))
        try:
            reader = TopicReader(self._options, self._wanted)
        except ConfigError as error:  # a file that was changed since the start
            raise FeedFailedError(str(error)) from None
        try:
            await patience.ask(
                lambda: reader.begin(
                    keeper.offset_of, from_end=self._from_end, only=self._partitions
                )
            )
            voice.live()
            is_away = False
            while True:
                try:
                    received = await reader.take()
                except Trouble as trouble:
                    voice.trouble(trouble, 0)
                    is_away = True
                    continue
                for each in received:
                    await self._hand_over(each, keeper, reporter)
                # A topic may be quiet for hours: that the brokers answer is enough.
                if received or (is_away and await reader.is_answered()):
                    voice.live()
                    is_away = False
        finally:
            await reader.close()

    async def _hand_over(
        self, received: Received | Lost, sink: OffsetSink, reporter: Reporter
    ) -> None:
        if isinstance(received, Lost):
            reporter.say(
                "",
                FeedState.GAP,
                f"{received.source}: message {received.offset} is not there any more; it is read "
                "from its beginning",
            )
            return
        try:
            if received.topic == self._signals:
                await self._signal(received.value, sink)
            else:
                await self._market(received.value, sink)
        except RowError as error:
            where = f"{received.source} message {received.offset}: {error.detail}"
            reporter.leave_out("", RowError(error.kind, where))
        # Nothing is awaited between the event's acceptance and this.
        sink.read_up_to(received.source, received.offset)

    async def _market(self, value: bytes | None, sink: OffsetSink) -> None:
        """Hand over the event of a message. Raises RowError."""
        message = read_market(value)
        units = self._units.get(message.symbol)
        if units is None:
            raise RowError(UNKNOWN_SYMBOL, f"symbol {message.symbol[:40]!r} is not traded here")
        event, event_ns = market_event(message, units, self._clock.now_ns())
        if isinstance(message, BarMessage) and isinstance(event, Bar):
            if event_ns <= self._bars_ns.get(event.symbol, 0):
                raise RowError(DUPLICATE_BAR, f"the bar of {message.opened[:40]} came before")
            self._bars_ns[event.symbol] = event_ns
        while not sink.market(event, event_ns):
            await sink.room()

    async def _signal(self, value: bytes | None, sink: OffsetSink) -> None:
        """Hand over a signal. Raises RowError."""
        message = read_signal(value)
        instrument = self._markets.get(message.symbol)
        if instrument is None:
            raise RowError(UNKNOWN_SYMBOL, f"symbol {message.symbol[:40]!r} is not traded here")
        now_ns = self._clock.now_ns()
        signal, made_ns = signal_of(message, instrument.symbol, self._quantity, now_ns)
        if now_ns - made_ns > self._signal_age_max_ns:
            age_s = (now_ns - made_ns) // NS_PER_SECOND
            raise RowError(
                OLD_SIGNAL,
                f"the signal of {format_timestamp(made_ns)} is {age_s} s old, and not acted out",
            )
        while not sink.signal(signal):
            await sink.room()
