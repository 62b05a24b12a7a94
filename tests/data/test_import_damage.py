"""Damage that hypothesis finds: a good file with one thing wrong in it is read to the same numbers,
or refused with the place."""

from __future__ import annotations

import random
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import import_fuzz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.data.importing.run import import_files
from logos.errors import DataError

Edit = tuple[str, int, str]
"""(what is done, where, with which text)."""
CELLS = st.one_of(
    st.text(alphabet="0123456789.,-+eE %$KMB'\"nax\t;|", max_size=8),
    st.sampled_from(("", "NaN", "null", "-", "1,5", "1.200", "1e3", "71.7M", "$5", "(5)", "1_0")),
)
EDITS = st.tuples(
    st.sampled_from(("cell", "insert", "drop", "swap", "repeat", "cut", "line")),
    st.integers(0, 10_000),
    CELLS,
)


def damaged(form: import_fuzz.Form, lines: list[str], edit: Edit) -> tuple[bytes, int]:
    """(the file's bytes, how many of its rows may be missing without a word)."""
    what, at, text = edit
    top = 1 if form.header else 0
    row = top + at % (len(lines) - top)
    cells = lines[row].split(form.separator)
    if what == "cell":
        cells[at % len(cells)] = text
        lines[row] = form.separator.join(cells)
    elif what == "insert":
        cells.insert(at % len(cells), text)
        lines[row] = form.separator.join(cells)
    elif what == "drop":
        del lines[row]
    elif what == "swap":
        lines[row], lines[-1] = lines[-1], lines[row]
    elif what == "repeat":
        lines.insert(row, lines[row])
    elif what == "line":
        lines.insert(row, text)
    data = ("\n".join(lines) + "\n").encode()
    if what == "cut":
        data = data[: len(data) - 1 - at % (len(data) - 1)]
    return data, int(what in ("drop", "cut"))


def figures_of(texts: list[str], good: tuple[str, ...]) -> bool:
    """Whether the figures are the right ones; a volume may be unknown."""
    return texts[:4] == list(good[:4]) and texts[4] in (good[4], "")


@pytest.mark.parametrize("form", import_fuzz.FORMS, ids=lambda form: form.name)
@settings(max_examples=25, deadline=None)
@given(edit=EDITS, seed=st.integers(0, 99))
def test_a_file_with_one_thing_wrong_gives_no_other_numbers(
    form: import_fuzz.Form, edit: Edit, seed: int
) -> None:
    rows = import_fuzz.good_rows(random.Random(seed))
    good = {moment.strftime("%Y-%m-%dT%H:%M:%SZ"): figures for moment, figures in rows}
    data, may_miss = damaged(form, import_fuzz.written(form, rows), edit)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "X_1m.csv"
        path.write_bytes(data)
        try:
            report = import_files([path], Path(folder) / "out", form.options)
        except DataError as error:
            left = Path(folder) / "out"
            is_clean = not left.exists() or not list(left.iterdir())
            if "X_1m.csv" not in str(error) or not is_clean:
                raise
            return
        made = [line.split(",") for line in report.paths[0].read_text().splitlines()[1:]]
    wrong = [row for row in made if row[0] not in good or not figures_of(row[1:], good[row[0]])]
    # One cell may be another figure of the same form, and no file can tell that.
    is_figure = edit[0] == "cell"
    assert len(wrong) <= int(is_figure), (wrong, data)
    if is_figure and wrong:
        assert _is_said(edit[2], form, wrong[0]), (wrong, data)
    assert len(made) >= len(rows) - may_miss * len(rows) - 1
    if edit[0] not in ("drop", "cut") and not report.left:
        assert len(made) == len(rows), data


def _is_said(text: str, form: import_fuzz.Form, row: list[str]) -> bool:
    """Whether the cell that was put in is what came out: read as it is written, and no other."""
    bare = re.sub(r"[$' ,+\"]" if form.decimal == "." else r"[$' .+\"]", "", text)
    bare = bare.replace(",", ".")
    letters = {"K": 3, "M": 6, "B": 9}
    power = letters.get(bare[-1:].upper(), 0)
    try:
        value = float(bare[:-1] if power else bare) * 10**power
    except ValueError:
        return row[0] != text
    return any(abs(float(cell) - value) < 1e-9 * max(1, abs(value)) for cell in row[1:] if cell)
