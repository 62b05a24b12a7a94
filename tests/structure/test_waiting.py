"""No test sleeps to wait: a time that is enough here is too short or too long elsewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from import_graph import parsed
from places import TESTS

MAY_SLEEP = {
    "attack/attack_box.py": "it asks again and again, up to a limit, without the other helpers",
    "attack/attack_desk.py": "the pace of a session that is to be interrupted",
    "attack/attack_signals.py": "the signal comes wherever the process happens to be",
    "adapters/mt5/test_mt5_check_words.py": "time itself must pass: a terminal opened long ago",
    "helpers/waiting.py": "it asks again and again, up to a limit",
    "helpers/fleet_campaign.py": "whoever would come back by itself gets the time to",
    "helpers/fleet_engine.py": "the pace of an engine, and it asks again and again, up to a limit",
    "helpers/shard_campaign.py": "whoever would come back by itself gets the time to",
    "helpers/shard_costs.py": "what the members count by themselves in two seconds",
    "helpers/shard_faults.py": "the fault lasts for as long as its chance says",
    "helpers/fleet_faults.py": "the fault lasts for as long as its chance says",
    "helpers/kill_trials.py": "the kill comes wherever the process happens to be",
    "helpers/ship_campaign.py": "the broker is at rest, and it asks for as long as something moves",
    "helpers/life_trials.py": "the signal comes wherever the process happens to be",
    "helpers/cli_trials.py": "the signal comes wherever the process happens to be",
}


def sleeps_in(tree: ast.AST) -> list[int]:
    """The lines that sleep for longer than nothing, but for clocks, whose `sleep` is their own."""
    clocks = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "sleep"
        for inner in ast.walk(node)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and node not in clocks
        and ast.unparse(node.func) in ("time.sleep", "asyncio.sleep", "sleep")
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]


@pytest.mark.long
def test_no_test_sleeps() -> None:
    paths = {path.relative_to(TESTS).as_posix(): path for path in TESTS.rglob("*.py")}
    assert len(paths) > 100
    assert set(MAY_SLEEP) <= set(paths)
    found = {
        f"{name}:{line}"
        for name, path in sorted(paths.items())
        if name not in MAY_SLEEP and "sleep" in path.read_text(encoding="utf-8")
        for line in sleeps_in(parsed(path))
    }
    assert found == set(), "wait for a condition: tests/helpers/waiting.py"


def test_what_may_sleep_does(tmp_path: Path) -> None:
    for name in MAY_SLEEP:
        assert sleeps_in(ast.parse((TESTS / name).read_text(encoding="utf-8"))), name


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("time.sleep(0.1)", [1]),
        ("while x:\n    time.sleep(pause)", [2]),
        ("async def f():\n    await asyncio.sleep(0.001)", [2]),
        ("from time import sleep\nsleep(1)", [2]),
        ("async def f():\n    await asyncio.sleep(0)", []),
        ("class Clock:\n    async def sleep(self, s):\n        await asyncio.sleep(s)", []),
        ("clock.sleep(1)", []),
    ],
)
def test_a_sleep_is_found(source: str, lines: list[int]) -> None:
    assert sleeps_in(ast.parse(source)) == lines
