"""How a machine becomes the owner of a shard: ledger, claim, folder, session.

Problem: the next owner resumes the session of an owner that may only stand still, and will write on
into its files when it goes on. Nothing on storage that is shared can tell it off. Method: each
claim has a folder of its own, named by its epoch. The next owner makes the claim, which ends every
permit under the one before it, and then copies the session from the newest whole folder below its
own. Whatever left under an earlier claim was in that folder before: an order is durable before its
last gate is asked. What a former owner writes later, it writes where nobody looks.

    FOLDER/FLEET/SHARD/0000007/sessions/ID/      on the storage that all machines reach
    FOLDER/FLEET/SHARD/0000007/logs/
    WORKSPACE/shards/SHARD/                      on each machine: switch, heartbeat, origins

The machine's own part stays on the machine: a kill switch belongs to one. Its folders of sessions
and logs are links to those of the claim.

Where the folder of the last owner that wrote anything cannot be read, its machine being gone, the
session may be restored from what was shipped of it (`takeover = "shipped"`). Who wrote last is
known from the coordinator, so that a folder that is missing is not taken for a shard that nobody
ever had.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec

from logos.config import Config, ConfigError
from logos.config.terms.coordinator import coordinator_of
from logos.config.terms.shards import shard_config, shards_of
from logos.errors import LogosError
from logos.files import make_folder, open_new, sync_file, sync_folder
from logos.journal.names import JOURNAL
from logos.killswitch.fleet.claims import ShardStore
from logos.killswitch.fleet.operating import change_budgets
from logos.killswitch.fleet.ownership import Ownership
from logos.killswitch.fleet.records import EngineEntry
from logos.killswitch.fleet.shards import Budgets, begin_budgets, enlist
from logos.killswitch.fleet.store import Coordinator
from logos.session.fleet.coordinator import terms_of

Restore = Callable[[Path, EngineEntry], object]
"""Makes the folder of a session of what was shipped of it; raises what says why it cannot."""


class ShardLostError(LogosError):
    """What the last owner of a shard wrote cannot be gone on with; the message says what to do."""


_EPOCH: Final = re.compile(r"[0-9]{7}")
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
"""Of the folder that is made, not of the one that is read."""
_LOCK: Final = "owner.lock"


def fleet_terms(config: Config) -> Coordinator:
    """Where the coordinator of a table of shards is. Raises ConfigError."""
    settings = coordinator_of(config)
    assert settings is not None  # the settings were checked
    return terms_of(settings)


def shard_workspace(home: Path, name: str) -> Path:
    """The machine's own part of a shard, in its workspace."""
    return home / "shards" / name


def claims_folder(config: Config, name: str) -> Path:
    """Where the folders of a shard's claims are."""
    folder = Path(shards_of(config).folder).expanduser()
    return Path(os.path.abspath(folder)) / fleet_terms(config).fleet / name


@contextmanager
def one_of_this_machine(workspace: Path, name: str) -> Iterator[None]:
    """Be the one process of this machine that owns the shard, or waits for it.

    Raises ConfigError while another one does.
    """
    make_folder(workspace)
    with open_new(workspace / _LOCK, "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"shard {name} is run by another process in {workspace}: logos status; a process "
                "that stands still has to be ended before this machine can take the shard again"
            ) from None
        yield


def ready_ledger(store: ShardStore, config: Config) -> Budgets:
    """The ledger of budgets, made by the first shard that starts; a new shard is entered in it.

    Raises ConfigError when it is of another total, BudgetRefusedError when what a new shard is to
    have is not free, CoordinatorError.
    """
    shards = shards_of(config)
    while True:
        budgets, revision = store.budgets()
        if budgets is not None:
            break
        grants = {name: each.budget for name, each in shards.table.items()}
        store.swap_budgets(begin_budgets(shards.total, grants), revision)
    if budgets.total != shards.total:
        raise ConfigError(
            f"shards.total is {shards.total:f}, and the ledger of the fleet has {budgets.total:f}: "
            "the ledger counts; to change it: logos fleet budget --config FILE --total AMOUNT"
        )
    for name, each in shards.table.items():
        if name not in budgets.granted:
            budgets = change_budgets(store, lambda ledger: enlist(ledger, name, each.budget))  # noqa: B023
    return budgets


def take_shard(
    config: Config,
    name: str,
    workspace: Path,
    wait_s: float,
    tell: Callable[[str], object],
    is_to_stop: Callable[[], bool] = lambda: False,
) -> Ownership:
    """Claim a shard, trying for `wait_s` unless it `is_to_stop`. Close what it gives.

    Raises ShardTakenError, BudgetRefusedError, ConfigError, CoordinatorError.
    """
    terms = fleet_terms(shard_config(config, name))
    own = Ownership(terms, token_hex(8), workspace)
    try:
        budgets = ready_ledger(own.store, config)
        claim = own.take(wait_s, tell, is_to_stop)
    except BaseException:
        own.close()
        raise
    granted = budgets.granted.get(name, Decimal(0))
    tell(f"shard {name} of fleet {terms.fleet}: claim {claim.epoch}, budget {granted:f}")
    return own


