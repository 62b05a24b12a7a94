"""What a sweep leaves and says when it is over: tables, page, lines; and a row run once more."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from logos.build import build_hash
from logos.config import ConfigError
from logos.files import replace_file
from logos.sweeps.outcome import Outcome
from logos.sweeps.page import sweep_page
from logos.sweeps.ranking import LIKELY, ranked
from logos.sweeps.record import Record
from logos.sweeps.run import Finished, repeat
from logos.sweeps.space import shown
from logos.sweeps.spec import read_spec
from logos.sweeps.tables import CSV, JSON, luck, write_tables
from logos.sweeps.walk import forward
from logos.sweeps.worker import KEPT

PAGE = "sweep.html"
_SHOWN_MAX = 5


def write_all(finished: Finished) -> None:
    """Write the tables and sweep.html into the sweep's folder. Raises OSError."""
    write_tables(finished)
    replace_file(finished.folder / PAGE, sweep_page(finished).encode())


def read_finished(folder: Path) -> Finished:
    """The sweep in a folder, as far as it came. Raises ConfigError, LogosError, OSError."""
    spec = read_spec(folder)
    record = Record(folder)
    same = None
    try:
        before = json.loads((folder / JSON).read_bytes())
        same = before["best_again_is_same"]
        stopped = before["stopped"]
    except (OSError, ValueError, KeyError):
        stopped = ""
    if len(record.outcomes) < spec.rows and not stopped:
        stopped = "it is not done"
    return Finished(folder, spec, record.in_order, same, stopped)


def rerun(folder: Path, row: int, *, is_kept: bool = False) -> tuple[Outcome, Outcome, Path | None]:
    """Run one row once more: what it was, what it is now, and where its session lies, if kept.

    Raises ConfigError for a row that there is not, LogosError.
    """
    spec = read_spec(folder)
    outcomes = Record(folder).outcomes
    if row not in outcomes:
        has = f"rows 1 to {spec.rows}" if len(outcomes) == spec.rows else f"{len(outcomes)} rows"
        raise ConfigError(f"{folder} has no outcome of row {row}: it has {has}")
    before = outcomes[row]
    if not before.artifact_hash:
        raise ConfigError(f"row {row} came to no session ({before.status}): {before.reason}")
    if spec.build != build_hash():
        raise ConfigError(
            f"the sources of logos are not those that the sweep in {folder} began with: its bytes "
            f"are those of logos {spec.software} as it was then"
        )
    again = repeat(folder, spec, before.trial, is_kept=is_kept)
    place = None
    if is_kept:
        place = folder / KEPT / "runs" / "live" / "sessions" / before.trial.session_id
    return before, again, place


# ---- in words ----


def shown_lines(finished: Finished) -> Iterator[str]:
    """What a sweep came to, for a terminal."""
    spec, folder = finished.spec, _short(finished.folder)
    done = len(finished.outcomes)
    count = f"{done}" if done == spec.rows else f"{done} of {spec.rows}"
    folds = f", {len(spec.folds)} folds" if len(spec.folds) > 1 else ""
    yield f"sweep     {spec.strategy}: {count} sessions ({spec.method}{folds}), by {spec.by}"
    bad = [each for each in finished.outcomes if each.status != "ENDED"]
    if bad:
        first = bad[0]
        yield f"          {len(bad)} without a result, such as row {first.row}: {first.status}: "
        yield f"          {first.reason}"
    inside = [each for each in finished.outcomes if each.trial.sample == "in"]
    best = ranked([each for each in inside if each.trial.fold == 1], spec.by)
    for number, each in enumerate(best[:_SHOWN_MAX]):
        name = "best      " if number == 0 else "          "
        yield f"{name}row {each.row}: {shown(each.trial.params)}  {_figures(each, spec.by)}"
    if not best:
        yield f"best      none: {spec.by} is not defined in any row"
    yield from _outside_lines(finished)
    yield from _luck_lines(finished)
    if finished.same:
        yield f"again     row {best[0].row}, run once more by itself: the same bytes"
    yield f"table     {folder}/{CSV}"
    yield f"page      {folder}/{PAGE}"
    if best:
        yield f"next      logos sweep rerun {shlex.quote(folder)} {best[0].row} --keep"


def _figures(outcome: Outcome, by: str) -> str:
    value = outcome.value(by)
    words = "not defined" if value is None else f"{value:,.4g}"
    ratio = outcome.value("net_ratio")
    net = "" if by == "net_ratio" or ratio is None else f", net {ratio * 100:+.2f} %"
    return f"{by} {words}{net}"


def _outside_lines(finished: Finished) -> Iterator[str]:
    spec = finished.spec
    for fold in range(1, len(spec.folds) + 1):
        outside = finished.outside(fold)
        if outside is not None:
            where = f"fold {fold}, " if len(spec.folds) > 1 else ""
            yield (
                f"outside   {where}row {outside.row}: {shown(outside.trial.params)}  "
                f"{_figures(outside, spec.by)}"
            )
    found = forward(finished)
    if found is not None and found.folds > 1:
        words = f"{found.days} days, net {found.net_ratio * 100:+.2f} %"
        if found.efficiency is not None:
            words += f", Sharpe ratio {found.efficiency:.2f} of that inside"
        yield f"together  {words}"


def _luck_lines(finished: Finished) -> Iterator[str]:
    found = luck(finished)
    if found is None:
        yield "luck      not judged: the best row's daily returns do not vary, or are too few"
        return
    deflated = "not defined" if found.deflated is None else f"{found.deflated:.2f}"
    why = f"below {LIKELY}" if (found.deflated or 0.0) < LIKELY else "too few days"
    verdict = "" if found.is_likely else f", may be luck ({why})"
    facts = f"{found.trials} trials, {found.days} days"
    yield f"luck      {facts}: deflated Sharpe ratio {deflated}{verdict}"


def _short(folder: Path) -> str:
    """The folder as seen from the working directory, where it lies below that."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
