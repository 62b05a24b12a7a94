"""Where the coordinator of a fleet is: from the settings of a session, or from what one left.

A session that joins a fleet leaves `state/fleet/NAME.json` in its workspace, so that an operator's
command needs the name alone. Passwords come from the environment or `.env`, here as there.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from logos import paths
from logos.config.environment import Environment
from logos.config.layers import load_config
from logos.config.secret import Secret
from logos.config.tables.coordinator import CoordinatorSettings
from logos.config.terms.coordinator import PASSWORD, coordinator_of
from logos.core.types import NS_PER_SECOND
from logos.errors import ConfigError
from logos.killswitch.fleet.records import CoordinatorError
from logos.killswitch.fleet.seen import Seen, read_seen, seen_path
from logos.killswitch.fleet.store import Coordinator


def terms_of(settings: CoordinatorSettings, environment: Environment | None = None) -> Coordinator:
    """Where the coordinator is. Raises ConfigError when a password is needed and not there."""
    return Coordinator(
        fleet=settings.fleet,
        backend=settings.backend.value,
        endpoints=tuple(settings.endpoints),
        ttl_ns=settings.ttl_s * NS_PER_SECOND,
        poll_ns=settings.poll_ms * 1_000_000,
        ca=_file(settings.ca),
        certificate=_file(settings.certificate),
        key=_file(settings.key),
        user=settings.user,
        password=find_password(settings.user, environment),
        service=settings.service,
        shard="" if isinstance(settings.shard, msgspec.UnsetType) else settings.shard,
    )


def terms_seen(seen: Seen, environment: Environment | None = None) -> Coordinator:
    """Where the coordinator is that a session joined. Raises ConfigError as `terms_of`."""
    return Coordinator(
        fleet=seen.fleet,
        backend=seen.backend,
        endpoints=seen.endpoints,
        ttl_ns=seen.ttl_ns,
        poll_ns=seen.poll_ns,
        ca=_file(seen.ca),
        certificate=_file(seen.certificate),
        key=_file(seen.key),
        user=seen.user,
        password=find_password(seen.user, environment),
        service=seen.service,
    )


def find_terms(
    fleet: str, file: str | None, workspaces: Sequence[Path], tell: Callable[[str], object]
) -> tuple[Coordinator, Seen | None]:
    """The coordinator of `fleet`, and what a session of one of these workspaces has seen of it.

    By the settings in `file`, else by what a session left in one of the workspaces. What cannot be
    read of that `tell` hears: it is only a memory, and shall keep nobody from engaging the fleet.
    Raises ConfigError when neither names it, CoordinatorError when all that would is damaged.
    """
    seen, damaged = None, list[CoordinatorError]()
    for home in workspaces:
        try:
            found = read_seen(seen_path(paths.state_dir(home), fleet))
        except CoordinatorError as error:
            damaged.append(error)
            continue
        if found is not None and (seen is None or found.epoch > seen.epoch):
            seen = found
    if damaged and seen is None and file is None:
        raise damaged[0]
    for each in damaged:
        tell(str(each))
    if file is not None:
        settings = coordinator_of(load_config(file, {}, sends_orders=False))
        if settings is None or settings.fleet != fleet:
            named = "no fleet" if settings is None else f"fleet {settings.fleet}"
            raise ConfigError(f"{file} names {named}, not {fleet}: see [killswitch.coordinator]")
        return terms_of(settings), seen
    if seen is None:
        raise ConfigError(
            f"no session of fleet {fleet} ever ran here: name the settings of one with --config "
            "FILE, or go to its workspace"
        )
    return terms_seen(seen), seen


def find_password(user: str, environment: Environment | None = None) -> Callable[[], str] | None:
    """What gives the password of `user`; None where nobody logs in.

    Raises ConfigError when it is not set.
    """
    if not user:
        return None
    found = (environment or Environment.read()).find(PASSWORD)
    if found is None:
        raise ConfigError(
            f"killswitch.coordinator.user is {user!r}, and its password is not set: set "
            f"{PASSWORD} in the environment or in .env"
        )
    return Secret(found.value).reveal


def reset_command(fleet: str, epoch: int, file: str | None = None) -> str:
    """The command that allows a fleet to trade again. `file`: the settings that were named."""
    words = f"logos kill reset --fleet {fleet} --by YOUR_NAME --reason WHY_IT_IS_SAFE_AGAIN"
    words += f" --epoch {epoch}"
    if file is not None:
        return f"{words} --config {shlex.quote(file)}"
    # Before the first session of a fleet nothing but its settings says where the coordinator is.
    return words if epoch else f"{words} --config FILE"


def _file(name: str) -> Path | None:
    """A file that a command in another folder finds as well."""
    return Path(name).absolute() if name else None
