"""The judge of stress runs passes a sound one, and fails for every piece that is tampered with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import stress_tampered_books  # noqa: F401 - registers its tamperings
from places import PROJECT
from stress_helpers import failed, problems_of, run_and_judge, small_plan
from stress_tampered_logs import FILE_TAMPERINGS
from stress_tampering import TAMPERINGS, Tamper

from logos.cli.main import main
from logos.stress.files import FILES, write_list
from logos.stress.judge import RULES, judge
from logos.stress.report import judge_and_report

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing is wrong with."""
    folder = tmp_path_factory.mktemp("stress") / "sound"
    verdict = run_and_judge(small_plan(11), folder)
    assert verdict.is_passed, problems_of(verdict)
    return folder


@pytest.fixture
def run(sound_run: Path, tmp_path: Path) -> Path:
    """A copy of it, to tamper with."""
    return shutil.copytree(sound_run, tmp_path / "run")


@pytest.mark.parametrize(
    ("check", "words", "tamper"),
    [
        pytest.param(check, words, tamper, id=f"{check}-{what}".replace(" ", "-"))
        for check, what, words, tamper in TAMPERINGS
    ],
)
def test_what_is_tampered_with_fails_its_check(
    run: Path, check: str, words: str, tamper: Tamper
) -> None:
    tamper(run)
    if (run / FILES).exists():
        write_list(run)
    verdict = judge_and_report(run)
    found = [line for each in verdict.checks if each.name == check for line in each.problems]
    assert any(words in line for line in found), problems_of(verdict)
    assert "**FAIL**" in (run / "stress-report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("what", "words", "tamper"), FILE_TAMPERINGS)
def test_a_file_that_is_another_one_than_when_the_run_ended_is_found(
    run: Path, what: str, words: str, tamper: Tamper
) -> None:
    tamper(run)
    verdict = judge_and_report(run)
    assert failed(verdict) == {"files"}, what
    assert any(words in line for line in problems_of(verdict))


def test_every_rule_is_shown_to_fail() -> None:
    assert set(RULES) - {"files"} <= {check for check, _, _, _ in TAMPERINGS}


def test_the_documentation_has_every_tampering_and_what_the_judge_says_of_it() -> None:
    rows = [("files", what, words) for what, words, _ in FILE_TAMPERINGS]
    rows += [(check, what, words) for check, what, words, _ in TAMPERINGS]
    written = {f"| {check} | {what} | {words.strip()} |" for check, what, words in rows}
    text = (PROJECT / "docs" / "STRESS.md").read_text(encoding="utf-8")
    table = text.partition("| rule | tampering | the judge says |\n|---|---|---|\n")[2]
    listed = table.partition("\n\n")[0].splitlines()
    assert sorted(written) == sorted(listed)


def test_a_sound_run_reports_what_bounds_it(sound_run: Path) -> None:
    verdict = judge(sound_run)
    assert verdict.is_passed, problems_of(verdict)
    numbers = verdict.numbers
    assert numbers is not None
    assert numbers.orders > 20
    assert set(numbers.filled) == {"all", "BTCUSD.s", "ETHUSD.s", "XAUUSD.s"}
    assert numbers.filled["all"].max_ns >= numbers.filled["all"].p99_ns > 0
    report = (sound_run / "stress-report.md").read_text(encoding="utf-8")
    assert "**PASS**" in report
    assert "Throughput is bounded by" in report


def test_the_command_exits_by_its_verdict(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stress", "--judge-only", "--out", str(run)]) == 0
    assert capsys.readouterr().out.startswith("PASS")
    assert main(["stress", "--judge-only", "--out", str(run), "--min-rate", "1e9"]) == 1
    assert "throughput" in capsys.readouterr().err
    assert main(["stress", "--signals", "1", "--out", str(run)]) == 2
    assert "holds a run already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--symbols", ""], "name some"),
        (["--interval-ms", "soon"], "write 10, or 1-20"),
        (["--faults", "gremlins=1"], "write NAME=NUMBER"),
        (["--signals", "-1"], "0 or more"),
        ([], "say how much"),
    ],
)
def test_options_that_cannot_be_meant_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    more = [] if not options or "--signals" in options else ["--signals", "1"]
    assert main(["stress", "--out", str(tmp_path / "new"), *options, *more]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
