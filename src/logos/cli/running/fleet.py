"""The switch of a fleet, by hand: `logos kill --fleet`, its reset, `logos status --fleet`.

Bare `logos kill` reaches the sessions of one machine. With `--fleet NAME` it engages the switch in
the coordinator as well, which every engine of the fleet reads each second, and waits until each has
confirmed that it is BLOCKED and DRAINED, or its permit is proved to have expired. Where the
coordinator cannot be reached this machine is stopped all the same, and the command says that the
rest is not.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from logos.cli.running.here import find_here, say
from logos.cli.running.stopping import (
    EXIT_DONE,
    EXIT_NOT_DRAINED,
    EXIT_NOT_WRITTEN,
    EXIT_NOTHING,
    EXIT_USAGE,
    Order,
    stop,
)
from logos.core.types import NS_PER_SECOND, SwitchState
from logos.errors import ConfigError, LogosError, WorkspaceError
from logos.killswitch.fleet.connect import connect
from logos.killswitch.fleet.operating import (
    DONE,
    Engaged,
    FleetResetRefusedError,
    Muster,
    Progress,
    release,
    tighten,
)
from logos.killswitch.fleet.records import (
    CoordinatorError,
    EngineEntry,
    FleetRecord,
    check_name,
    decode_record,
)
from logos.killswitch.fleet.store import Store
from logos.session.fleet.coordinator import find_terms, reset_command
from logos.session.presence.found import find_sessions

_EXIT_REFUSED: Final = 4
_EXIT_NOT_SAFE: Final = 1
_LOOK_S: Final = 0.1
_WRITE_S: Final = 5.0
"""How long it is tried to write the switch."""
_LATE_TTLS: Final = 2
"""An engine that has not renewed for so many times to live is late, by its own clock."""


def open_fleet(name: str, file: str | None) -> tuple[Store, int]:
    """The coordinator of a fleet, and the highest epoch that was seen here.

    Raises ConfigError, CoordinatorError, WorkspaceError; each says what to do.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    here = find_here()
    homes = [] if here is None else [here]
    homes += [each.workspace for each in find_sessions() if each.workspace is not None]
    terms, seen = find_terms(name, file, homes, _warn)
    store = connect(terms)
    if store.limits:
        _warn(f"fleet {name}: {store.limits}")
    return store, 0 if seen is None else seen.epoch


def _warn(words: str) -> None:
    print(words, file=sys.stderr)


class _Tightening(threading.Thread):
    """Engages the fleet's switch while this machine's sessions are stopped."""

    def __init__(self, store: Store, floor: int, fleet: str, order: Order) -> None:
        super().__init__(name="fleet kill", daemon=True)
        self._store = store
        self._floor = floor
        self._fleet = fleet
        self._order = order
        self.engaged: Engaged | None = None
        self.problem = ""

    def run(self) -> None:
        order = self._order
        try:
            engaged = tighten(
                self._store,
                order.wanted,
                order.by,
                order.reason,
                floor=self._floor,
                until_s=_WRITE_S,
            )
        except (LogosError, OSError) as error:
            self.problem = str(error)
            say(f"fleet {self._fleet}: NOT {order.wanted.name}: {error}")
            return
        self.engaged = engaged
        already = "" if engaged.is_new else f" already, by {engaged.record.who}"
        say(f"fleet {self._fleet}: {engaged.record.state} at epoch {engaged.record.epoch}{already}")


def stop_fleet(fleet: str, file: str | None, order: Order) -> int:
    """Stop this machine and the fleet; the exit code, see `logos.cli.kill`."""
    began_s = time.monotonic()
    store, tightening = None, None
    try:
        store, floor = open_fleet(fleet, file)
    except (LogosError, OSError) as error:
        print(f"fleet {fleet}: NOT {order.wanted.name}: {error}", file=sys.stderr)
    else:
        say(f"{order.intent} of fleet {fleet}")
        tightening = _Tightening(store, floor, fleet, order)
        tightening.start()
    local = stop(order)
    if local == EXIT_NOTHING:
        local = EXIT_DONE
    if tightening is not None:
        tightening.join()
    if store is None or tightening is None or tightening.engaged is None:
        print(
            f"the machines of fleet {fleet} that reach its coordinator TRADE ON: repeat the "
            "command, or run `logos kill` on each",
            file=sys.stderr,
        )
        return EXIT_NOT_WRITTEN
    code = EXIT_DONE
    if order.wanted is SwitchState.ENGAGED:
        left_s = max(0.0, order.timeout_s - (time.monotonic() - began_s))
        code = _wait(store, fleet, tightening.engaged, left_s)
    store.close()
    print(f"to clear: {reset_command(fleet, tightening.engaged.record.epoch, file)}")
    print("then, on each machine, its own switch: logos kill status")
    return max(code, local)


