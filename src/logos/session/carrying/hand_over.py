"""What an ended paper session holds, handed over to a new one, once.

While it is handed over the old session's journal is locked: it can neither run nor be resumed. That
it was carried on is noted in `state/carried/ID.json` of its workspace, and nothing in its folder
changes. From then on it cannot be resumed, flattened or carried again: its positions would be held
twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import paths
from logos.config import Config, ConfigError, make_config
from logos.config.tables.carry import CarriedSymbol, CarrySettings
from logos.core.fixed import to_decimal
from logos.core.types import MarkRule
from logos.files import make_folder, read_whole, replace_json
from logos.journal.entries import JOURNAL, Manifest, Sealed, open_journal
from logos.journal.lock import JournalLock, SessionBusyError
from logos.journal.reader import TornTail
from logos.session.carrying.books import Books, CarryError, HeldSymbol
from logos.session.carrying.lots import exact, lot_text
from logos.session.history import find_session
from logos.session.opening.spec import SessionSpec
from logos.session.restoring import CannotResumeError
from logos.session.stored.names import is_finished

_NEEDED: Final = ("instruments", "account", "session", "carry")
"""The tables of an old session's settings that its books depend on."""
_BYTES_MAX: Final = 64 << 20


class Carried(msgspec.Struct, frozen=True):
    """Which session carries one on."""

    by: str


class HandOver(msgspec.Struct, frozen=True):
    """The settings of a new session, with what it takes over."""

    config: Config
    path: Path | None = None
    """The note that the old session is carried on; None: nothing is carried."""

    def mark(self, session_id: str) -> None:
        """The old session is carried on by this one. Raises OSError."""
        if self.path is not None:
            make_folder(self.path.parent)
            replace_json(self.path, Carried(session_id))

    def take_back(self) -> None:
        """The new session did not begin."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def carried_by(session_id: str, home: Path | None = None) -> str:
    """The session that carries this one on; empty: none does.

    Raises ConfigError when the note cannot be read, OSError.
    """
    path = _note(session_id, home)
    try:
        return msgspec.json.decode(read_whole(path, _BYTES_MAX), type=Carried).by
    except FileNotFoundError:
        return ""
    except ValueError as error:
        raise ConfigError(f"{path} does not say who carries {session_id} on: {error}") from None


@contextmanager
def carried_on(spec: SessionSpec, config: Config) -> Iterator[HandOver]:
    """The settings `config` of a new session, with what `spec.carry` names.

    Within the block the old session cannot be resumed. Raises CarryError when it cannot be
    carried, JournalDamagedError, OSError.
    """
    old = spec.carry
    if config.carry is not msgspec.UNSET:
        raise CarryError("[carry] is filled by --carry: take it out of the settings")
    if not old:
        yield HandOver(config)
        return
    if config.venue.live:
        raise CarryError(
            f"--carry {old}: only a paper session takes positions over; a session at a venue finds "
            "there what it holds"
        )
    folder = find_session(old, spec.home)
    try:
        lock = JournalLock(folder / JOURNAL)
    except SessionBusyError:
        raise CarryError(
            f"session {old} still runs: stop it (Ctrl-C, or SIGTERM to its process), then carry it"
        ) from None
    try:
        by = carried_by(old, spec.home)
        if by:
            raise CarryError(
                f"session {old} is carried on already, by {by}, and its positions would be held "
                f"twice; carry {by} instead, once that has ended"
            )
        carry, initial = read_carry(folder)
        balances = {**config.account.balances, **initial}
        account = msgspec.structs.replace(config.account, balances=balances)
        taken = msgspec.structs.replace(config, account=account, carry=carry)
        yield HandOver(taken, _note(old, spec.home))
    finally:
        lock.close()


def refuse_carried(session_id: str, home: Path | None = None) -> None:
    """Raise CannotResumeError for a session that another one carries on; see `carried_by`."""
    by = carried_by(session_id, home)
    if by:
        raise CannotResumeError(
            f"session {session_id} is carried on by {by}, which holds its positions now: resume "
            f"that one, `logos resume {by}`"
        )


def check_carries(config: Config, session_id: str, home: Path | None = None) -> None:
    """Raise CannotResumeError for a session that was killed before it was noted that it takes
    another one over; see `carried_by`."""
    carry = config.carry
    if isinstance(carry, msgspec.UnsetType) or carried_by(carry.session, home) == session_id:
        return
    raise CannotResumeError(
        f"session {session_id} was ended before it had taken over {carry.session}: start it again "
        f"under another id, with --carry {carry.session}"
    )


def _note(session_id: str, home: Path | None) -> Path:
    return paths.within(home, paths.state_dir()) / "carried" / f"{session_id}.json"


# ---- what it holds ----


def read_carry(folder: Path) -> tuple[CarrySettings, dict[str, Decimal]]:
    """What the session in `folder` holds, and what its wallets began with.

    Raises CarryError, JournalDamagedError, OSError.
    """
    who = folder.name
    books: Books | None = None
    manifest: Manifest | None = None
    is_sealed = False
    with open_journal(folder / JOURNAL) as reader:
        try:
            for entry in reader.entries():
                record = entry.record
                if isinstance(record, Manifest):
                    manifest = record
                    books = Books(_settings(who, record.config))
                elif books is not None:
                    books.see(record)
                is_sealed = isinstance(record, Sealed)
        except TornTail:
            pass  # the end of a crash: it was never promised to anybody
        except CarryError as error:
            raise CarryError(f"session {who} cannot be carried: {error}") from None
        records, digest = reader.sequence, reader.digest.hex()
    if books is None or manifest is None or not books.money:
        raise CarryError(f"session {who} has no event yet, so there is nothing to carry")
    books.close()
    if is_sealed and is_finished(folder):
        _check_state(folder, books, records, digest)
    carry = CarrySettings(
        session=who,
        uuid=manifest.uuid,
        journal_hash=digest,
        records=records,
        ended_ns=books.ended_ns,
        losses=books.losses,
        balances={asset: exact(amount) for asset, amount in books.wallets.items()},
        **_ledgers(books),
        left=books.left,
        symbols={symbol: _symbol(who, symbol, books) for symbol in books.symbols},
    )
    initial = {asset: exact(books.initial.get(asset, Fraction(0))) for asset in books.wallets}
    return carry, initial


def _settings(who: str, tables: Mapping[str, Any]) -> Config:
    """The part of an old session's settings that its books depend on."""
    if (tables.get("venue") or {}).get("live"):
        raise CarryError("it sent real orders; what it holds lies at its venue")
    return make_config({key: tables[key] for key in _NEEDED if key in tables}, f"settings of {who}")


