"""A user's own scenarios: one that works, one that must fail, and files with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from rehearsal_helpers import TRADE_OPTIONS

from logos.cli.main import main
from logos.config import ConfigError
from logos.rehearsal.scenarios import read_scenarios

OWN = """
[[scenario]]
name = "kill_at_tick_200"
description = "The desk head pulls the plug early."
inject = [{ kind = "kill_command", tick = 200 }]
settings = { switch = { on_engaged = "halt" } }
expect = [
  { check = "orders_after_block" },
  { check = "sealed", status = "HALTED" },
]
"""


def scenario_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return path


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_a_scenario_of_the_user_runs_beside_the_bundled_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(scenario_file(tmp_path, OWN))
    names = ["no_incident", "kill_at_tick_200"]
    assert main(["rehearse", *names, "--scenarios", path, *TRADE_OPTIONS]) == 0
    assert "2 PASS" in capsys.readouterr().out


@pytest.mark.long
def test_an_expectation_that_does_not_hold_fails_with_what_was_seen(
    logos_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = OWN.replace('status = "HALTED"', 'status = "ENDED"')
    path = str(scenario_file(tmp_path, broken))
    assert main(["rehearse", "kill_at_tick_200", "--scenarios", path, *TRADE_OPTIONS]) == 1
    printed = capsys.readouterr().out
    assert "FAILED sealed: status ENDED: saw sealed HALTED" in printed
    assert "1 FAIL" in printed
    report = logos_home / "runs" / "rehearsals" / "rehearsal-0001" / "rehearsal.md"
    assert "kill_at_tick_200: FAIL" in report.read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_an_injection_that_never_comes_is_no_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
[[scenario]]
name = "late"
description = "The second injection comes after the session has halted."
inject = [{ kind = "end_feed", tick = 10 }, { kind = "kill_command", tick = 20 }]
expect = [{ check = "switch_seen", state = "ENGAGED" }]
"""
    path = str(scenario_file(tmp_path, text))
    assert main(["rehearse", "late", "--scenarios", path, *TRADE_OPTIONS]) == 1
    assert "FAILED every injection happens" in capsys.readouterr().out


MISTAKES = [
    pytest.param("", "no scenarios", id="empty"),
    pytest.param("[scenario]\nname='a'", "[[scenario]]", id="a table instead of an array"),
    pytest.param("[[scenarios]]\nname='a'", "unknown key 'scenarios'", id="misspelt table"),
    pytest.param("not toml", "not valid TOML", id="no TOML"),
    pytest.param(OWN.replace("kill_command", "kil"), "kinds: kill_command", id="unknown kind"),
    pytest.param(
        OWN.replace("orders_after_block", "orders"), "checks: journal_intact", id="unknown check"
    ),
    pytest.param(OWN.replace("tick = 200", "tik = 200"), "tik", id="unknown key of an injection"),
    pytest.param(OWN.replace("tick = 200", "tick = 0"), "tick = 0", id="tick 0"),
    pytest.param(OWN.replace("tick = 200", 'tick = "soon"'), "'soon'", id="a moment nobody knows"),
    pytest.param(OWN.replace("tick = 200", 'tick = "150%"'), "'150%'", id="beyond the data"),
    pytest.param(OWN.replace("tick = 200", 'tick = "50%+x"'), "'50%+x'", id="no number of ticks"),
    pytest.param(OWN.replace("tick = 200", "tick = true"), "tick", id="a truth as a tick"),
    pytest.param(
        OWN.replace("kill_at_tick_200", "../up"), "the name becomes a folder", id="a path as name"
    ),
    pytest.param(OWN + OWN, "two scenarios of this name", id="twice the same name"),
    pytest.param(
        OWN.partition("expect")[0] + "expect = []", "expects nothing", id="no expectation"
    ),
    pytest.param(
        OWN.replace('kind = "kill_command"', 'kind = "price", factor = "0"'),
        "factor",
        id="prices of zero",
    ),
    pytest.param(
        OWN.replace('kind = "kill_command"', 'kind = "gap", ticks = 0'), "ticks = 0", id="no gap"
    ),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES)
def test_a_mistake_in_a_file_is_named_with_its_file(tmp_path: Path, text: str, words: str) -> None:
    path = scenario_file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_scenarios(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["nonsense", *TRADE_OPTIONS], 2, "no scenario is called 'nonsense'"),
        (["kill_at_tick", "--strategy", "sma_cross"], 2, "no market data"),
        (["kill_at_tick", "--data", "no-such-file.csv", "--strategy", "sma_cross"], 3, "no-such"),
        (["all", "--scenarios", "absent.toml", *TRADE_OPTIONS], 2, "there is no such file"),
    ],
)
@pytest.mark.usefixtures("logos_home")
def test_what_cannot_be_rehearsed_is_said_before_anything_runs(
    options: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", *options]) == code
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("logos_home")
def test_settings_of_a_scenario_that_do_not_exist_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = OWN.replace('on_engaged = "halt"', 'on_engage = "halt"')
    path = str(scenario_file(tmp_path, text))
    assert main(["rehearse", "kill_at_tick_200", "--scenarios", path, *TRADE_OPTIONS]) == 2
    words = capsys.readouterr().err
    assert "scenario kill_at_tick_200" in words
    assert "on_engage" in words


@pytest.mark.usefixtures("logos_home")
def test_a_folder_that_holds_something_is_not_written_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious.txt").write_text("x", encoding="utf-8")
    assert main(["rehearse", "kill_at_tick", "--out", str(tmp_path), *TRADE_OPTIONS]) == 2
    assert "holds something already" in capsys.readouterr().err
