"""Where a strategy failed: the place in a few words, and the way there.

A traceback of Python's names files of this machine, the frames of the engine (which are others when
it is compiled) and those of libraries (other versions, other lines). A session's files must come
out the same wherever it is replayed, so what goes into them is made here: the frames of the user's
own code, each as `package/module.py:12, in on_bar`, named after the module and not after where it
lies. A library that they called is named by the function that was called. The engine is left out.
"""

from __future__ import annotations

import linecache
import sysconfig
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, NamedTuple

from logos.errors import error_words

FILE_MODULE: Final = "logos_strategy_file"
"""The package under whose name `load` puts the modules of files."""

_FRAMES_MAX: Final = 40
"""Frames of one error that are told: the first and the last of them."""
_CAUSES_MAX: Final = 5
_WORDS_MAX: Final = 200
"""Characters of an error's text that its way repeats: the message has the rest."""
_LOGOS: Final = Path(__file__).resolve().parent.parent
_OURS_THAT_DECIDE: Final = (_LOGOS / "strategies", _LOGOS / "data" / "signals.py")
"""What is part of logos and a strategy all the same."""
_INSTALLED: Final = ("site-packages", "dist-packages")
_COMPREHENSIONS: Final = ("<listcomp>", "<dictcomp>", "<setcomp>")
"""Frames that Python 3.12 no longer has."""


class Step(NamedTuple):
    """One frame. `line` is 0 in a library, where only the function that was called is told."""

    file: str
    line: int
    function: str
    path: str

    def __str__(self) -> str:
        if self.line == 0:
            return f"{self.file}, in {self.function}"
        return f"{self.file}:{self.line}, in {self.function}"


def first_error(error: BaseException) -> BaseException:
    """What the user's code raised, of an error that says so."""
    if _steps(error):
        return error  # the user's code raised the very error
    # Compiled code knows no `raise ... from`: there the cause is the context.
    return error.__cause__ or error.__context__ or error


def failure_place(error: BaseException) -> str:
    """The last frame of the user's code that `error` came through; empty if it came through none.

    Of a recursion without end that is the last function that it entered for the first time.
    """
    if isinstance(error, SyntaxError) and error.filename and not _steps(error):
        return f"{Path(error.filename).name}:{error.lineno}"
    own = [step for step in _steps(error) if step.line]
    return str(own[-1]) if own else ""


def with_place(words: str, error: BaseException) -> str:
    """`words` about `error`, with the place where it was raised, if that is known."""
    place = failure_place(error)
    return f"{words} ({place})" if place else words


def failure_lines(error: BaseException, *, with_source: bool = False) -> list[str]:
    """The way to `error` through the user's code, and what caused it; empty if it is not known.

    The outermost frame comes first. `with_source` adds the lines of the files as they are now.
    """
    lines: list[str] = []
    for number, each in enumerate(_causes(error)):
        words = error_words(each)[:_WORDS_MAX]
        steps = _steps(each)
        if not steps:
            continue
        lines.append(f"caused by {words}" if number else words)
        for step in _shortened(steps):
            lines.append(f"  {step}")
            source = linecache.getline(step.path, step.line).strip() if with_source else ""
            if source:
                lines.append(f"    {source}")
    return lines


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from or because of, and so on."""
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen and len(seen) < _CAUSES_MAX:
        seen.append(at)
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _shortened(steps: Sequence[Step]) -> Iterator[Step]:
    half = _FRAMES_MAX // 2
    if len(steps) <= _FRAMES_MAX:
        yield from steps
        return
    yield from steps[:half]
    yield Step(f"... {len(steps) - _FRAMES_MAX} more", 0, "between", "")
    yield from steps[-half:]


def _steps(error: BaseException) -> list[Step]:
    """The frames from the first of the user's code on, without those of the engine.

    A strategy may be installed like a library: its frames are the user's if no others are.
    """
    frames = [each for each in _frames(error.__traceback__) if not _is_engine(_file(each[0]))]
    steps = _told(frames, (*_of_python(), *_INSTALLED))
    if not steps:
        steps = _told(frames, _of_python())
    if isinstance(error, RecursionError):
        # How deep it went depends on who called: each frame is told once.
        steps = [step for step in dict.fromkeys(steps) if step.line]
    return steps


def _told(frames: Sequence[tuple[FrameType, int]], libraries: Sequence[Path | str]) -> list[Step]:
    steps: list[Step] = []
    is_in_library = False
    for frame, line in frames:
        path = _file(frame)
        name = frame.f_code.co_name
        if _is_library(path, libraries):
            if steps and not is_in_library:
                module = str(frame.f_globals.get("__name__", path.stem))
                steps.append(Step(module, 0, name, ""))
            is_in_library = True
            continue
        is_in_library = False
        if name in _COMPREHENSIONS and steps:
            steps[-1] = steps[-1]._replace(line=line)
        else:
            steps.append(Step(_shown(frame, path), line, name, str(path)))
    return steps


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames of this raise. An error object that was raised before carries those of then
    behind them: they were called by another frame than the one before them here."""
    before: FrameType | None = None
    while traceback is not None:
        frame = traceback.tb_frame
        if (
            before is not None
            and frame.f_back not in (None, before)
            and not _is_engine(_file(before))
        ):
            return
        yield frame, traceback.tb_lineno
        # A compiled function has no frame that could have called another.
        if frame.f_back is not None or not _is_engine(_file(frame)):
            before = frame
        traceback = traceback.tb_next


def _file(frame: FrameType) -> Path:
    path = Path(frame.f_code.co_filename)
    package, *parts = str(frame.f_globals.get("__name__", "")).split(".")
    if package == "logos" and parts and not path.is_absolute():
        # A compiled module names its file as seen from where it was built.
        return _LOGOS.joinpath(*parts).with_suffix(path.suffix)
    return path


def _shown(frame: FrameType, path: Path) -> str:
    """A file by the name of its module: the same wherever it lies."""
    module = str(frame.f_globals.get("__name__", ""))
    if not module or module == "__main__" or not path.suffix:
        return path.name
    parts = module.split(".")
    if parts[0] == FILE_MODULE:
        return path.name
    if path.name == "__init__.py":
        parts.append("__init__")
    return "/".join(parts) + path.suffix


def _is_engine(path: Path) -> bool:
    if any(path.is_relative_to(each) for each in _OURS_THAT_DECIDE):
        return path.name in ("load.py", "own_guards.py", "parameters.py", "failure.py")
    return path.is_relative_to(_LOGOS)


def _is_library(path: Path, libraries: Sequence[Path | str]) -> bool:
    """Whether a file comes with Python, or lies in one of `libraries`: folders, or their names."""
    if str(path).startswith("<frozen"):
        return True
    return any(
        each in path.parts if isinstance(each, str) else _is_of_python(path, each)
        for each in libraries
    )


def _is_of_python(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) and not any(each in path.parts for each in _INSTALLED)


@cache
def _of_python() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    named = [Path(paths[key]) for key in ("stdlib", "platstdlib")]
    return tuple(dict.fromkeys([*named, *(each.resolve() for each in named)]))
