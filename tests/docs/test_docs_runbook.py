"""docs/LIVE-RUNBOOK.md: its commands run, end as they say, and print what it shows.

Its blocks are carried out in their order, in one shell and one workspace, but for those marked as
not run. Figures, times and ids differ from run to run and are not compared; words are.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from doc_commands import DESK, blocks, files, missing
from doc_shell import run_in_shell
from places import PROJECT

from logos.cli.main import _COMMANDS

DOCUMENT = "docs/LIVE-RUNBOOK.md"
TEXT = (PROJECT / DOCUMENT).read_text(encoding="utf-8")
_PATIENCE_S = 280
pytestmark = pytest.mark.timeout(300)
"""All steps run before the first test; a machine with nothing else to do needs a tenth of this."""


BLOCKS = blocks(DOCUMENT)
RUN = [step for block in BLOCKS if "not run" not in block.marks for step in block.steps]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str]]:
    """Exit code and output of each step."""
    desk = tmp_path_factory.mktemp("desk")
    shutil.copytree(PROJECT / "data" / "cache", desk / "data" / "cache")
    for name, body in files(DOCUMENT).items():
        (desk / name).write_text(body, encoding="utf-8")
    return run_in_shell(RUN, desk, DESK, patience_s=_PATIENCE_S)


@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(len(RUN)))
def test_a_command_ends_as_the_document_says_and_prints_what_it_shows(
    number: int, results: list[tuple[int, str]]
) -> None:
    step, (code, output) = RUN[number], results[number]
    assert code == step.exit_code, f"$ {step.command}\n{output}"
    assert not missing(step, output, figures=True), output


def test_the_document_has_commands_of_every_kind_to_run() -> None:
    used = {word for step in RUN for word in re.findall(r"^logos (\S+)", step.command)}
    assert {"trade", "resume", "status", "pause", "kill", "verify", "replay", "rehearse"} <= used
    assert {step.exit_code for step in RUN} >= {0, 1, 2, 3, 4, 7}


# ---- every command and option that is named exists ----


def _parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of every command and subcommand, by its words."""
    found = {}
    for name, (_, module) in _COMMANDS.items():
        parser = argparse.ArgumentParser(prog=name)
        import_module(module).add_arguments(parser)
        found[name] = parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                found |= {f"{name} {word}": sub for word, sub in action.choices.items()}
    return found


PARSERS = _parsers()


def _invocations() -> Iterator[tuple[str, list[str]]]:
    """Every use of `logos` in the document: its command's words, and the options behind it."""
    in_blocks = [step.command for block in BLOCKS for step in block.steps]
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.M | re.S)
    for text in (*in_blocks, *re.findall(r"`([^`\n]+)`", prose)):
        for used in re.findall(r"(?:^|[^\w./-])logos ((?!\.)[a-z].*)", text):
            words = re.split(r"[|;>&)]", used)[0].split()
            name = " ".join(words[:2]) if " ".join(words[:2]) in PARSERS else words[0]
            yield name, [word for word in words if word.startswith("--")]


def test_every_command_that_is_named_exists_with_its_options() -> None:
    uses = list(_invocations())
    assert len(uses) > 40
    for name, options in uses:
        assert name in PARSERS, f"logos {name}"
        known = {option for action in PARSERS[name]._actions for option in action.option_strings}
        above = PARSERS[name.split()[0]]
        known |= {option for action in above._actions for option in action.option_strings}
        assert set(options) <= known, f"logos {name} {options}"


def test_options_named_by_themselves_exist_somewhere() -> None:
    everywhere = {
        option
        for parser in PARSERS.values()
        for action in parser._actions
        for option in action.option_strings
    }
    named = {word for text in re.findall(r"`(--[^`\n]+)`", TEXT) for word in text.split()}
    assert named
    assert {word for word in named if word.startswith("--")} <= everywhere


def test_settings_named_in_the_prose_exist() -> None:
    from logos.config.template import default_toml

    settings = default_toml()
    prose = re.sub(r"`\w+\.(toml|md|json)`", "", TEXT)
    named = re.findall(
        r"`((?:live|risk|switch|account|session|venue|paper)\.[a-z_]+)(?: = [^`]+)?`", prose
    )
    assert named
    for key in named:
        table, _, name = key.partition(".")
        body = settings.split(f"[{table}]\n")[1].split("\n[")[0]
        assert re.search(rf"^#? ?{name} ?=", body, re.M), key
