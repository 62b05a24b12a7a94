"""Every `logos` and `make` line of README and the guides runs as printed, and shows what is shown.

The runbook has a test of its own, as its sessions run beside each other; see doc_commands.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_commands import (
    CLONE,
    DESK,
    Block,
    blocks,
    files,
    make_targets,
    make_workspace,
    masked,
    missing,
    parse,
    run_step,
)
from places import PROJECT

GUIDES = """
WRITING-A-STRATEGY DATA CONFIGURATION FILLS GUARDS FEEDS MT5 VENUES REHEARSAL STRESS JOURNAL
ARTIFACTS RECONCILIATION ARCHITECTURE METRICS SESSIONS ALERTS FLEET SCALE DEPLOY TROUBLESHOOTING
DASHBOARD SWEEPS
"""
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in GUIDES.split())]
ALL = [*DOCUMENTS, "docs/LIVE-RUNBOOK.md", "docs/KAFKA.md"]
_IN_DOCS = sorted(f"docs/{path.name}" for path in (PROJECT / "docs").glob("*.md"))
EVERY = ["README.md", "CONTRIBUTING.md", *_IN_DOCS]

COIN = '[instruments.COIN]\ntick = "0.01"\nlot = "1"\nbase = "COIN"\nquote = "USD"\n'
KLINES = """\
1704067200000,42283.58,42298.62,42261.02,42298.61,35.92724000,1704067259999,1519032.65,1327,23.18,980122.2,0
1704067260000,42298.62,42320.00,42298.61,42320.00,21.16779000,1704067319999,895580.22,1348,13.02,551022.3,0
"""
THERE = {
    "docs/DATA.md": {
        "bad/instruments.toml": COIN,
        "downloads/BTCUSDT-1m-2024-01-01.csv": KLINES,
    },
}
"""Files that a document's commands read and that it does not show itself."""


def is_run(block: Block) -> bool:
    return not block.marks.keys() & {"not run", "run by"}


TO_RUN = {name: [block for block in blocks(name) if is_run(block)] for name in DOCUMENTS}
NOT_RUN = [block for name in ALL for block in blocks(name) if "not run" in block.marks]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_workspace(tmp_path, monkeypatch)
    return tmp_path


@pytest.mark.long
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if TO_RUN[name]])
def test_the_commands_of_a_document_do_what_it_shows(document: str, workspace: Path) -> None:
    for name, body in {**files(document), **THERE.get(document, {})}.items():
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).write_text(body, encoding="utf-8")
    written_as = CLONE if document == "README.md" else DESK
    problems = []
    for block in TO_RUN[document]:
        for step in block.steps:
            problem = parse(step.command)
            if step.command.startswith("make ") and not step.shown and not problem:
                continue  # its target exists; what it does is another test's
            if step.command.startswith(("pip ", "python ")):
                problem = "mark a command of another program: <!-- not run: REASON -->"
            if not problem:
                code, output = run_step(step)
                output = output.replace(str(workspace), written_as)
                absent = missing(step, output, figures="figures vary" in block.marks)
                if code != step.exit_code or absent:
                    problem = f"exit code {code}, not shown: {absent}\n{output}"
            if problem:
                problems.append(f"{document}:{step.line}: $ {step.command}\n{problem}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    "block", NOT_RUN, ids=[f"{block.document.split('/')[-1]}:{block.line}" for block in NOT_RUN]
)
def test_a_command_that_is_not_run_is_one_that_could_be(block: Block) -> None:
    """It parses, and the test's summary counts it with its reason."""
    problems = [f"$ {step.command}: {parse(step.command)}" for step in block.steps]
    assert not [text for text in problems if not text.endswith(": ")], problems
    reason = block.marks["not run"]
    assert len(reason) > 5
    pytest.skip(f"not run: {reason}")


def test_what_another_test_runs_is_named_there() -> None:
    found = [block for name in ALL for block in blocks(name) if "run by" in block.marks]
    assert found
    for block in found:
        text = (PROJECT / block.marks["run by"]).read_text(encoding="utf-8")
        assert Path(block.document).name in text


def test_most_commands_are_run() -> None:
    run = [step for found in TO_RUN.values() for block in found for step in block.steps]
    assert len(run) >= 30
    used = {re.split(r"\s", step.command)[1] for step in run if step.command.startswith("logos ")}
    assert {"trade", "data", "config", "kill", "verify", "replay", "inspect", "rehearse"} <= used


def test_every_make_target_and_command_in_the_prose_exists() -> None:
    for name in ALL:
        prose = re.sub(r"^```.*?^```$", "", (PROJECT / name).read_text("utf-8"), flags=re.M | re.S)
        for used in re.findall(r"`make ([a-z][a-z-]*)[^`\n]*`", prose):
            assert used in make_targets(), f"{name}: make {used}"


@pytest.mark.long
@pytest.mark.parametrize("document", EVERY)
def test_a_command_in_the_prose_could_be_typed(document: str) -> None:
    """What it leaves out (an id, a value) is no mistake; a name that logos does not know is one."""
    text = (PROJECT / document).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    problems = {}
    for words in re.findall(r"`(logos [^`\n]+(?:\n[^`\n]+)?)`", prose):
        command = " ".join(words.split())
        problem = "" if re.search(r"\.\.\.|COMMAND|\[|\|", command) else parse(command)
        if problem and not re.search("are required|is required|expected (one|at least)", problem):
            problems[command] = problem.splitlines()[-1]
    assert problems == {}


def test_the_checks_can_fail(workspace: Path) -> None:
    assert "no target sesion" in parse("make sesion")
    assert "--colour" in parse("logos trade --colour red")
    assert parse("logos trade --config x.toml --session-id a > a.out 2>&1 &") == ""
    assert masked("equity  1,000 (3,000 a second)") == "equity 1,000 (N a second)"
    assert masked("waited 3.5 s", figures=True) == "waited 0 s"
