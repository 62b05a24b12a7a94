"""`logos fleet start`: own shards on this machine, and trade them.

One shard is one session in this process. Several are a process each, begun from here, which is
told how each ended; SIGINT, SIGTERM and SIGUSR1 are passed on to all of them.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final

from logos import paths
from logos.cli.fleet.shipped import shipped_of
from logos.cli.run_command import ProgressBar, add_shown, attempt
from logos.config import Config, ConfigError
from logos.config.terms.shards import shard_config, shards_of
from logos.held_signals import HELD, has_come, held
from logos.killswitch.fleet.records import CoordinatorError
from logos.killswitch.fleet.shards import BudgetRefusedError, ShardTakenError
from logos.observe.shipping.branches import NotRestorable
from logos.observe.shipping.reading import TopicsUnreadable
from logos.session import SessionResult, SwitchEngagedError
from logos.session import run as run_session
from logos.session.entry import resume
from logos.session.fleet.taking import (
    ShardLostError,
    claims_folder,
    one_of_this_machine,
    prepare_folder,
    shard_workspace,
    take_shard,
)
from logos.session.opening.machine_switch import open_switch
from logos.session.stored.origin import Origin, read_origin, write_origin

_INTERRUPTED: Final = 130


def add_start_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos fleet start`."""
    parser.add_argument(
        "--shard",
        metavar="NAME",
        action="append",
        help="own this one (repeatable); default: all of the table",
    )
    parser.add_argument(
        "--wait",
        metavar="S",
        type=float,
        default=30.0,
        help="how long to wait for a shard that another owns, seconds (default: 30)",
    )
    add_shown(parser)


def start(config: Config, options: argparse.Namespace) -> int:
    """Own the shards and trade them to their end; an exit code. Raises ConfigError."""
    names = options.shard or list(shards_of(config).table)
    for name in names:
        shard_config(config, name)
    return _start_one(config, names[0], options) if len(names) == 1 else _start_all(names, options)


def _start_one(config: Config, name: str, options: argparse.Namespace) -> int:
    def go(bar: ProgressBar) -> SessionResult:
        workspace = shard_workspace(paths.home(), name)
        switch = paths.within(workspace, paths.state_dir()) / "kill-switch"
        with one_of_this_machine(workspace, name), held(switch):
            return _own(config, name, options, bar)

    return attempt(go, options, "fleet start")


def _own(config: Config, name: str, options: argparse.Namespace, bar: ProgressBar) -> SessionResult:
    tell: Callable[[str], object] = bar.screen.tell
    workspace = shard_workspace(paths.home(), name)
    own_config = shard_config(config, name)
    session_id = own_config.session.id
    # Before the claim: a machine whose switch is engaged takes no shard away from others. Before
    # another's session is linked to: that would look like a past whose switch is gone.
    open_switch(tell, workspace).close()
    try:
        own = take_shard(config, name, workspace, options.wait, tell, has_come)
    except (ShardTakenError, BudgetRefusedError, CoordinatorError) as error:
        raise SwitchEngagedError(f"{error}\nNothing is traded.") from None
    try:
        folders = claims_folder(config, name)
        # Read under the claim: no owner before it says anything any more.
        last, shipped = own.store.last(), shipped_of(config, session_id, tell)
        has_session = prepare_folder(folders, own.epoch, workspace, session_id, tell, last, shipped)
        origin = Origin.here(options.config)
        if not has_session:
            return run_session(
                own_config,
                on_plan=bar.start,
                beside=bar.screen.beside,
                tell=tell,
                origin=origin,
                home=workspace,
                ownership=own,
            )
        if read_origin(session_id, workspace) is None:
            write_origin(origin, session_id, workspace)
        return resume(
            session_id,
            on_plan=bar.start,
            beside=bar.screen.beside,
            tell=tell,
            home=workspace,
            ownership=own,
        )
    except (ShardLostError, CoordinatorError, NotRestorable, TopicsUnreadable) as error:
        raise SwitchEngagedError(f"{error}\nNothing is traded.") from None
    finally:
        own.close()


def _start_all(names: list[str], options: argparse.Namespace) -> int:
    """A process for each shard, until all have ended; the worst of their exit codes."""
    shown = [f"--{word}" for word in ("quiet", "verbose", "json") if getattr(options, word)]
    children: dict[str, subprocess.Popen[bytes]] = {}
    came: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        for child in children.values():
            if child.poll() is None:
                child.send_signal(number)

    before = {each: signal.signal(each, pass_on) for each in HELD}
    # What came while this was loading is heard now; the shards' processes hold theirs themselves.
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
    try:
        for name in names:
            command = [sys.executable, "-m", "logos.live", "fleet", "start", *shown]
            command += ["--config", options.config, "--shard", name, "--wait", str(options.wait)]
            # In a group of its own: a key that is pressed reaches it once, through this process.
            # What comes meanwhile is passed on, once, when this one is known to `pass_on`.
            signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
            try:
                if not came:
                    children[name] = subprocess.Popen(command, start_new_session=True)  # noqa: S603
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
        codes = {name: child.wait() for name, child in children.items()}
    except OSError as error:
        pass_on(signal.SIGTERM, None)
        for child in children.values():
            child.wait()
        raise ConfigError(f"a process cannot be begun: {error}") from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    for name in names:
        end = _end_words(codes[name]) if name in codes else "not begun, as this was interrupted"
        print(f"shard {name}: {end}", file=sys.stderr)
    return max(_exit_code(codes.get(name, _INTERRUPTED)) for name in names)


def _end_words(code: int) -> str:
    """How a process ended that `Popen.wait` gives `code` of."""
    if code >= 0:
        return f"exit code {code}"
    names = {each.value: each.name for each in signal.Signals}
    return f"ended by {names.get(-code, f'signal {-code}')}"


def _exit_code(code: int) -> int:
    """The same as a shell has it: 137 of a process that SIGKILL ended."""
    return code if code >= 0 else 128 - code
