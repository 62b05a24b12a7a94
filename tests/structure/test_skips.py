"""A test is skipped for a reason that is said, and fails instead where all must be there."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest
from places import TESTS, absent

SKIPS = {"skip", "skipif", "importorskip", "xfail"}
WORD = re.compile(r"\b(skip|skipif|importorskip|xfail)\b")
ALLOWED = {
    # Libraries: under LOGOS_REQUIRE_SERVICES=1 conftest.py refuses to begin without them.
    ("data/test_feed_convert.py", "importorskip"): 2,
    ("data/test_feed_signals.py", "importorskip"): 1,
    ("data/test_layouts.py", "importorskip"): 1,
    ("observe/test_metrics_kept_lines.py", "importorskip"): 1,
    ("stress/test_stress_plan_limits.py", "importorskip"): 1,
    ("data/test_import_tables.py", "importorskip"): 3,
    ("docs/test_docs_manual.py", "importorskip"): 1,
    ("helpers/calendar_library.py", "importorskip"): 1,
    ("helpers/feed_helpers.py", "skipif"): 1,
    ("helpers/feed_libraries.py", "importorskip"): 1,
    ("helpers/ib_libraries.py", "importorskip"): 1,
    ("helpers/mt5_libraries.py", "importorskip"): 1,
    ("helpers/stress_helpers.py", "importorskip"): 1,
    ("helpers/venue_libraries.py", "importorskip"): 1,
    ("simulators/test_exchange_faults.py", "importorskip"): 1,
    # `absent`, which fails there.
    ("helpers/places.py", "skip"): 1,
    # An environment that is made there.
    ("session/test_determinism.py", "skip"): 1,
    # A command that a guide shows and nobody can run everywhere; it is parsed, and counted here.
    ("docs/test_docs_commands.py", "skip"): 1,
    # Files of other people, which do not belong into the project; its own examples are alike.
    ("data/test_layout_cases.py", "skipif"): 1,
    ("data/test_cases_by_command.py", "skipif"): 1,
    ("data/test_no_look_ahead.py", "skipif"): 1,
    # Another kind of system.
    ("config/test_config_dotenv.py", "skipif"): 1,
}
"""Every way in which a test may be left out, by file; what is missing goes through `absent`."""


def skips_in(source: str) -> list[tuple[str, bool]]:
    """What leaves tests out, line by line, and whether it says why."""
    tree = ast.parse(source)
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    # `pytest.skip.Exception` leaves nothing out.
    parts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and node.attr in SKIPS) or id(node) in parts:
            continue
        if ast.unparse(node) not in (f"pytest.{node.attr}", f"pytest.mark.{node.attr}"):
            continue
        call = calls.get(id(node))
        says_why = call is not None and bool(
            call.args if node.attr == "skip" else {"reason"} & {word.arg for word in call.keywords}
        )
        found.append((node.lineno, node.attr, says_why))
    return [(kind, says_why) for _, kind, says_why in sorted(found)]


@pytest.mark.long
def test_nothing_is_left_out_but_what_is_listed_and_each_says_why() -> None:
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted(TESTS.rglob("*.py")):
        name = path.relative_to(TESTS).as_posix()
        source = path.read_text(encoding="utf-8")
        for kind, says_why in skips_in(source) if WORD.search(source) else ():
            assert says_why, f"{name}: {kind} without a reason"
            found[name, kind] += 1
    assert dict(found) == ALLOWED


def test_an_unlisted_skip_is_found() -> None:
    source = """
pytest.skip()
pytest.skip("why")
@pytest.mark.xfail(broken)
@pytest.mark.skip
@pytest.mark.skipif(x, reason="y")
def f(): items.skip("a")
"""
    assert skips_in(source) == [
        ("skip", False),
        ("skip", True),
        ("xfail", False),
        ("skip", False),
        ("skipif", True),
    ]


@pytest.mark.parametrize("value", ["1", "0", ""])
def test_what_is_absent_fails_only_where_all_is_required(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("LOGOS_REQUIRE_SERVICES", value)
    outcome = pytest.fail.Exception if value == "1" else pytest.skip.Exception
    with pytest.raises(outcome, match="no such terminal"):
        absent("no such terminal")
