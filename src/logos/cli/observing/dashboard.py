"""`logos dashboard`: the sessions of a workspace in a browser, read only, in its own process."""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path
from typing import Final

from logos.cli.exit_codes import exit_codes
from logos.cli.observing.options import add_tls, address, certificate_of
from logos.cli.running.here import find_named, say
from logos.config.environment import Environment
from logos.errors import ConfigError, WorkspaceError
from logos.installation import install_command

LISTEN_DEFAULT: Final = "127.0.0.1:9465"
_LIBRARIES: Final = ("starlette", "uvicorn", "anyio", "h11", "click")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos dashboard`."""
    parser.epilog = exit_codes(
        {
            0: "ended by SIGINT or SIGTERM",
            2: "a wrong command line, no workspace, or a library is missing",
            6: "it cannot listen there",
        }
    )
    add = parser.add_argument
    where = f"address to listen on (default: {LISTEN_DEFAULT}; port 0 is any free one)"
    add("--listen", type=address, default=address(LISTEN_DEFAULT), metavar="HOST:PORT", help=where)
    named = "the workspace to show (default: the one you are in)"
    add("--workspace", type=Path, metavar="FOLDER", help=named)
    called = "a host name by which it may be asked besides, as behind a proxy; as often as needed"
    add("--name", action="append", default=[], metavar="HOST", help=called)
    add_tls(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal; returns the exit code."""
    try:
        return _serve(options, _workspace(options.workspace))
    except (ConfigError, WorkspaceError) as error:
        print(f"logos dashboard: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        words = f"{library} is not installed: {install_command('dashboard')}"
        print(f"logos dashboard: {words}", file=sys.stderr)
        return 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = ""
        if error.errno == errno.EADDRINUSE:
            hint = "; choose another port with --listen, 127.0.0.1:0 is any free one"
        print(f"logos dashboard: {where}{error.strerror or error}{hint}", file=sys.stderr)
        return 6


def _workspace(named: Path | None) -> Path:
    if named is None:
        return find_named()
    if not named.is_dir():
        raise WorkspaceError(f"--workspace {named}: there is no such folder")
    return named.absolute()


def _serve(options: argparse.Namespace, workspace: Path) -> int:
    from logos.observe.dashboard.access import Access, check_listening, read_token
    from logos.observe.dashboard.app import Dashboard
    from logos.observe.dashboard.server import DashboardServer

    environment = Environment.read()
    if environment.warning:
        print(f"logos dashboard: {environment.warning}", file=sys.stderr)
    access = Access(read_token(environment), options.name)
    certificate = certificate_of(options)
    check_listening(options.listen[0], access, certificate, is_plain=options.plain_http)
    server = DashboardServer(options.listen, Dashboard(workspace, access), certificate)
    say(f"workspace {workspace}")
    token = "" if access.is_open else "#token=THE_TOKEN"
    say(f"open {server.url}{token} (Ctrl-C ends it)")
    server.run()
    return 0