def _ledgers(books: Books) -> dict[str, dict[str, Decimal]]:
    def table(name: str) -> dict[str, Decimal]:
        return {
            currency: to_decimal(getattr(money, name), money.decimals)
            for currency, money in books.money.items()
        }

    totals = {
        name: {currency: exact(books.total(currency, name)) for currency in books.money}
        for name in ("realised", "fees")
    }
    names = ("payments", "high_water", "max_drawdown", "day_start")
    return totals | {name: table(name) for name in names}


def _symbol(who: str, symbol: str, books: Books) -> CarriedSymbol:
    held = books.symbols[symbol]
    settings = books.instrument(symbol)
    bid, ask = _prices(held, is_middle=settings.mark is MarkRule.MID)
    scales = held.prices, held.quantities, held.money
    lots = [lot_text(lot, *scales) for lot in held.inventory.lots()]
    if lots and bid == 0 == ask:
        raise CarryError(f"session {who} has shown no price of {symbol}, which it holds")
    return CarriedSymbol(
        base=held.base,
        quote=held.quote,
        tick=settings.tick,
        lot=settings.lot,
        multiplier=settings.multiplier,
        settlement=settings.settlement,
        bid=to_decimal(bid, held.prices),
        ask=to_decimal(ask, held.prices),
        realised=to_decimal(held.realised, held.money),
        fees=to_decimal(held.fees, held.money),
        actions_ns=held.actions_ns,
        next_lot=held.inventory.next_lot_id,
        lots=lots,
    )


def _prices(held: HeldSymbol, *, is_middle: bool) -> tuple[int, int]:
    """Bid and ask, in price units, at which the position has the value it had."""
    if is_middle:
        both = int(held.mark * 2 * 10**held.prices)
        return both // 2, both - both // 2
    price = int(held.mark * 10**held.prices)
    return price, price


def _check_state(folder: Path, books: Books, records: int, digest: str) -> None:
    """Raise CarryError unless state.json says what the journal does."""
    who, verify = folder.name, f"see `logos verify {folder.name}`"
    try:
        state = json.loads(read_whole(folder / "state.json", _BYTES_MAX))
        said = {
            "sequence": state["sequence"],
            "journal_hash": state["journal_hash"],
            "wallets": {asset: Fraction(amount) for asset, amount in state["wallets"].items()},
            "positions": {
                symbol: Fraction(each["position"]) for symbol, each in state["positions"].items()
            },
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise CarryError(
            f"session {who} cannot be carried: state.json cannot be read "
            f"({type(error).__name__}: {error}); {verify}"
        ) from None
    mine = {
        "sequence": records,
        "journal_hash": digest,
        "wallets": {asset: books.wallets.get(asset, Fraction(0)) for asset in said["wallets"]},
        "positions": {symbol: held.position for symbol, held in books.symbols.items()},
    }
    for name, value in mine.items():
        if said[name] != value:
            raise CarryError(
                f"session {who} cannot be carried: {name} in state.json is not what its journal "
                f"says; {verify}"
            )
