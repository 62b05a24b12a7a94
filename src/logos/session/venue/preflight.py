"""What must be well before a session may send real orders: asked before anything is made.

Problem: an order that goes to a venue with other rules, a wrong clock or the wrong account is
found out by its answer, and by then the kill switch is engaged over a line of the settings. Method:
the dry run that `logos venue check` makes is made at every start with real orders, on a connection
of its own, before anything is connected for good; a session that is refused leaves no folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, Final, TypeVar

import msgspec

from logos import paths
from logos.config import Config, ConfigError, VenueName
from logos.config.proved import unproved
from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.execution.clock import SystemClock
from logos.session.connections import Connections, Outside, connect, mt5_terminal, venue_of
from logos.session.plan import Plan
from logos.venues.contract import CheckLine, Venue, VenueError

CHECK_S: Final = 60.0
"""How long all questions of a dry run may take together."""

ANSWER_S: Final = 5.0
"""How long a terminal may take for one answer: a dry run is in no hurry."""

Value = TypeVar("Value")


def connect_ready(
    plan: Plan, outside: Outside | None, tell: Callable[[str], object] | None = None
) -> Connections:
    """What a live session is connected to, after its venue was asked whether all is well there.

    A venue that was given was chosen in Python, and is not asked. `tell` is that of
    `refuse_unless_ready`. Raises ConfigError and DataError, before anything has begun.
    """
    connections = connect(plan, outside)
    if plan.config.venue.live and connections.given_venue is None:
        refuse_unless_ready(plan.config, plan.instruments, tell)
    return connections


def refuse_unless_ready(
    config: Config, instruments: Mapping[str, Instrument], tell: Callable[[str], object] | None
) -> None:
    """See that real orders may go to the venue of `config`, and that all is well there.

    Raises ConfigError for a venue that is not proved, and for every line of the dry run that is
    BAD. With `tell` (a session that only closes its positions) a BAD line is told instead: nothing
    may keep what reduces a risk from being tried.
    """
    if reason := unproved(config):
        raise ConfigError(f"venue: {reason}")
    bad = [line for line in dry_run(config, instruments) if not line.is_ok]
    if not bad:
        return
    listed = "\n".join(f"  BAD  {line.name}: {line.detail}" for line in bad)
    words = f"venue: the dry run found what is not well, and no order was sent:\n{listed}"
    if tell is None:
        raise ConfigError(f"{words}\nCorrect the settings, then see `logos venue check`")
    tell(f"{words}\nThe session goes on all the same, because it is only to close positions")


def dry_run(config: Config, instruments: Mapping[str, Instrument]) -> Sequence[CheckLine]:
    """What the venue of `config` says of credentials, clock, rules and permissions.

    It connects, asks and lets go; no order is sent. A venue that does not answer is a BAD line.
    Raises ConfigError for a venue that cannot even be asked (no keys, no library).
    """
    # Asking needs no leave to trade.
    leave = msgspec.structs.replace(config.venue, live=True)
    return outside_of_loops(_ask(msgspec.structs.replace(config, venue=leave), instruments))


async def _ask(config: Config, instruments: Mapping[str, Instrument]) -> Sequence[CheckLine]:
    clock = SystemClock()
    # The generator only spreads the waits between tries, of which a dry run makes one.
    random = Random(paths.env_seed())  # noqa: S311
    venue, close = _connection(config, instruments, clock, random)
    if venue is None:
        return []
    try:
        async with asyncio.timeout(CHECK_S):
            return await venue.check()
    except TimeoutError:
        return [CheckLine("connection", False, f"no answer within {CHECK_S:g} s")]
    except VenueError as error:
        return [CheckLine("connection", False, str(error))]
    finally:
        await close()


def _connection(
    config: Config, instruments: Mapping[str, Instrument], clock: Clock, random: Random
) -> tuple[Venue | None, Callable[[], Coroutine[Any, Any, None]]]:
    """The venue, not opened yet, and how to let go of it."""
    if config.venue.name is VenueName.MT5:
        terminal = mt5_terminal(config, instruments, clock, random, ANSWER_S)
        return terminal.venue_of("check"), terminal.close
    venue = venue_of(config, instruments, "", clock, random)
    if venue is None:
        return None, _nothing
    return venue, venue.close


async def _nothing() -> None:
    """There is nothing to let go of."""


def outside_of_loops(work: Coroutine[Any, Any, Value]) -> Value:
    """Run `work` in an event loop of its own; in a thread where a loop runs in this one already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1, "logos check") as threads:
        return threads.submit(asyncio.run, work).result()
