"""What decides in a session, as SHA-256: the source of its strategy and guards, or its signals."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from pathlib import Path

from logos.config import Config, ConfigError
from logos.core.guards import OwnGuard
from logos.core.strategy import Strategy
from logos.data.signals import SignalStrategy
from logos.session.stored.origin import NOT_KNOWN, Origin
from logos.strategies.own_guards import guards_fingerprint


def fingerprint_of(
    config: Config, strategy: Strategy, guards: Sequence[OwnGuard], origin: Origin
) -> str:
    """The strategy's fingerprint; with guards of the user's, one of both. Raises ConfigError."""
    fingerprint = strategy_fingerprint(config, strategy, origin)
    if not guards:
        return fingerprint
    try:
        both = f"{fingerprint}:{guards_fingerprint(guards)}"
    except OSError as error:
        raise ConfigError(f"risk.guards: a guard has no source that can be read: {error}") from None
    return hashlib.sha256(both.encode()).hexdigest()


def strategy_fingerprint(config: Config, strategy: Strategy, origin: Origin = NOT_KNOWN) -> str:
    """SHA-256 of what decides: the signals, or the source file of the strategy's class."""
    path = origin.find(config.strategy.signals)
    if isinstance(strategy, SignalStrategy) and not (path or config.strategy.name):
        return strategy.fingerprint  # made in Python: no setting names its signals
    if not path:
        try:
            path = inspect.getsourcefile(type(strategy)) or ""
        except (TypeError, OSError):  # a class made on the fly, or in a notebook, has no file
            path = ""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ""
    except OSError:
        return ""
