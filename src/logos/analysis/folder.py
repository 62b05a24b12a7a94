"""What a session's folder says of it: facts, and what its journal tells besides the tables.

The journal is looked through once, line by line, and only the lines that are wanted are decoded: a
long session has hundreds of megabytes of it. `logos verify` judges it; here a line that cannot be
read ends the reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.analysis.model import EVENTS_MAX, Event, Facts
from logos.config import Config, make_config
from logos.errors import ConfigError
from logos.journal.names import JOURNAL
from logos.session.artifacts.derived.reading import Row, table_rows
from logos.session.stored.sessions import CRASHED, RUNNING, UNKNOWN, stored_session

_KIND: Final = b'"kind":"'

_EVENTS: Final = {
    b"refusal": ("code", "symbol", "detail"),
    b"guard": ("code", "subject", "detail"),
    b"warning": ("code", "symbol", "detail"),
    b"command": ("action", "symbol", "reason"),
    b"switch": ("state", "", "reason"),
}
"""By kind of record, what is the code, the symbol and the detail of an event."""

_UNFINISHED: Final = (RUNNING, CRASHED, UNKNOWN)


class _Line(msgspec.Struct, frozen=True):
    body: dict[str, Any]


_DECODER: Final = msgspec.json.Decoder(_Line)


class Told(msgspec.Struct):
    """What the journal tells. `is_whole`: every line up to the last newline could be read."""

    manifest: Mapping[str, Any]
    counts: Counter[str]
    """Records by kind."""
    refusals: Counter[str]
    orders: Counter[str]
    """Orders by symbol."""
    events: list[Event]
    is_whole: bool = True


def read_told(folder: Path) -> Told:
    """Look through the journal of the session in `folder`.

    Raises ConfigError when no session has begun there, OSError when it cannot be read.
    """
    told = Told({}, Counter(), Counter(), Counter(), [])
    try:
        with open(folder / JOURNAL, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break  # it is being written, or a crash tore it
                try:
                    _see(told, line)
                except (ValueError, LookupError):  # msgspec's errors are ValueErrors
                    told.is_whole = False
                    break
    except FileNotFoundError:
        raise ConfigError(f"{folder} has no journal: no session ran there") from None
    if not told.manifest:
        raise ConfigError(f"the session in {folder} has not begun: its journal has no manifest")
    return told


def _see(told: Told, line: bytes) -> None:
    start = line.index(_KIND) + len(_KIND)
    kind = line[start : line.index(b'"', start)]
    name = kind.decode()
    told.counts[name] += 1
    if kind == b"manifest":
        told.manifest = _DECODER.decode(line).body
    elif kind == b"order":
        told.orders[_DECODER.decode(line).body["symbol"]] += 1
    elif kind in _EVENTS:
        if kind != b"refusal" and len(told.events) >= EVENTS_MAX:
            return
        body = _DECODER.decode(line).body
        code, symbol, detail = _EVENTS[kind]
        if kind == b"refusal":
            told.refusals[body["code"]] += 1
        if len(told.events) < EVENTS_MAX:
            told.events.append(
                Event(
                    time_ns=body["ts_ns"],
                    tick_id=body["tick_id"],
                    kind=name,
                    code=body[code],
                    symbol=body.get(symbol, ""),
                    detail=body[detail],
                )
            )


class Tables:
    """The tables of a session's folder, and which of them is being read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.at = folder / JOURNAL
        """The file that was looked at last: the one to name when something in it is wrong."""

    def rows(self, name: str) -> Iterator[Row]:
        """The rows of a table, as `table_rows` has them."""
        path = self._folder / name
        rows = table_rows(path)
        while True:
            self.at = path
            row = next(rows, None)
            if row is None:
                return
            yield row


def workspace_of(folder: Path) -> Path:
    """The workspace of a session's folder: four levels up."""
    parents = folder.resolve().parents
    return parents[3] if len(parents) > 3 else parents[-1]


def config_of(told: Told) -> Config:
    """The settings in force. Raises ConfigError when they are none."""
    return make_config(told.manifest["config"], "the journal's manifest")


def read_facts(
    folder: Path, told: Told, config: Config, currencies: tuple[str, ...], currency: str
) -> Facts:
    """Which session it is; when it was, the tables say."""
    stored = stored_session(folder, workspace_of(folder))
    manifest = told.manifest
    return Facts(
        session_id=manifest["session_id"],
        folder=folder,
        strategy=manifest["strategy"],
        symbols=tuple(config.instruments),
        mode=stored.mode,
        data=stored.data,
        currencies=currencies,
        currency=currency,
        begun_ns=None,
        ended_ns=None,
        outcome=stored.status,
        is_finished=stored.status not in _UNFINISHED,
        reason=stored.reason,
        exit_code=stored.exit_code,
        ticks=stored.ticks,
        orders=told.counts["order"],
        fills=told.counts["fill"],
        refused=told.counts["refusal"],
        seed=manifest["seed"],
        software=manifest["software"],
        config_hash=manifest["config_hash"],
        data_files={
            name: digest for each in manifest["data"] for name, digest in each["files"].items()
        },
    )