def prepare_folder(
    claims: Path,
    epoch: int,
    workspace: Path,
    session_id: str,
    tell: Callable[[str], object],
    last: EngineEntry | None = None,
    restore: Restore | None = None,
) -> bool:
    """Make the folder of a claim, with what the claims before it left; whether that is a session.

    The links of the machine's `workspace` lead there afterwards. `last`: what an owner said last
    that had written records. `restore`: makes the folder of a session of what was shipped of it;
    asked where that owner's folder cannot be read.

    Raises ShardLostError when that owner's session cannot be gone on with, OSError.
    """
    make_folder(claims)
    folder = claims / f"{epoch:07d}"
    making = claims / f".{folder.name}.{token_hex(4)}"
    for part in ("sessions", "logs"):
        make_folder(making / part)
    try:
        has_session = _fill(making, claims, epoch, session_id, tell, last, restore)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    for part in ("sessions", "logs"):
        sync_folder(making / part)
    os.rename(making, folder)
    sync_folder(claims)
    _link(workspace / "runs" / "live" / "sessions", folder / "sessions")
    _link(workspace / "logos" / "logs", folder / "logs")
    return has_session


def _fill(
    making: Path,
    claims: Path,
    epoch: int,
    session_id: str,
    tell: Callable[[str], object],
    last: EngineEntry | None,
    restore: Restore | None,
) -> bool:
    """Bring the session that the claims before `epoch` left into `making`; whether there is one."""
    wrote = 0 if last is None else last.claim
    before, why = None, f"there is no folder of claim {wrote}"
    try:
        before = _newest(claims, epoch, session_id)
        if before is not None and int(before.name) >= wrote:
            tell(f"shard {claims.name}: going on with session {session_id} from {before}")
            _bring(before, making, session_id)
            return True
    except OSError as error:
        if last is None or error.errno in _NO_ROOM:
            raise
        why = f"the folder of claim {wrote} cannot be read: {error.strerror or error}"
    if last is None:
        return False
    where = f"shard {claims.name}: {why} in {claims}, and {last.name} had written {last.written}"
    if restore is None:
        raise ShardLostError(
            f"{where} records of session {session_id}. Nobody goes on from less: bring the storage "
            'back; without it only what was shipped is left (takeover = "shipped" in [shards], see '
            "docs/SCALE.md)"
        )
    tell(f"{where} records: session {session_id} is restored from what was shipped")
    for part in ("sessions", "logs"):
        shutil.rmtree(making / part)
        make_folder(making / part)
    restore(making / "sessions" / session_id, last)
    return True


def _bring(before: Path, making: Path, session_id: str) -> None:
    _copy(before / "sessions" / session_id, making / "sessions" / session_id)
    log = before / "logs" / f"{session_id}.jsonl"
    if log.exists():
        shutil.copyfile(log, making / "logs" / log.name)
        sync_file(making / "logs" / log.name)


def _newest(claims: Path, epoch: int, session_id: str) -> Path | None:
    """The newest folder below `epoch` that has the session; None where there is none."""
    whole = sorted((each for each in claims.iterdir() if _EPOCH.fullmatch(each.name)), reverse=True)
    return next(
        (
            each
            for each in whole
            if int(each.name) < epoch and (each / "sessions" / session_id / JOURNAL).is_file()
        ),
        None,
    )


def _copy(source: Path, target: Path) -> None:
    """Copy a session's folder, which may be written to, and see to it that the disk has it.

    Files are appended to or replaced whole, so what is copied is what was there at some moment; a
    line that is torn is cut off by whoever resumes it.
    """
    make_folder(target)
    for path in sorted(source.iterdir()):
        if path.is_dir():
            _copy(path, target / path.name)
            continue
        with suppress(FileNotFoundError):  # a file that was being replaced
            shutil.copyfile(path, target / path.name)
            os.chmod(target / path.name, 0o600)
            sync_file(target / path.name)
    sync_folder(target)


def _link(link: Path, target: Path) -> None:
    """Let `link` lead to `target` from now on. Raises OSError when something else is there."""
    make_folder(link.parent)
    fresh = link.parent / f".{link.name}.{token_hex(4)}"
    fresh.symlink_to(target)
    if link.exists() and not link.is_symlink():
        fresh.unlink()
        raise FileExistsError(17, "is no link to the folder of a claim: move it away", str(link))
    os.rename(fresh, link)


class Plan(msgspec.Struct, frozen=True):
    """One line of the plan of a fleet."""

    shard: str
    session: str
    symbols: tuple[str, ...]
    partitions: tuple[int, ...]
    budget: Decimal
    budget_max: Decimal


def make_shard_plan(config: Config) -> list[Plan]:
    """What each shard is to trade, read and hold. Raises ConfigError."""
    lines = []
    for name, each in shards_of(config).table.items():
        own = shard_config(config, name)
        most = own.risk.total.max_gross_exposure
        lines.append(
            Plan(
                name,
                own.session.id,
                tuple(each.symbols),
                tuple(each.partitions),
                each.budget,
                most,
            )
        )
    return lines
