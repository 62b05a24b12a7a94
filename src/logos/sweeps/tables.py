"""The table of a sweep as files: results.csv, results.parquet, results.json.

A row has all that its session follows from besides `sweep.json` (its parameters and its stretch of
the data), what came of it, and the hash of its files: `logos sweep rerun FOLDER ROW` runs it once
more, and says whether they are the same bytes. The same sweep gives the same tables, whoever ran
which row, and on how many machines.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.data.readers.optional import arrow_available
from logos.files import replace_file
from logos.session.artifacts.rows import text_cell
from logos.sweeps.outcome import Figure, Outcome, figure_names
from logos.sweeps.ranking import Overfitting, overfitting
from logos.sweeps.run import Finished
from logos.sweeps.walk import Forward, forward

CSV: Final = "results.csv"
PARQUET: Final = "results.parquet"
JSON: Final = "results.json"

_HEAD: Final = ("row", "fold", "sample", "from", "to", "session_id", "seed")
_TAIL: Final = ("status", "reason", "ticks", "orders")
_HASHES: Final = ("settings_hash", "artifact_hash")


def columns(finished: Finished) -> list[str]:
    """The names of the table's columns, in order; of parameters with `param.` before them."""
    params = [f"param.{axis.name}" for axis in finished.spec.axes]
    return [*_HEAD, *params, *_TAIL, *figure_names(), *_HASHES]


def cells(outcome: Outcome) -> dict[str, Figure]:
    """One row of the table, by column; what is not defined is None."""
    trial = outcome.trial
    found: dict[str, Figure] = {
        "row": trial.row,
        "fold": trial.fold,
        "sample": trial.sample,
        "from": trial.stretch.start,
        "to": trial.stretch.end,
        "session_id": trial.session_id,
        "seed": outcome.seed,
        "status": outcome.status,
        "reason": outcome.reason,
        "ticks": outcome.ticks,
        "orders": outcome.orders,
        "settings_hash": outcome.settings_hash,
        "artifact_hash": outcome.artifact_hash,
    }
    found.update({f"param.{name}": value for name, value in trial.params.items()})
    found.update(outcome.figures)
    return found


def write_tables(finished: Finished) -> None:
    """Write all of them into the sweep's folder; Parquet where pyarrow is. Raises OSError."""
    names = columns(finished)
    rows = [cells(outcome) for outcome in finished.outcomes]
    replace_file(finished.folder / CSV, _csv(names, rows))
    content = json.dumps(plain(finished), indent=1, ensure_ascii=False).encode() + b"\n"
    replace_file(finished.folder / JSON, content)
    if arrow_available():
        replace_file(finished.folder / PARQUET, _parquet(names, rows))


def luck(finished: Finished) -> Overfitting | None:
    """How far the best row of the first fold may be luck."""
    best = finished.best()
    if best is None:
        return None
    first = [each for each in finished.outcomes if each.trial.fold == 1]
    return overfitting(best, [each for each in first if each.trial.sample == "in"])


def plain(finished: Finished) -> dict[str, Any]:
    """All of a sweep as JSON data."""
    best, walk = finished.best(), forward(finished)
    return {
        "sweep": {**msgspec.to_builtins(finished.spec), "folder": finished.folder.name},
        "rows_planned": finished.spec.rows,
        "stopped": finished.stopped,
        "best_row": None if best is None else best.row,
        "best_again_is_same": finished.same,
        "overfitting": _struct(luck(finished)),
        "walk_forward": _struct(walk),
        "rows": [cells(outcome) for outcome in finished.outcomes],
    }


def _struct(found: Overfitting | Forward | None) -> Any:
    return None if found is None else msgspec.to_builtins(found)


def _csv(names: Sequence[str], rows: Sequence[dict[str, Figure]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return text.getvalue().encode()


def _cell(value: Figure) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value if _is_number(value) else text_cell(value)
    return repr(value)


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False


def _parquet(names: Sequence[str], rows: Sequence[dict[str, Figure]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet

    arrays = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if any(isinstance(value, str) for value in values):
            kind = pa.string()  # money stays exact: decimals as text, as in CSV
        else:
            is_whole = all(value is None or isinstance(value, int) for value in values)
            kind = pa.int64() if is_whole and any(v is not None for v in values) else pa.float64()
        arrays[name] = pa.array(values, kind)
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(pa.table(arrays), sink)
    return bytes(sink.getvalue())
