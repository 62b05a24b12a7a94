"""docs/TUTORIAL.md is walked as a reader walks it: its files are written, its commands typed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from doc_commands import CLONE, blocks, files, missing, parse
from doc_shell import run_in_shell
from places import PROJECT

DOCUMENT = "docs/TUTORIAL.md"
TEXT = (PROJECT / DOCUMENT).read_text(encoding="utf-8")
BLOCKS = blocks(DOCUMENT)
RUN = [
    (step, "figures vary" in block.marks)
    for block in BLOCKS
    if "not run" not in block.marks
    for step in block.steps
]
_EPOCH = (
    "--epoch 3",
    "--epoch $(logos kill status --json | grep -om1 '\"epoch\": *[0-9]*' | grep -o '[0-9]*$')",
)
"""What a reader reads and types: whether session or command writes first depends on instants."""
_WORDS_A_MINUTE = 220
_TOLD = {
    "net": "lost {:g} USD",
    "of it unrealised": "still holds is {:g} under water",
    "fees": "Fees took {:g}.",
    "max drawdown": "was {:g} below its best one",
    "against buy and hold": "would be {:g} % ahead",
}
"""Figures of the first session, as the text tells them."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str]]:
    """Exit code and output of each step, in a clone in which the bundled session has run."""
    clone = tmp_path_factory.mktemp("clone")
    written = clone / "written"
    written.mkdir()
    for name, body in files(DOCUMENT).items():
        (written / name).write_text(body, encoding="utf-8")
    steps = [replace(step, command=step.command.replace(*_EPOCH)) for step, _ in RUN]
    return run_in_shell(steps, clone, CLONE, patience_s=250, after={"cd dip": "cp ../written/* ."})


@pytest.mark.campaign
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(len(RUN)), ids=[step.command[:40] for step, _ in RUN])
def test_a_step_ends_as_the_tutorial_says_and_prints_what_it_shows(
    number: int, results: list[tuple[int, str]]
) -> None:
    (step, varies), (code, output) = RUN[number], results[number]
    assert code == step.exit_code, f"$ {step.command}\n{output}"
    assert not missing(step, output, figures=varies), output


def test_the_commands_that_are_not_run_could_be() -> None:
    left = [step for block in BLOCKS if "not run" in block.marks for step in block.steps]
    assert len(left) <= 8
    assert not [parse(step.command) for step in left if parse(step.command)]


@pytest.mark.long
def test_the_strategy_of_the_tutorial_passes_the_test_of_the_tutorial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, body in files(DOCUMENT).items():
        (tmp_path / name).write_text(body, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    space: dict[str, object] = {}
    exec(compile(files(DOCUMENT)["test_dip.py"], "test_dip.py", "exec"), space)
    tests = [value for name, value in space.items() if name.startswith("test_")]
    assert len(tests) == 2
    for each in tests:
        assert callable(each)
        each()


def test_what_the_text_says_of_the_first_session_is_what_its_table_shows() -> None:
    table = TEXT[TEXT.index("started with") : TEXT.index("report    ")]
    shown = {name: re.search(rf"^{name} +-?([\d.]+)", table, re.M) for name in _TOLD}
    figures = {name: float(found[1]) for name, found in shown.items() if found}
    for name, words in _TOLD.items():
        assert words.format(figures[name]) in TEXT, name


def test_it_is_read_in_half_an_hour() -> None:
    words = len(re.findall(r"\S+", TEXT))
    assert words / _WORDS_A_MINUTE < 15  # the other half is for typing and looking
    minutes = [int(each) for each in re.findall(r"^## .*\((\d+) minutes\)$", TEXT, re.M)]
    assert sum(minutes) <= 30
