"""News of orders by Alpaca's `trade_updates` stream (docs.alpaca.markets/docs/websocket-streaming).

It only says that something happened: what, is asked for. Nothing of what happened before the
subscription is told, nor what happens while there is no connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from logos.adapters.alpaca.sockets import Socket, SocketLost, open_socket
from logos.core.clock import Clock
from logos.venues.contract import OrderNews, Unavailable
from logos.venues.ids import ClientIds
from logos.venues.records import is_record
from logos.venues.redact import Redactor, Revealable

_ALIVE = OrderNews("", is_sign_of_life=True)


async def order_news(
    url: str,
    keys: tuple[Revealable, Revealable],
    ids: ClientIds,
    clock: Clock,
    redactor: Redactor,
    timeout_s: float,
) -> AsyncIterator[OrderNews]:
    """News from the stream at `url`, a sign of life first. Raises Unavailable once it is lost."""
    words = ""
    try:
        async with open_socket(url, clock, timeout_s) as socket:
            await _listen(socket, keys)
            yield _ALIVE
            while True:
                message = await socket.hear_or_pong()
                yield _ALIVE if message is None else _news(message, ids)
    except SocketLost as lost:
        words = redactor.clean(str(lost))
    raise Unavailable(f"alpaca: trade_updates: {words}")


async def _listen(socket: Socket, keys: tuple[Revealable, Revealable]) -> None:
    key, secret = keys[0].reveal(), keys[1].reveal()
    await socket.say({"action": "auth", "key": key, "secret": secret})
    data = await _answer(socket, "authorization")
    if data.get("status") != "authorized":
        raise SocketLost(f"the keys are {str(data.get('status'))[:40]}")
    await socket.say({"action": "listen", "data": {"streams": ["trade_updates"]}})
    data = await _answer(socket, "listening")
    if data.get("streams") != ["trade_updates"]:
        raise SocketLost("the stream is not there")


async def _answer(socket: Socket, stream: str) -> Any:
    message = await socket.hear()
    data = message.get("data") if is_record(message) else None
    if not is_record(message) or message.get("stream") != stream or not is_record(data):
        raise SocketLost(f"no answer about {stream}")
    return data


def _news(message: object, ids: ClientIds) -> OrderNews:
    """What a message is about. What cannot be read may be about any order of ours; what is of
    somebody else only shows that the stream is alive."""
    data = message.get("data") if is_record(message) else None
    order = data.get("order") if is_record(data) else None
    name = order.get("client_order_id") if is_record(order) else None
    if not isinstance(name, str) or not name:
        return OrderNews("")
    ours = ids.to_ours(name)
    return OrderNews(ours) if ours else _ALIVE
