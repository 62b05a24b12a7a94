"""`logos sweep`: one strategy over many parameters, on all cores or many machines.

logos sweep STRATEGY --data FILES --param window=5..50:5 --param low=25,30 --by sharpe
logos sweep --resume FOLDER
logos sweep show FOLDER
logos sweep rerun FOLDER ROW
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from shutil import rmtree
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from logos.cli.data.times import add_time_rules
from logos.cli.exit_codes import exit_codes
from logos.cli.trade import overrides
from logos.config import ConfigError, load_config
from logos.errors import DataError, LogosError
from logos.session.presence.registry import RegistryError
from logos.session.stored.origin import Origin

if TYPE_CHECKING:
    from logos.sweeps.lanes import Lanes
    from logos.sweeps.run import Finished

INTERRUPTED: Final = 130
_CODES: Final = {
    0: "every row has an outcome",
    1: "a row cannot be run, or its worker died again and again; the message says why",
    2: "bad settings, parameters or command line, or a library that is not installed",
    3: "bad data",
    4: "stopped by the kill switch: clear it, and go on with --resume",
    6: "a file or folder cannot be written",
    9: "a row that was run once more came to other bytes",
    130: "interrupted: go on with --resume",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos sweep`."""
    parser.epilog = exit_codes(_CODES)
    parser.usage = (
        "logos sweep STRATEGY --data PATH --param NAME=RANGE ... [options]\n"
        "       logos sweep --resume FOLDER\n"
        "       logos sweep show FOLDER\n"
        "       logos sweep rerun FOLDER ROW [--keep]"
    )
    parser.add_argument(
        "words",
        metavar="STRATEGY",
        nargs="*",
        help="a bundled name, module:Class or file.py:Class; or `show FOLDER`, `rerun FOLDER ROW`",
    )
    parser.add_argument(
        "--param",
        metavar="NAME=RANGE",
        action="append",
        default=[],
        help="what is tried of a parameter: 5..50:5, 25,30, one value, or NAME alone for the range "
        "that the strategy declares (repeatable; the last varies fastest)",
    )
    parser.add_argument("--by", metavar="FIGURE", default="sharpe", help="the figure that is best")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--random", metavar="N", type=int, help="N random combinations")
    how.add_argument("--optuna", metavar="N", type=int, help="N combinations that Optuna looks for")
    parser.add_argument(
        "--out-of-sample", metavar="PART", type=float, default=0.0, help="hold back the last PART"
    )
    parser.add_argument(
        "--walk-forward",
        metavar="N",
        type=int,
        default=0,
        help="search a stretch and try its best on the next, N times",
    )
    parser.add_argument(
        "--train", metavar="N", type=int, default=3, help="stretches to search in (default 3)"
    )
    parser.add_argument(
        "--anchored", action="store_true", help="search in all that came before, from the beginning"
    )
    _add_settings(parser)
    parser.add_argument("--workers", metavar="N", type=int, help="processes; default: the cores")
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="run on a Dask cluster: tcp://HOST:PORT or tls://HOST:PORT of its scheduler, or local",
    )
    parser.add_argument("--out", metavar="FOLDER", help="where; default: runs/sweeps/NAME-NNNN")
    parser.add_argument("--keep", action="store_true", help="keep the sessions' folders")
    parser.add_argument("--resume", metavar="FOLDER", help="go on with a sweep that was stopped")
    parser.add_argument("--quiet", action="store_true", help="print nothing but what went wrong")
    parser.add_argument("--json", action="store_true", help="print results.json")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Those options of `logos trade` that make sense here."""
    parser.add_argument("--config", metavar="FILE.toml", help="settings; options here override it")
    parser.add_argument(
        "--data", metavar="PATH", action="append", help="a file or folder of data (repeatable)"
    )
    parser.add_argument("--symbols", metavar="A,B", help="trade only these")
    parser.add_argument("--from", dest="start", metavar="TIME", help="ISO-8601 UTC, inclusive")
    parser.add_argument("--to", dest="end", metavar="TIME", help="ISO-8601 UTC, exclusive")
    parser.add_argument("--accept", metavar="KINDS", help="kinds of data defects to tolerate")
    add_time_rules(parser)
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of the sessions, of random draws and of the search"
    )


def run(options: argparse.Namespace) -> int:
    """Run, go on with, show or rerun; returns the exit code."""
    from logos.session import SwitchEngagedError
    from logos.sweeps.run import SweepStoppedError

    try:
        return _run(options)
    except SweepStoppedError as error:
        return _complain(error, 4 if error.by_switch else INTERRUPTED)
    except ConfigError as error:
        return _complain(error, 2)
    except DataError as error:
        return _complain(error, 3)
    except SwitchEngagedError as error:
        return _complain(error, 4)
    except RegistryError as error:
        return _complain(error, 6)
    except BrokenPipeError:
        raise  # the reader of our output has closed it
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}", 6)
    except LogosError as error:
        return _complain(error, 1)


def _run(options: argparse.Namespace) -> int:
    words = options.words
    if options.resume and words:
        raise ConfigError("--resume goes on with a sweep as it is: give the folder alone")
    if options.resume:
        return _go(Path(options.resume), options, _lanes(options))
    if words[:1] == ["show"]:
        [place] = _expect(words[1:], "show FOLDER")
        return _show(Path(place), options)
    if words[:1] == ["rerun"]:
        place, row = _expect(words[1:], "rerun FOLDER ROW")
        return _rerun(Path(place), row, options)
    [strategy] = _expect(words, "STRATEGY --param NAME=RANGE")
    folder = _new(strategy, options)
    try:
        lanes = _lanes(options)
    except ConfigError:
        rmtree(folder)  # nothing has happened in it
        raise
    return _go(folder, options, lanes)


def _expect(words: list[str], form: str) -> list[str]:
    wanted = sum(word.isupper() for word in form.partition(" --")[0].split())
    if len(words) != wanted:
        raise ConfigError(f"write it as: logos sweep {form}")
    return words


def _new(strategy: str, options: argparse.Namespace) -> Path:
    """Make a new sweep; returns its folder."""
    from logos.session.supervisor import tell_operator
    from logos.sweeps.prepare import Wish, prepare

    params = {}
    for text in options.param:
        name, _, values = text.partition("=")
        if not name or name in params:
            raise ConfigError(f"--param {name}: name each parameter once, as in NAME=5..50:5")
        params[name] = values
    method = "optuna" if options.optuna is not None else "grid"
    method = "random" if options.random is not None else method
    if method == "optuna":
        from logos.sweeps.search import optuna

        optuna()  # before anything is made
    wish = Wish(
        params=params,
        by=options.by,
        method=method,  # type: ignore[arg-type]  # one of the three
        trials=options.optuna or options.random or 0,
        out_of_sample=options.out_of_sample,
        walk_forward=options.walk_forward,
        train=options.train,
        is_anchored=options.anchored,
        is_kept=options.keep,
    )
    absent: dict[str, Any] = dict.fromkeys(("session_id", "signals", "feed", "exchange", "speed"))
    absent |= {"live": False, "i_acknowledge_risk": False, "param": [], "strategy": strategy}
    given = argparse.Namespace(**{**vars(options), **absent})
    config = load_config(options.config, overrides(given))
    with redirect_stdout(sys.stderr):  # what a strategy's module prints is no result
        return prepare(
            wish,
            config,
            Origin.here(options.config),
            out=Path(options.out) if options.out else None,
            tell=tell_operator,
        )


def _go(folder: Path, options: argparse.Namespace, lanes: Lanes) -> int:
    """Run what is left of a sweep, and show what it came to."""
    from logos.session.supervisor import tell_operator
    from logos.sweeps.finish import write_all
    from logos.sweeps.run import Watch, run_sweep
    from logos.sweeps.spec import read_spec

    spec = read_spec(folder)
    is_shown = not (options.quiet or options.json)
    with _interruptible() as asked, _bar(spec.rows, is_shown) as progress:
        watch = Watch(progress, lambda: bool(asked), tell_operator)
        finished = run_sweep(folder, lanes, watch)
    write_all(finished)
    _print(finished, options)
    if finished.stopped:
        done = (
            f"{len(finished.outcomes)} of {spec.rows} rows are done and none of the others counts"
        )
        clear = (
            "clear the switch (logos kill status), then" if finished.by_switch else "go on with:"
        )
        print(
            f"logos sweep: stopped: {finished.stopped}; {done}; {clear} "
            f"logos sweep --resume {folder}",
            file=sys.stderr,
        )
        return 4 if finished.by_switch else INTERRUPTED
    if finished.same is False:
        return _complain(
            "the best row, run once more by itself, came to other bytes: the strategy keeps "
            "something from one session to the next (a global, a class attribute) or uses another "
            "source than its session's; do not trust these rows",
            9,
        )
    return 0


def _lanes(options: argparse.Namespace) -> Lanes:
    import os

    from logos.sweeps.lanes import ProcessLanes

    wanted = options.workers
    count = len(os.sched_getaffinity(0)) if wanted is None else wanted
    if count < 1:
        raise ConfigError("--workers: one or more")
    if options.dask:
        from logos.sweeps.cluster import DaskLanes

        return DaskLanes(options.dask, count)
    return ProcessLanes(count)


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """The list gets an entry when the operator interrupts."""
    asked: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {each: signal.signal(each, hear) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bar(rows: int, is_wanted: bool) -> Iterator[Any]:
    """What to call with how many rows are done."""
    bar = tqdm(
        total=rows, unit=" sessions", leave=False, disable=None if is_wanted else True, desc="sweep"
    )

    def show(done: int, _of: int) -> None:
        bar.update(done - bar.n)

    try:
        yield show
    finally:
        bar.close()


def _print(finished: Finished, options: argparse.Namespace) -> None:
    from logos.sweeps.finish import shown_lines
    from logos.sweeps.tables import JSON

    if options.json:
        sys.stdout.write((finished.folder / JSON).read_text(encoding="utf-8"))
    elif not options.quiet:
        print("\n".join(shown_lines(finished)))


def _show(folder: Path, options: argparse.Namespace) -> int:
    """Write the tables and the page of what there is, and show it."""
    from logos.sweeps.finish import read_finished, write_all

    finished = read_finished(folder)
    write_all(finished)
    _print(finished, options)
    return 0


def _rerun(folder: Path, row: str, options: argparse.Namespace) -> int:
    """Run one row once more, and compare."""
    from logos.sweeps.finish import rerun

    if not row.isdigit():
        raise ConfigError(f"rerun FOLDER ROW: {row!r} is no number of a row")
    before, again, place = rerun(folder, int(row), is_kept=options.keep)
    if before.artifact_hash != again.artifact_hash:
        return _complain(f"row {row} came to other bytes: {again.artifact_hash}", 9)
    if not options.quiet:
        print(f"row {row}: the same bytes ({again.artifact_hash})")
        if place is not None:
            print(f"session   {place}")
    return 0


def _complain(error: object, code: int) -> int:
    for note in getattr(error, "__notes__", ()):
        print(note, file=sys.stderr)
    print(f"logos sweep: {error}", file=sys.stderr)
    return code
