"""One session in a process of its own that stops at one point of its life until a line comes.

Started by tests: `waiting_session.py OPTIONS` with one JSON object, see `Options`; LOGOS_HOME says
where. Its strategy buys at every bar. Prints "go" at that point, and how it ended at the end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from journal_helpers import BarByBar, bars

from logos.core.messages import NOW, Event, Flatten
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import Side
from logos.errors import LogosError
from logos.session import open as open_module
from logos.session import run
from logos.session.entry import resume

CONFIG = {
    "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    "account": {"balances": {"USD": "1000000"}},
    "disk": {"min_free_bytes": 0},  # tests fill the disk
}
BARS = 12
CRASH_AT = 6


class Options(msgspec.Struct):
    """What the starter wants."""

    id: str
    at: str = "callback"
    """Where it waits: "start" (before its settings are read), "event" or "callback"."""
    what: str = "run"
    """run, crash (half-way, without waiting), resume or flatten."""
    event: int = 3
    """The event at which it waits, from 0."""


def wait() -> None:
    print("go", flush=True)
    sys.stdin.readline()


class Buyer(Strategy):
    """Buys at every bar; waits in its callback if it is to."""

    def __init__(self, wait_at: int = -1) -> None:
        self._wait_at = wait_at
        self._seen = 0

    def on_bar(self, context: Context, bar: Event) -> Answer:
        if self._seen == self._wait_at:
            wait()
        self._seen += 1
        return market(Side.BUY, 1)


class Feed(BarByBar):
    """Waits before one event, or fails at one."""

    def __init__(self, options: Options) -> None:
        super().__init__(bars(BARS))
        self._options = options

    def chunks(self) -> Iterator[Sequence[Event]]:
        for number, chunk in enumerate(super().chunks()):
            if self._options.what == "crash" and number == CRASH_AT:
                raise OSError(5, "the cable is out", "data")
            if self._options.at == "event" and number == self._options.event:
                wait()
            yield chunk


def waiting(make: Callable[..., Any]) -> Callable[..., Any]:
    """The function, but it waits first."""

    def made(*args: Any, **more: Any) -> Any:
        wait()
        return make(*args, **more)

    return made


def main(options: Options) -> dict[str, Any]:
    if options.at == "start":
        for name in ("make_plan", "same_plan"):
            setattr(open_module, name, waiting(getattr(open_module, name)))
    given: dict[str, Any] = {
        "strategy": Buyer(options.event if options.at == "callback" else -1),
        "feed": Feed(options),
    }
    try:
        if options.what in ("run", "crash"):
            result = run(CONFIG | {"session": {"id": options.id}}, **given)
        elif options.what == "resume":
            result = resume(options.id, use_snapshot=False, **given)
        else:
            order = Flatten(NOW, "drill", "ann")
            result = resume(options.id, use_snapshot=False, flatten=order, **given)
    except (LogosError, OSError) as error:
        return {"status": "", "error": str(error)}
    return {"status": result.status.value, "error": result.reason}


if __name__ == "__main__":
    print(json.dumps(main(msgspec.json.decode(sys.argv[1], type=Options))))
