"""All of a feed's shares, or all of its coins: asked about together, or heard on one connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from logos.adapters.alpaca.lines import SymbolLine
from logos.adapters.alpaca.market_data import (
    STREAM_ADDRESS,
    DataAccess,
    MarketData,
    bar_of,
    quote_of,
    trade_of,
)
from logos.adapters.alpaca.sockets import QUIET_S, Socket, SocketLost, open_socket, socket_url
from logos.core.clock import Backoff, Clock
from logos.core.types import NS_PER_SECOND
from logos.data.source import interval_from_text
from logos.feeds.common import Patience, Reporter, SymbolGoneError, Trouble, Voice
from logos.feeds.contract import FeedFailedError, FeedState
from logos.venues.records import is_record
from logos.venues.redact import Redactor

SETTLE_NS: Final = NS_PER_SECOND
"""A bar is calculated a second after its close (alpaca.markets/learn-api/stock-minute-bars)."""
_LATE_POLL_S: Final = 5.0
"""Between two questions for a bar that should be there, and may have had no trade."""
_FINAL: Final = {402: "check the keys", 405: "subscribe to fewer symbols", 409: "use another feed"}
"""Errors of a stream that no second try mends (docs.alpaca.markets/docs/streaming-market-data)."""


class Plan(msgspec.Struct, frozen=True):
    """What is delivered, and how: `kind` is quotes, trades, both or bars (of `interval`);
    `transport` is poll or websocket, where bars other than of a minute are polled. After
    `silence_s` without a message a stream is checked by asking."""

    kind: str
    transport: str
    interval: str = "1m"
    poll_interval_s: float = 1.0
    silence_s: float = 30.0


class Voices(Voice):
    """The streams of many symbols, speaking as one."""

    def __init__(self, lines: Sequence[SymbolLine]) -> None:
        self.lines = list(lines)

    def live(self, detail: str = "") -> None:
        """Data comes (again), of all of them."""
        for voice in self._each():
            voice.live(detail)

    def trouble(self, trouble: Trouble, wait_s: float) -> None:
        """Something failed for all of them."""
        for voice in self._each():
            voice.trouble(trouble, wait_s)

    def closed(self, detail: str) -> None:
        """No data is to be expected of any."""
        for voice in self._each():
            voice.closed(detail)

    def _each(self) -> list[Voice]:
        return [voice for line in self.lines for voice in line.all_voices]


class Group:
    """The symbols of one endpoint."""

    def __init__(
        self,
        lines: Sequence[SymbolLine],
        reporter: Reporter,
        data: MarketData,
        access: DataAccess,
        plan: Plan,
    ) -> None:
        self._lines = {line.name: line for line in lines}
        self._voices = Voices(lines)
        self._reporter = reporter
        self._data = data
        self._access = access
        self._plan = plan
        self._kinds = tuple(lines[0].voices)
        self._interval_ns = interval_from_text(plan.interval)
        self._redactor = Redactor([access.key.reveal(), access.secret.reveal()])

    async def follow(self, clock: Clock, backoff: Backoff) -> str:
        """Deliver until no symbol is left; the reason."""
        patience = Patience(self._voices, clock, backoff)
        gone = await patience.ask(self._begin)
        self._reporter.say("", FeedState.LIVE)
        if not self._lines:
            return gone
        try:
            if self._plan.transport == "websocket" and self._is_streamed:
                await self._stream(clock, patience)
            else:
                await self._poll(clock, patience)
        except (SymbolGoneError, FeedFailedError) as error:
            self._voices.closed(str(error))
            return str(error)
        raise AssertionError("a group has no end but a reason")

    @property
    def _is_streamed(self) -> bool:
        return self._plan.kind != "bars" or self._plan.interval == "1m"

    @property
    def _names(self) -> list[str]:
        return list(self._lines)

    async def _begin(self) -> str:
        """See which symbols Alpaca has; the others are closed, in these words. What follows counts
        from now on."""
        known: set[str] = set()
        reasons: dict[str, str] = {}
        for name in self._names:
            try:
                known |= set(await self._data.latest_quotes([name]))
                if name not in known:
                    known |= set(await self._data.latest_trades([name]))
            except SymbolGoneError as gone:
                reasons[name] = str(gone)
        for name in self._names:
            if name not in known:
                line = self._lines.pop(name)
                self._voices.lines.remove(line)
                words = reasons.setdefault(
                    name, f"alpaca has nothing of {name!r}: no quote, no trade"
                )
                self._reporter.say(line.symbol, FeedState.CLOSED, words)
        for line in self._lines.values():
            line.begin(self._data.served_ns)
        return "; ".join(reasons.values())

    # ---- asking ----

    async def _poll(self, clock: Clock, patience: Patience) -> None:
        while True:
            await patience.ask(self._catch_up)
            self._voices.live()
            await clock.sleep(self._pause_s())

    def _pause_s(self) -> float:
        if self._plan.kind != "bars":
            return self._plan.poll_interval_s
        due_ns = (
            max(line.bars.sequence.next_open_ns for line in self._lines.values())
            + self._interval_ns
        )
        wait_s = (due_ns + SETTLE_NS - self._data.served_ns) / NS_PER_SECOND
        if wait_s > 0:
            return max(self._plan.poll_interval_s, wait_s)
        return max(self._plan.poll_interval_s, _LATE_POLL_S)

    async def _catch_up(self) -> int:
        """Ask and hand over what is new; how many events that were."""
        count = 0
        if "quotes" in self._kinds:
            for name, quote in (await self._data.latest_quotes(self._names)).items():
                if name in self._lines:
                    count += await self._lines[name].offer_quote(quote)
        if "trades" in self._kinds:
            since_ns = min(line.trades.last_ns for line in self._lines.values())
            for name, page in (await self._data.trades(self._names, since_ns)).items():
                count += await self._lines[name].offer_trades(page)
        if "bars" in self._kinds:
            count += await self._ask_bars()
        return count

    async def _ask_bars(self) -> int:
        """Bars that have closed since, and the one before them once more: it may be corrected."""
        count = 0
        first_ns = min(line.bars.sequence.next_open_ns for line in self._lines.values())
        since_ns = first_ns - self._interval_ns
        found = await self._data.bars(self._names, self._plan.interval, since_ns)
        closed_ns = self._data.served_ns - SETTLE_NS
        for name, page in found.items():
            count += await self._lines[name].offer_bars(page, closed_ns)
        return count

    # ---- listening ----

    async def _stream(self, clock: Clock, patience: Patience) -> None:
        address = self._access.url.rstrip("/") or STREAM_ADDRESS
        are_coins = "/" in self._names[0]
        path = "/v1beta3/crypto/us" if are_coins else f"/v2/{self._access.source}"
        while True:
            try:
                async with open_socket(
                    socket_url(address, path), clock, self._access.timeout_s
                ) as socket:
                    await self._sign_in(socket)
                    await self._catch_up()
                    patience.calm()
                    self._voices.live()
                    await self._listen(socket, patience)
            except SocketLost as lost:
                trouble = Trouble(self._redactor.clean(f"alpaca: stream: {lost}"))
            except Trouble as trouble_heard:
                trouble = trouble_heard
            await patience.wait_out(trouble)

    async def _sign_in(self, socket: Socket) -> None:
        _answered(await socket.hear(), "success", "connected")
        key, secret = self._access.key.reveal(), self._access.secret.reveal()
        await socket.say({"action": "auth", "key": key, "secret": secret})
        _answered(await socket.hear(), "success", "authenticated")
        channels = [*self._kinds, "updatedBars"] if "bars" in self._kinds else list(self._kinds)
        words = dict.fromkeys(channels, self._names)
        await socket.say({"action": "subscribe", **words})
        told = _answered(await socket.hear(), "subscription")
        for channel in channels:
            if not set(self._names) <= set(told.get(channel) or ()):
                raise Trouble(f"alpaca: stream: the subscription to {channel} was not confirmed")

    async def _listen(self, socket: Socket, patience: Patience) -> None:
        """Hand over what comes. Raises Trouble when it comes no more, SocketLost."""
        quiet_s = 0.0
        while True:
            message = await socket.hear_or_pong()
            if message is not None:
                quiet_s = 0.0
                patience.calm()
                for point in _points(message):
                    await self._take(point)
                continue
            quiet_s += QUIET_S
            if quiet_s >= self._plan.silence_s:
                # A connection can answer pings and tell nothing: silence is checked by asking.
                if await self._catch_up():
                    words = f"the stream was silent for {quiet_s:g} s while the market moved"
                    raise Trouble(f"alpaca: {words}")
                quiet_s = 0.0

    async def _take(self, point: Mapping[str, Any]) -> None:
        kind = point.get("T")
        if kind == "error":
            raise _error_of(point)
        line = self._lines.get(str(point.get("S")))
        if line is None:
            return
        if kind == "q" and "quotes" in line.voices:
            await line.offer_quote(quote_of(point))
        elif kind == "t" and "trades" in line.voices:
            await line.offer_trades([trade_of(point)], follows=True)
        elif kind == "b" and "bars" in line.voices:
            bar = bar_of(point)
            await line.offer_bars([bar], bar.opened_ns + self._interval_ns)
        elif kind == "u" and "bars" in line.voices:
            line.correct(bar_of(point))
        elif kind in ("c", "x") and "trades" in line.voices:
            what = "corrected" if kind == "c" else "withdrawn"
            number = point.get("oi" if kind == "c" else "i")
            line.voices["trades"].gap(f"trade {str(number)[:40]} was {what} by its exchange")


def _answered(message: object, kind: str, words: str = "") -> Mapping[str, Any]:
    """The one control message expected. Raises Trouble, FeedFailedError."""
    [point, *_] = _points(message) or [{}]
    if point.get("T") == "error":
        raise _error_of(point)
    if point.get("T") != kind or (words and point.get("msg") != words):
        raise Trouble(f"alpaca: stream: no answer about {words or kind}")
    return point


def _points(message: object) -> list[Mapping[str, Any]]:
    if not isinstance(message, list):
        raise Trouble("alpaca: stream: a message holds no list")
    return [point for point in message if is_record(point)]


def _error_of(point: Mapping[str, Any]) -> Exception:
    code, words = point.get("code"), str(point.get("msg"))[:100]
    text = f"alpaca: stream: error {code}: {words}"
    if code in _FINAL:
        return FeedFailedError(f"{text}; {_FINAL[code]}")
    if code == 406:
        text += "; another process hears this stream with the same keys"
    return Trouble(text)
