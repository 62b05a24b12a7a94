"""The commands that documents show: found, run in one workspace, and compared with what is shown.

Problem: a command in a document that does not work as printed costs its reader more than a missing
one. Method: every fence is read. A line that begins with `$ ` is a command, or, in a fence without
such lines, one that begins with a program's name; the lines after a `$ ` command are what it prints
(`...` stands for lines left out), and `# exit code N` is how it ends (0 unless said). Lines of HTML
comment directly above a fence speak to the test:

    <!-- not run: REASON -->      the commands are only parsed
    <!-- run by: tests/FILE -->   another test runs them, with files of its own
    <!-- figures vary -->         numbers are not compared, words are
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from places import PROJECT
from registry_box import keeps

from logos.cli.main import main, make_parser

DESK: Final = "/srv/desk"
"""The workspace of an operator, as documents write it."""
CLONE: Final = "/home/ann/logos"
"""The workspace of a newcomer, as README writes it."""

_FENCE = re.compile(
    r"^(?P<marks>(?:<!--[^\n]*-->\n)*)```(?P<language>[^\s`]*) ?(?P<words>[^\n]*)\n"
    r"(?P<body>.*?)^```$",
    re.M | re.S,
)
_MARK = re.compile(r"<!-- (not run|run by|figures vary)(?:: (.+?))? -->")
_PROGRAMS = ("logos ", "make ", "pip ", "python ")
_COMMENT = re.compile(r"\s+# .*$")


@dataclass
class Step:
    """One command of a document, the exit code it states, and the lines that it shows."""

    command: str
    line: int = 0
    exit_code: int = 0
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """One fence with commands. `marks` are the comments above it: kind to text."""

    document: str
    line: int
    language: str
    words: str
    body: str
    marks: dict[str, str]
    steps: list[Step]


def blocks(document: str) -> list[Block]:
    """Every fence of the document (a path in the project) that holds a command."""
    text = (PROJECT / document).read_text(encoding="utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        line = text.count("\n", 0, fence.start("body")) + 1
        steps = _steps(fence["body"], line)
        marks = {kind: words or "" for kind, words in _MARK.findall(fence["marks"])}
        if steps:
            language, words = fence["language"], fence["words"]
            found.append(Block(document, line, language, words, fence["body"], marks, steps))
    return found


def files(document: str) -> dict[str, str]:
    """The files that the document shows whole: fences with a name behind the language."""
    text = (PROJECT / document).read_text(encoding="utf-8")
    return {
        fence["words"]: fence["body"] for fence in _FENCE.finditer(text) if "." in fence["words"]
    }


def _steps(body: str, line: int) -> list[Step]:
    has_prompts = re.search(r"^\$ ", body, re.M) is not None
    found: list[Step] = []
    is_continued = False
    for number, text in enumerate(body.splitlines(), start=line):
        if is_continued:
            found[-1].command += f" {text.strip()}"
        elif has_prompts and text.startswith("$ "):
            found.append(Step(text.removeprefix("$ "), number))
        elif not has_prompts and text.startswith(_PROGRAMS):
            found.append(Step(text, number))
        elif found and text.startswith("# exit code "):
            found[-1].exit_code = int(text.split()[3])
        elif found and has_prompts and text not in ("", "..."):
            found[-1].shown.append(text)
        if found and (is_continued or text.endswith(found[-1].command)):
            is_continued = found[-1].command.endswith("\\")
            found[-1].command = _COMMENT.sub("", found[-1].command.removesuffix("\\").rstrip())
    return found


def masked(line: str, *, figures: bool = False) -> str:
    """The line without what differs between runs; with `figures`, without any figure."""
    line = re.sub(r"\b[0-9a-f]{16,64}\b", "HASH", line)
    line = re.sub(r"\([\d,]+ a second\)", "(N a second)", line)
    line = re.sub(r"rehearsal-\d{4}", "rehearsal-N", line)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", line)
    if figures:
        # Whether a session that drained has ended when `logos kill` prints it depends on instants.
        line = re.sub(r"(BLOCKED, DRAINED) \(it has ended\)", r"\1", line)
        line = re.sub(r"(session \S+) \(pid \d+\)", r"\1", line)
        line = re.sub(r"-?\d[\d,.:TZ+-]*", "0", line)
    return " ".join(line.split())


def missing(step: Step, output: str, *, figures: bool = False) -> list[str]:
    """The lines that the document shows and the command did not print, in their order."""
    printed = [masked(line, figures=figures) for line in output.splitlines()]
    absent, at = [], 0
    for line in step.shown:
        wanted = masked(line, figures=figures)
        if wanted in printed[at:]:
            at = printed.index(wanted, at) + 1
        else:
            absent.append(line)
    return absent


def run_step(step: Step) -> tuple[int, str]:
    """Exit code and output (standard error behind it) of a command, in the working directory."""
    program, *arguments = shlex.split(step.command)
    if program == "cat":
        return 0, "".join(Path(name).read_text(encoding="utf-8") for name in arguments)
    if program == "make":
        return _run_make(arguments)
    assert program == "logos", f"line {step.line}: no way to run {step.command!r}"
    output, error = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(error):
        try:
            code = main(arguments)
        except SystemExit as ending:
            code = int(ending.code or 0)
    return code, output.getvalue() + error.getvalue()


def _run_make(arguments: list[str]) -> tuple[int, str]:
    """`make` with this environment in place of the one that it would install."""
    environment = Path(sys.executable).parent.parent
    done = subprocess.run(
        [
            *("make", "--no-print-directory", "-o", f"{environment}/.installed"),
            *(f"--file={PROJECT / 'Makefile'}", f"VENV={environment}", *arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MAKEFLAGS": ""},
    )
    return done.returncode, done.stdout + done.stderr


@cache
def make_targets() -> set[str]:
    """The targets that the Makefile explains."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):.*## ", text, re.M))


def parse(command: str) -> str:
    """Why this command line cannot be right, in words; empty when it parses."""
    command = _COMMENT.sub("", command)
    words = shlex.split(re.split(r"\s(?:[|;&]|\d?>|&&)", command)[0])
    if words[0] == "make":
        targets = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        return ", ".join(f"no target {word}" for word in targets if word not in make_targets())
    if words[0] != "logos":
        return ""
    error = io.StringIO()
    try:
        with redirect_stderr(error), redirect_stdout(io.StringIO()):
            make_parser(words[1] if len(words) > 1 else "").parse_args(words[1:])
    except SystemExit as ending:
        return error.getvalue() if ending.code else ""
    except argparse.ArgumentError as problem:
        return str(problem)
    return ""


def make_workspace(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make `folder` the workspace, with the files that are shipped, and go there."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name in ("data/cache", "examples"):
        if not (folder / name).exists():
            (folder / name).symlink_to(PROJECT / name)
    for name in list(os.environ):
        if not keeps(name):
            patch.delenv(name)
    patch.chdir(folder)
