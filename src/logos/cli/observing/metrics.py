"""`logos metrics`: every session of this user as Prometheus metrics, in a process of its own."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from logos.cli.exit_codes import exit_codes
from logos.cli.observing.options import add_tls, address, certificate_of
from logos.cli.running.here import find_here, say
from logos.cli.running.until_signal import UntilSignal
from logos.config.environment import Environment
from logos.errors import ConfigError, WorkspaceError
from logos.files import replace_file
from logos.installation import install_command

if TYPE_CHECKING:
    from logos.observe.metrics.exposition import Page

LISTEN_DEFAULT: Final = "127.0.0.1:9464"
_INTERVAL_S: Final = 15.0
_NICE: Final = 10
_MODE_DEFAULT: Final = 0o640
_TEXTFILE_SUFFIX: Final = ".prom"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos metrics`."""
    parser.epilog = exit_codes(
        {
            0: "ended by SIGINT or SIGTERM, or written with --once",
            2: "a wrong command line, or a library is missing",
            6: "it cannot listen there, or the file cannot be written",
        }
    )
    add = parser.add_argument
    where = f"address to serve /metrics on (default: {LISTEN_DEFAULT}; port 0 is any free one)"
    add("--listen", type=address, metavar="HOST:PORT", help=where)
    textfile = "write a .prom file for the node exporter's textfile collector; serve nothing"
    add("--textfile", type=Path, metavar="PATH", help=f"{textfile}, unless --listen is given")
    every = f"seconds between two writings of the file (default: {_INTERVAL_S:g})"
    add("--interval", type=_seconds, default=_INTERVAL_S, metavar="S", help=every)
    mode = f"permissions of the file, octal (default: {_MODE_DEFAULT:04o}, its group may read it)"
    add("--textfile-mode", type=_mode, default=_MODE_DEFAULT, metavar="MODE", help=mode)
    once = "print the page, or write the file, once; then end"
    add("--once", action="store_true", help=once)
    add(
        "--workspace",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="also show what ended in this workspace (default: the one you are in); "
        "sessions that run are found wherever they are",
    )
    add_tls(parser)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 3_600:
        raise argparse.ArgumentTypeError("between 0.1 and 3600 seconds")
    return value


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0o400 <= mode <= 0o666:
        raise argparse.ArgumentTypeError(f"not permissions of a file: {text!r}; as 0640")
    return mode


def run(options: argparse.Namespace) -> int:
    """Serve or write until a signal; returns the exit code."""
    try:
        workspaces = _workspaces(options.workspace)
        _check(options)
        return _run(options, workspaces)
    except (ConfigError, WorkspaceError) as error:
        print(f"logos metrics: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "prometheus_client":
            raise
        words = f"prometheus-client is not installed: {install_command('metrics')}"
        print(f"logos metrics: {words}", file=sys.stderr)
        return 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"logos metrics: {where}{error.strerror or error}", file=sys.stderr)
        return 6


def _workspaces(named: list[Path]) -> list[Path]:
    if not named:
        here = find_here()
        return [] if here is None else [here]
    for folder in named:
        if not folder.is_dir():
            raise WorkspaceError(f"--workspace {folder}: there is no such folder")
    return [folder.absolute() for folder in named]


def _check(options: argparse.Namespace) -> None:
    certificate_of(options)
    textfile: Path | None = options.textfile
    if textfile is not None and textfile.suffix != _TEXTFILE_SUFFIX:
        raise ConfigError(
            f"--textfile {textfile}: the collector reads files named *{_TEXTFILE_SUFFIX} alone"
        )
    if options.once and options.listen is not None:
        raise ConfigError("--once writes one page and ends: it does not go with --listen")


def _run(options: argparse.Namespace, workspaces: list[Path]) -> int:
    from logos.observe.metrics.exposition import Page
    from logos.observe.metrics.gathering import Gatherer

    page = Page(Gatherer(workspaces).gather)
    if options.once:
        if options.textfile is None:
            print(page.encoded()[0].decode(), end="")
        else:
            _write(page, options)
        return 0
    for folder in workspaces:
        say(f"workspace {folder}")
    stand_back()
    with UntilSignal() as stop:
        if options.textfile is None or options.listen is not None:
            return _serve(page, options, stop)
        say(f"writing {options.textfile} every {options.interval:g} s")
        _write_often(page, options, stop)
    return 0


def stand_back() -> None:
    """Let sessions on this machine have the processor first, this process and its later threads:
    a page may wait, a tick should not. A system that refuses is left as it is."""
    with suppress(OSError):
        os.nice(max(0, _NICE - os.getpriority(os.PRIO_PROCESS, 0)))
    if hasattr(os, "SCHED_BATCH"):
        # Whoever it wakes up beside is not interrupted for it.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _serve(page: Page, options: argparse.Namespace, stop: UntilSignal) -> int:
    from logos.observe.metrics.server import MetricsServer, check_listening, read_access

    where = options.listen or address(LISTEN_DEFAULT)
    environment = Environment.read()
    if environment.warning:
        print(f"logos metrics: {environment.warning}", file=sys.stderr)
    access = read_access(environment)
    certificate = certificate_of(options)
    check_listening(where[0], access, certificate, is_plain=options.plain_http)
    server = MetricsServer(where, page, access, certificate)
    try:
        say(f"serving {server.url}" + ("" if access.is_open else ", with credentials"))
        if options.textfile is not None:
            _write_often(page, options, stop)
        stop.wait()
    finally:
        server.close()
    return 0


def _write_often(page: Page, options: argparse.Namespace, stop: UntilSignal) -> None:
    _write(page, options)
    while not stop.wait(options.interval):
        _write(page, options)


def _write(page: Page, options: argparse.Namespace) -> None:
    """Replace the file whole: the collector never sees half a page. Raises OSError."""
    replace_file(options.textfile, page.encoded()[0], durable=False, mode=options.textfile_mode)
