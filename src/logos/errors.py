"""The one base of all errors that logos raises on purpose, and the two that any room may meet."""

from __future__ import annotations

from collections.abc import Sequence


class LogosError(Exception):
    """Something went wrong in a way that logos knows; the message says what and what to do."""


class ConfigError(LogosError):
    """The configuration cannot be used; the message says what, where and what to do.

    `problems` has one text for each thing that is wrong; the message is all of them.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (message,)


class DataError(LogosError):
    """Market data or signals that cannot be used; the message names the file, the place and why."""


class WorkspaceError(LogosError):
    """A file or folder of the workspace cannot be written or read; the message names it."""


class StrategyError(LogosError):
    """The strategy raised, or answered something that no order can be made of."""


class InvariantBroken(LogosError):
    """A rule of the engine's own that must always hold did not: a bug, never handled."""
