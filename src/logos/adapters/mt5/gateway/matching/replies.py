"""Whose answer is this? The bridge's answers carry no request id.

The problem: an answer that comes after its request was given up must never be taken for the answer
to another. Losing an answer only costs time (the terminal is asked); mistaking one loses an order.

Method. Every request carries a token in its `comment`: the client order id of a new order, a fresh
one otherwise.

- A terminal that echoes the comment in its answers (the simulator does; docs/MT5.md shows the line
  to add to an Expert Advisor) is matched exactly: the token must be ours, and `request_id`, where
  there is one, must be new. Everything else is a stray, and is dropped.
- A terminal that does not is matched by shape, and only while no answer is outstanding: once a
  request was lost, nothing is believed until the connection has been fenced (`fences`)
  by a question whose answer looks different from everything that is outstanding, or by one more
  question of a kind than answers of that kind are. A terminal does one thing after the other, so
  what was asked before the fence has been answered, and dropped, once the fence is. Until then
  the answer to an order counts as no answer at all.
- A new order's ticket must be new, and a refusal that repeats the one before byte for byte proves
  nothing without an echo: it may be the same frame twice.
"""

from __future__ import annotations

import enum
import re
import secrets
from collections import Counter, OrderedDict
from typing import Final

from logos.adapters.mt5.gateway.wire import TRADE, Question, Reply

_TOKEN: Final = re.compile(r"q[0-9a-f]{8}\.[0-9]+", re.ASCII)
_REMEMBERED: Final = 8_192


def token_start() -> str:
    """What the tokens of one process begin with; no two processes have the same."""
    return f"q{secrets.token_hex(4)}"


class Match(enum.Enum):
    """What a frame is to the question that waits."""

    OURS = "ours"
    STRAY = "stray"
    DOUBTFUL = "doubtful"
    """It may be the answer, or a late one to something else: as good as none."""


class _Recent:
    """The last few thousand of something, to be recognised when they come again."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: OrderedDict[object, None] = OrderedDict()

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def add(self, item: object) -> None:
        self._items[item] = None
        if len(self._items) > _REMEMBERED:
            self._items.popitem(last=False)


class Attribution:
    """Remembers what was asked and answered on one terminal, and judges each frame by it."""

    def __init__(self) -> None:
        self.does_echo = False
        """Whether this terminal has ever put a token of ours into an answer."""
        self.outstanding: Counter[str] = Counter()
        """How many answers of each kind may still come; only kept without echoes."""
        self._tokens = _Recent()
        self._request_ids = _Recent()
        self._tickets = _Recent()
        self._last_refusal = b""

    def asked(self, question: Question) -> None:
        """A question is about to leave."""
        self._tokens.add(question.token)

    def lost(self, question: Question) -> None:
        """A question was given up; its answer may still come."""
        self.outstanding[question.kind] += 1

    def fenced(self, kind: str = "", count: int = 0) -> None:
        """What was asked before has been answered or never will be, but for `count` of `kind`."""
        self.outstanding.clear()
        if count:
            self.outstanding[kind] = count

    def forget_terminal(self) -> None:
        """Another terminal may answer from now on: whether it echoes is open again."""
        self.does_echo = False

    def judge(self, question: Question, reply: Reply, frame: bytes) -> Match:
        """What `reply` (read from `frame`) is to `question`."""
        match = self._judge(question, reply, frame)
        if match is Match.OURS and reply.get("request_id"):
            self._request_ids.add((question.token, reply["request_id"]))
        if match is Match.OURS and question.kind == TRADE:
            if reply.get("order"):
                self._tickets.add(_ticket(reply))
            if reply.get("error") is True:
                self._last_refusal = frame
        return match

    def _judge(self, question: Question, reply: Reply, frame: bytes) -> Match:
        if not question.is_shape_of(reply):
            return Match.STRAY
        comment = reply.get("comment")
        if isinstance(comment, str) and comment:
            if comment == question.token:
                self.does_echo = True
                # The same order may be sent again after a requote; the terminal numbers the tries,
                # from the beginning when it is started anew.
                is_repeated = (comment, reply.get("request_id")) in self._request_ids
                return Match.STRAY if is_repeated else Match.OURS
            if comment in self._tokens or _TOKEN.fullmatch(comment):
                # An earlier request's, perhaps of a process before this one.
                self.does_echo = True
                return Match.STRAY
        if self.does_echo:
            return Match.STRAY
        return self._judge_silent(question, reply, frame)

    def _judge_silent(self, question: Question, reply: Reply, frame: bytes) -> Match:
        """Without an echo: what does not fit is a stray, what could be something else is doubt."""
        if question.is_new_order and reply.get("order") and _ticket(reply) in self._tickets:
            return Match.STRAY
        if question.is_fence:
            return Match.OURS
        if self.outstanding and question.kind in (*self.outstanding, TRADE):
            return Match.DOUBTFUL
        if question.kind == TRADE and reply.get("error") is True and frame == self._last_refusal:
            return Match.DOUBTFUL
        return Match.OURS


def _ticket(reply: Reply) -> str:
    return str(reply.get("order"))
