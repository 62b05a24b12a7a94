"""A damaged file is read to the same numbers, or refused with its name; never to other numbers."""

from __future__ import annotations

import random
from pathlib import Path

import import_fuzz
import pytest

from logos.data.importing import run


@pytest.mark.parametrize("seed", range(60))
def test_a_file_damaged_at_random_is_read_to_the_same_numbers_or_refused(
    tmp_path: Path, seed: int
) -> None:
    assert import_fuzz.examine(seed, tmp_path) == ""


@pytest.mark.long
def test_a_thousand_files_damaged_at_random(tmp_path: Path) -> None:
    for seed in range(1_000, 2_000):
        assert import_fuzz.examine(seed, tmp_path) == ""


@pytest.mark.parametrize("form", import_fuzz.FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_good_file_is_read_in_every_encoding_and_with_every_end_of_line(
    tmp_path: Path, form: import_fuzz.Form, encoding: str, end: str
) -> None:
    rows = import_fuzz.good_rows(random.Random(1))
    path = tmp_path / "X_1m.csv"
    path.write_bytes((end.join(import_fuzz.written(form, rows)) + end).encode(encoding))
    (out,) = run.import_files([path], tmp_path / "out", form.options).paths
    expected = [",".join((f"{at:%Y-%m-%dT%H:%M:%SZ}", *figures)) for at, figures in rows]
    assert out.read_text().splitlines()[1:] == expected


@pytest.mark.parametrize("form", import_fuzz.FORMS, ids=lambda form: form.name)
def test_columns_at_once_give_what_rows_one_by_one_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: import_fuzz.Form
) -> None:
    rows = import_fuzz.good_rows(random.Random(2))
    path = tmp_path / "X_1m.csv"
    path.write_text("\n".join(import_fuzz.written(form, rows)) + "\n")
    (fast,) = run.import_files([path], tmp_path / "fast", form.options).paths
    monkeypatch.setattr(run, "arrow_available", lambda: False)
    (careful,) = run.import_files([path], tmp_path / "careful", form.options).paths
    assert fast.read_bytes() == careful.read_bytes()
