"""The front door: help, unknown commands, exit codes, and where logos does not run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
from places import PROJECT

from logos.cli import main as command_line
from logos.cli.exit_codes import SESSION_CODES
from logos.cli.main import _COMMANDS, main
from logos.session import ExitCode

Output = pytest.CaptureFixture[str]


def help_of(command: str, capsys: Output) -> str:
    with pytest.raises(SystemExit, match=r"^0$"):
        main([command, "--help"])
    return capsys.readouterr().out


def test_bare_logos_prints_help(capsys: Output) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: logos ")
    for name, (purpose, _) in _COMMANDS.items():
        assert re.search(rf"^    {name} ", shown, re.M)
        assert " ".join(purpose.split()) in " ".join(shown.split())


def test_options_without_a_command_are_refused(capsys: Output) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["--colour"])
    assert "--colour" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "meant"),
    [("trad", "trade"), ("Kill", "kill"), ("unpause", "pause"), ("mt5sim", "mt5-sim")],
)
def test_an_unknown_command_is_answered_with_the_one_that_was_meant(
    word: str, meant: str, capsys: Output
) -> None:
    assert main([word, "--seed", "1"]) == 2
    error = capsys.readouterr().err
    assert error == f"logos: there is no command {word!r}; did you mean `logos {meant}`?\n"


def test_a_word_like_no_command_is_answered_with_the_help(capsys: Output) -> None:
    assert main(["xyzzy"]) == 2
    assert "`logos --help` lists the commands" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["trade", "resume", "replay", "flatten", "verify"])
def test_the_commands_about_whole_sessions_explain_every_exit_code(
    command: str, capsys: Output
) -> None:
    explained = help_of(command, capsys).partition("exit codes:\n")[2]
    assert [int(code) for code in re.findall(r"^  (\d+)  \S", explained, re.M)] == [
        *(int(code) for code in ExitCode),
        130,
    ]


@pytest.mark.parametrize("command", sorted(_COMMANDS))
def test_every_command_explains_its_own_exit_codes_once(command: str, capsys: Output) -> None:
    shown = help_of(command, capsys)
    assert shown.lower().count("exit codes:") == 1
    assert re.search(r"^  0  \S", shown.lower().partition("exit codes:")[2], re.M)


def test_the_help_of_all_commands_has_no_exit_codes_of_some(capsys: Output) -> None:
    main([])
    assert "exit codes:" not in capsys.readouterr().out


def test_readme_has_the_same_table_of_exit_codes() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", readme.partition("## Exit codes")[2], re.M)
    assert {int(code): text for code, text in rows} == {
        code: text.replace(" (a bug: please report it)", " (a bug)")
        for code, text in SESSION_CODES.items()
    }


@pytest.mark.parametrize("command", sorted(_COMMANDS))
def test_an_unsupported_system_is_refused_before_anything_is_imported(
    command: str, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(command_line, "system_problem", lambda: "no fcntl here")
    monkeypatch.setattr(command_line, "import_module", fail)
    assert main([command, "--json"]) == 2
    assert capsys.readouterr().err == f"logos {command}: no fcntl here\n"


def test_help_imports_no_command_and_no_library() -> None:
    code = (
        "import sys\n"
        "from logos.cli.main import main\n"
        "main([])\n"
        "print(sorted(n for n in sys.modules if n.startswith(('logos', 'msgspec', 'tqdm'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str(
        [
            *("logos", "logos.cli", "logos.cli.main", "logos.held_signals", "logos.installation"),
            "logos.shown",
        ]
    )


@pytest.mark.long
def test_help_answers_at_once() -> None:
    """Well under 0.1 s, as time of the processor: other work on this machine does not count."""

    def seconds() -> float:
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "logos.live", "--help"], stdout=subprocess.DEVNULL, check=True
        )
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])

    assert min(seconds() for _ in range(5)) < 0.1


@pytest.mark.parametrize("command", sorted(_COMMANDS))
def test_every_command_has_a_module_with_both_functions(command: str) -> None:
    module = import_module(_COMMANDS[command][1])
    assert callable(module.add_arguments)
    assert callable(module.run)


def test_ctrl_c_while_a_command_is_being_loaded_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("logos.cli.main.make_parser", interrupted)
    assert main(["data", "fetch", "--help"]) == 130
    assert capsys.readouterr().err == "logos data: interrupted before it was done\n"
