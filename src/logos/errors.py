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


WORDS_MAX = 2_000
"""Characters of another's error that a message repeats."""


def error_words(error: BaseException) -> str:
    """An error of another's code as messages and files can hold it: `Type: text`.

    Its text may be missing, endless, not writable, or fail itself: none of that is raised.
    """
    try:
        # The text may be an object of a subclass of str, with methods of its own.
        words = str.__str__(str(error))
    except BaseException as problem:  # whatever it is: what is told is the first error
        words = f"(its text cannot be made: {type(problem).__name__})"
    if len(words) > WORDS_MAX:
        words = f"{words[:WORDS_MAX]} ... ({len(words)} characters)"
    return f"{type(error).__name__}: {words}".encode("utf-8", "backslashreplace").decode()


def cause_words(error: BaseException) -> str:
    """`Type: text` of an error; of a group, what its first one says."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def strategy_failed(method: str, error: BaseException) -> LogosError:
    """The error of a strategy's method, as one that ends the session.

    Whatever a strategy raises is its failure, also what would end a process (SystemExit). A
    KeyboardInterrupt may be an operator's all the same: the edge looks at the cause. What the core
    itself found wrong while it carried out an answer is returned as it is.
    """
    if isinstance(error, StrategyError | InvariantBroken):
        return error
    return StrategyError(f"the strategy raised in {method}: {error_words(error)}")
