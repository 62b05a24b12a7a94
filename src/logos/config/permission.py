"""Whether orders may leave this process: checked before a session starts, with every objection.

A venue other than the paper one needs leave on the command line each time, limits that bound what
can be lost, and keys of the right kind.
"""

from __future__ import annotations

from typing import Any

from logos.config.credentials import CredentialsError, credentials, has_credentials
from logos.config.environment import Environment
from logos.config.limits import live_problems
from logos.config.proved import unproved
from logos.config.settings import Config
from logos.config.tables.live import VenueName
from logos.errors import ConfigError


def live_overrides(live: bool, acknowledge_risk: bool) -> dict[str, Any]:
    """The tables that `--live` and `--i-acknowledge-risk` stand for; both, or neither.

    Raises ConfigError when only one is given.
    """
    if live != acknowledge_risk:
        given, missing = ("--live", "--i-acknowledge-risk")[:: 1 if live else -1]
        raise ConfigError(f"{given} needs {missing}: live orders take both, each time")
    return {"venue": {"live": True}} if live else {}


def refusals(config: Config, environment: Environment, *, has_all_limits: bool = True) -> list[str]:
    """Why a session with these settings may not start, a text each; none for the paper venue.

    `has_all_limits`: False when a limit could not be read, so that none is called missing.
    """
    venue = config.venue
    if venue.name is VenueName.PAPER:
        return []
    problems = []
    if not venue.live:
        problems.append(
            f"venue.name = {venue.name.value!r} sends orders out of this process, which takes "
            "--live and --i-acknowledge-risk on the command line, each time; without them use "
            "venue.name = 'paper'"
        )
        # With leave they are part of what makes settings valid at all.
        problems += live_problems(config) if has_all_limits else []
    if reason := unproved(config):
        problems.append(f"venue: {reason}")
    if has_credentials(venue):
        try:
            credentials(venue, environment)
        except CredentialsError as error:
            problems.append(str(error))
    return problems