def _wait(store: Store, fleet: str, engaged: Engaged, timeout_s: float) -> int:
    """Wait until every engine has stopped, and name each. An exit code."""
    muster = Muster(store, engaged)
    until_s = time.monotonic() + timeout_s
    told: set[str] = set()
    was_read = False
    while True:
        try:
            found = muster.look()
            was_read, trouble = True, ""
        except CoordinatorError as error:
            found, trouble = muster.known(), str(error)
        for entry, progress in found:
            if progress in DONE and entry.token not in told:
                told.add(entry.token)
                print(f"{entry.name}: {_words(entry, progress)}", flush=True)
        left = [(entry, progress) for entry, progress in found if entry.token not in told]
        if was_read and not left:
            break
        if time.monotonic() >= until_s:
            return _incomplete(fleet, left, trouble)
        time.sleep(_LOOK_S)
    if not told:
        print(f"no engine of fleet {fleet} has an entry: none can have a permit")
    return EXIT_DONE


def _incomplete(fleet: str, left: Sequence[tuple[EngineEntry, Progress]], trouble: str) -> int:
    print("KILL_INCOMPLETE", file=sys.stderr)
    if trouble:
        print(f"fleet {fleet}: its engines could not be listed: {trouble}", file=sys.stderr)
    for entry, progress in left:
        print(f"{entry.name}: {_words(entry, progress)}", file=sys.stderr)
    return EXIT_NOT_DRAINED


def _words(entry: EngineEntry, progress: Progress) -> str:
    words = str(progress.value)
    if progress is Progress.STOPPED and entry.ended:
        words += " (it has ended)"
    if progress is Progress.EXPIRED:
        words += f" ({entry.ttl_ns / NS_PER_SECOND:g} s and more since)"
        if entry.is_real:
            words += "; what rests at its venue is not known: look there"
    if progress is Progress.RESTING:
        words += ": what rests at its venue is not confirmed gone"
    return words


def reset_fleet(args: argparse.Namespace) -> int:
    """Allow a fleet to trade again; the exit code, see `logos.cli.kill`."""
    fleet = args.fleet
    try:
        store, floor = open_fleet(fleet, args.config)
        record = release(store, args.by, args.reason, args.epoch, is_forced=args.force, floor=floor)
    except (ValueError, ConfigError, WorkspaceError) as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except (FleetResetRefusedError, CoordinatorError, OSError) as error:
        print(error, file=sys.stderr)
        return _EXIT_REFUSED
    store.close()
    print(sentence_of(fleet, record))
    print("a machine whose own switch is engaged has to be reset there: logos kill status")
    return EXIT_DONE


def sentence_of(fleet: str, record: FleetRecord) -> str:
    """The switch of a fleet in one line."""
    moment = datetime.fromtimestamp(record.time_ns // NS_PER_SECOND, UTC)
    return (
        f"fleet {fleet}: {record.state} at epoch {record.epoch} since "
        f"{moment:%Y-%m-%d %H:%M:%S} UTC by {record.who}: {record.why}"
    )


def show_fleet(fleet: str, file: str | None, *, as_json: bool) -> int:
    """Print the switch of a fleet and its engines; 0 while all of it may trade, else 1."""
    try:
        store, _ = open_fleet(fleet, file)
        reading = store.read()
        record = None if reading.value is None else decode_record(reading.value)
        entries = sorted(store.engines(), key=lambda entry: (entry.name, entry.token))
    except (ConfigError, WorkspaceError) as error:
        print(f"logos status: {error}", file=sys.stderr)
        return EXIT_USAGE
    except (LogosError, OSError) as error:
        print(f"logos status: fleet {fleet}: {error}", file=sys.stderr)
        return _EXIT_NOT_SAFE
    store.close()
    now_ns = time.time_ns()
    late = [entry for entry in entries if _is_late(entry, now_ns)]
    is_safe = record is not None and record.severity is SwitchState.SAFE and not late
    if as_json:
        whole = {
            "fleet": fleet,
            "cluster": reading.cluster,
            "switch": None if record is None else msgspec.to_builtins(record),
            "engines": [
                {**msgspec.to_builtins(entry), "late": _is_late(entry, now_ns)} for entry in entries
            ],
        }
        print(json.dumps(whole, indent=2))
        return EXIT_DONE if is_safe else _EXIT_NOT_SAFE
    if record is None:
        print(f"fleet {fleet}: no switch; to make it: {reset_command(fleet, 0, file)}")
    else:
        print(sentence_of(fleet, record))
    for entry in entries:
        print(f"  {entry.name}: {_state_of(entry, now_ns)}")
    if not entries:
        print("  no engine has an entry")
    if record is not None and record.severity is not SwitchState.SAFE:
        print(f"to clear: {reset_command(fleet, record.epoch, file)}")
    return EXIT_DONE if is_safe else _EXIT_NOT_SAFE


def _is_late(entry: EngineEntry, now_ns: int) -> bool:
    return not entry.ended and now_ns - entry.renewed_ns > _LATE_TTLS * entry.ttl_ns


def _state_of(entry: EngineEntry, now_ns: int) -> str:
    age_s = (now_ns - entry.renewed_ns) / NS_PER_SECOND
    words = f"renewed {age_s:.1f} s ago, by its clock" if not entry.ended else "ended"
    if _is_late(entry, now_ns):
        words = f"LATE: {words}; its permit lasts {entry.ttl_ns / NS_PER_SECOND:g} s"
    stand = entry.state or "not known"
    if entry.blocked:
        stand += ", BLOCKED, DRAINED" if entry.drained else ", BLOCKED, NOT DRAINED"
    return f"{words}; switch {stand}; epoch {entry.epoch}"
