"""What lies in deploy/ for Prometheus, the Alertmanager and Grafana, asked of their own tools."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from metrics_helpers import Desk
from prometheus_files import BOARD, FOLDER, MANAGER, RULES, TESTS, board_tool
from servers import program

from logos.killswitch.breaker import CircuitBreaker
from logos.observe.metrics.catalog import BY_NAME
from logos.observe.metrics.figures import SCHEMA
from logos.session.presence.page import SCHEMA as SCHEMA_WRITTEN

_ENDS = ("_bucket", "_sum", "_count")


def said(*command: str | Path, given: str | None = None) -> tuple[int, str]:
    """Exit code and output of a tool."""
    name, *arguments = map(str, command)
    package = "prometheus-alertmanager" if name == "amtool" else "prometheus"
    done = subprocess.run(
        [program(name, package), *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=FOLDER,
    )
    return done.returncode, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    loaded = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def alert_tests() -> list[dict[str, Any]]:
    return list(yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"])


def metric_names(expression: str) -> set[str]:
    """The metrics of logos that an expression names, without a histogram's endings."""
    names = set()
    for name in re.findall(r"\blogos_[a-z_]+", expression):
        short = next((name.removesuffix(end) for end in _ENDS if name.endswith(end)), name)
        names.add(name if name in BY_NAME else short)
    return names


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "desk"
    home.mkdir()
    with Desk(home) as made:
        yield made


def test_the_schema_that_is_read_is_the_one_that_is_written() -> None:
    assert SCHEMA == SCHEMA_WRITTEN


def test_promtool_finds_nothing_wrong_with_a_page(desk: Desk) -> None:
    CircuitBreaker(desk.home / "state" / "kill-switch").arm_if_new()
    desk.begin(market_age_ns=0)
    desk.figures()
    desk.figures("past", exit_code=4)
    assert said("promtool", "check", "metrics", given=desk.page.encoded()[0].decode()) == (0, "")


def test_promtool_would_find_it() -> None:
    code, words = said("promtool", "check", "metrics", given="# TYPE a counter\na 1\n")
    assert code != 0
    assert "_total" in words


def test_the_files_are_accepted_by_the_servers_own_tools() -> None:
    assert said("promtool", "check", "config", FOLDER / "prometheus.yml")[0] == 0
    assert said("promtool", "check", "rules", RULES)[0] == 0
    assert said("amtool", "check-config", MANAGER)[0] == 0


@pytest.mark.long
def test_every_alert_fires_when_it_should_and_not_before() -> None:
    code, words = said("promtool", "test", "rules", TESTS)
    assert code == 0, words
    assert {rule["alert"] for rule in rules()} == {
        each["alertname"] for one in alert_tests() for each in one["alert_rule_test"]
    }


@pytest.mark.campaign
def test_the_test_of_an_alert_sees_one_that_never_fires_and_one_that_always_does(
    tmp_path: Path,
) -> None:
    """All are changed so, and promtool names every one of them."""
    text = RULES.read_text(encoding="utf-8")
    (tmp_path / TESTS.name).write_text(TESTS.read_text(encoding="utf-8"), encoding="utf-8")
    for change in ("vector(0) > 1", "vector(1)"):
        loaded = yaml.safe_load(text)
        for rule in loaded["groups"][0]["rules"]:
            rule["expr"] = change
        (tmp_path / RULES.name).write_text(yaml.safe_dump(loaded), encoding="utf-8")
        code, words = said("promtool", "test", "rules", tmp_path / TESTS.name)
        assert code != 0
        assert {rule["alert"] for rule in rules()} == set(re.findall(r"alertname: (\w+),", words))


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert metric_names(rule["expr"]) <= set(BY_NAME), rule["alert"]
        for name in re.findall(r"\$labels\.(\w+)", str(rule["annotations"])):
            assert any(name in BY_NAME[each].labels for each in metric_names(rule["expr"]))


def test_inhibitions_name_alerts_that_exist() -> None:
    text = MANAGER.read_text(encoding="utf-8")
    named = set(re.findall(r"Logos\w+", text))
    assert named
    assert named <= {rule["alert"] for rule in rules()}


def test_the_board_is_what_its_code_builds() -> None:
    tool = board_tool()
    assert BOARD.read_text(encoding="utf-8") == tool.board(), "run python tools/make_board.py"
    panels = json.loads(BOARD.read_text(encoding="utf-8"))["panels"]
    numbers = [panel["id"] for panel in panels]
    assert len(set(numbers)) == len(numbers)


def test_every_query_of_the_board_parses_and_names_metrics_that_exist(tmp_path: Path) -> None:
    tool = board_tool()
    expressions = tool.expressions()
    assert len(expressions) > 30
    wrapped = [
        {"record": f"board:{number}", "expr": expression.replace(tool.RATE, "1m")}
        for number, expression in enumerate(expressions)
    ]
    path = tmp_path / "board.yml"
    path.write_text(
        yaml.safe_dump({"groups": [{"name": "board", "rules": wrapped}]}), encoding="utf-8"
    )
    code, words = said("promtool", "check", "rules", path)
    assert code == 0, words
    assert f"{len(wrapped)} rules found" in words
    used: set[str] = set()
    for expression in expressions:
        assert metric_names(expression), expression
        used |= metric_names(expression)
    assert used <= set(BY_NAME)
