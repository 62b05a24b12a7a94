"""What `logos mt5-sim` says of a command line that it cannot use."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest

from logos.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no symbols"),
        (("--symbols", "A", "--ports", "1,2"), "four numbers"),
        (("--symbol", "A,colour=red"), "colour=red"),
        (("--symbols", "A", "--lost", "0.7", "--late", "0.7"), "add up"),
        (("--symbols", "A", "--host", "0.0.0.0"), "CURVE"),
        (("--symbols", "A", "--slow", "A"), "KEY=NUMBER"),
        (("--symbols", "A", "--interval-ms", "0"), "more than 0"),
        (("--symbol", "A,quotes=/nowhere.csv"), "no such file"),
    ],
)
def test_a_bad_command_line_says_what_is_wrong(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    errors = io.StringIO()
    with redirect_stderr(errors):
        code = main(["mt5-sim", "--audit", str(tmp_path / "a.jsonl"), *arguments])
    assert code == 2
    assert words in errors.getvalue()
