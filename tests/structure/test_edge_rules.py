"""What leaves the core: one rule that says whether an order may, messages only, no core objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from import_graph import parsed
from places import PROJECT

PACKAGE = PROJECT / "src" / "logos"

STATE_NAMES = {"SAFE", "REDUCE_ONLY", "ENGAGED"}

# Who else looks at the switch's state, and for what. None of them decides whether an order leaves.
LOOKS_AT_THE_STATE = {
    "cli/running/standing.py": "shows the state, and says it by the exit code",
    "cli/run_command.py": "tells an operator that the switch is not SAFE at the end",
    "core/gates.py": "the rule itself, and a switch for one process",
    "core/safety.py": "gate 1, and what is cancelled when the switch changes",
    "core/engine.py": "gate 1, in the loop",
    "core/guards/limits.py": "names its actions after the states",
    "session/artifacts/decisions.py": "shows the state in the log",
    "session/artifacts/counts.py": "names what stopped a session",
    "session/recorded.py": "the switch of a replay",
    "session/opening/machine_switch.py": "whether a session may start",
    "session/supervisor.py": "whether a session that starts is blocked",
    "session/fleet/membership.py": "whether a session of a fleet may start",
    "sweeps/run.py": "begins no session while it is not SAFE; gates nothing",
    "sweeps/worker.py": "what met another state is no result",
    "session/opening/start.py": "how a recorded session ended",
    "cli/screen/banner.py": "shows the state",
    "cli/screen/line.py": "shows the state, in colour",
    "cli/kill.py": "shows the state, and says it by the exit code",
    "cli/launch/checks.py": "does not launch while it is not SAFE; gates nothing",
    "cli/running/health.py": "says that a session is not well while it is engaged",
    "cli/running/fleet.py": "shows the state, and says it by the exit code",
    "cli/fleet/showing.py": "shows the states of a fleet's shards, and says it by the exit code",
    "cli/running/stopping.py": "which of the two states an operator wants, and whether it is there",
    "rehearsal/acceptance.py": "whether an injected engagement took hold",
    "observe/alerts/watch.py": "tells people of a transition that is more severe",
    "rehearsal/feed.py": "waits until an injected engagement is seen",
    "rehearsal/expectations.py": "judges what was recorded",
    "rehearsal/own.py": "expects what a guard's action says, which is named after a state",
    "stress/judge.py": "judges what was recorded",
    "stress/gateway_rules.py": "judges what was recorded",
    "audit/gatekeeping.py": "judges what was recorded, and shares nothing with what made it",
    "audit/switch_history.py": "judges what the switch's own history says",
    "session/presence/resetting.py": "the way back from it, step by step",
    "session/presence/figures.py": "shows the state",
    "session/venue/dead_man.py": "whether the venue's promise to cancel is renewed",
}

# The core's own books and orders. The edge gets messages, and one view to ask.
CORE_OBJECTS = {
    "logos.core.orders.Order",
    "logos.core.orders.OrderIntent",
    "logos.core.instrument_state",
    "logos.core.account",
    "logos.core.order_manager",
    "logos.core.outbox.Outbox",
    "logos.core.inventory",
    "logos.core.engine",
}

# Each of these is made in one place; the next is made from it.
MADE_IN = {"Approved": "core/risk.py", "SubmitOrder": "core/outbox.py"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module's path below the package, and its tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), parsed(path)


def is_state(node: ast.AST) -> bool:
    """Whether an expression is a state of the switch, or asks the authority for it."""
    if isinstance(node, ast.Attribute):
        if node.attr in STATE_NAMES:
            return isinstance(node.value, ast.Name) and node.value.id != "Code"
        return is_state(node.value)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "authority"
    if isinstance(node, ast.Name):
        return node.id in STATE_NAMES
    if isinstance(node, (ast.Tuple, ast.Set, ast.List)):
        return any(is_state(each) for each in node.elts)
    return isinstance(node, ast.Constant) and node.value in STATE_NAMES


def state_comparisons(tree: ast.AST) -> list[int]:
    """Lines on which something is compared with a state of the switch."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            operands = [node.value]
        else:
            continue
        found += [node.lineno] * any(map(is_state, operands))
    return found


def imported_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def core_objects(tree: ast.AST) -> list[str]:
    """The core objects that a module imports."""
    found = []
    for line, name in imported_names(tree):
        parents = {name, *(name[:at] for at, sign in enumerate(name) if sign == ".")}
        if parents & CORE_OBJECTS:
            found.append(f"line {line}: {name}")
    return found


def makings(tree: ast.AST, name: str) -> list[int]:
    """Lines on which the class of that name is called."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == name)
            or (isinstance(node.func, ast.Attribute) and node.func.attr == name)
        )
    ]


@pytest.mark.long
def test_one_rule_says_whether_an_order_may_leave() -> None:
    """A copy of the rule once ignored REDUCE_ONLY: whoever needs it calls `gates.why_closed`."""
    found = {
        name: lines
        for name, tree in sources()
        if (lines := state_comparisons(tree)) and not name.startswith("killswitch/")
    }
    others = {name: lines for name, lines in found.items() if name not in LOOKS_AT_THE_STATE}
    assert others == {}, "ask gates.why_closed, or say in LOOKS_AT_THE_STATE what it is for"


@pytest.mark.long
def test_every_gate_of_an_order_asks_the_rule() -> None:
    callers = {name for name, tree in sources() if makings(tree, "why_closed")}
    assert callers == {
        "core/order_manager.py",  # gate 2
        "core/exits/held.py",  # gate 2 once more, for what was held since
        "core/safety.py",  # what may stay when the switch goes REDUCE_ONLY
        "core/context.py",  # for the two at the edge
        "execution/sending/gate.py",  # the last look at a venue's door
        "execution/venue_link.py",  # asks that gate
        "adapters/mt5/terminal.py",  # the gateway's gate
    }


@pytest.mark.long
def test_the_edge_holds_no_object_of_the_core() -> None:
    found = {
        name: objects
        for name, tree in sources()
        if name.split("/")[0] in ("execution", "adapters", "venues", "feeds", "simulators")
        and (objects := core_objects(tree))
    }
    assert found == {}, "what is needed stands in core/outbox.py, or is asked of core/context.py"


@pytest.mark.long
@pytest.mark.parametrize("name", MADE_IN)
def test_an_order_that_may_leave_is_made_in_one_place(name: str) -> None:
    assert [path for path, tree in sources() if makings(tree, name)] == [MADE_IN[name]]


@pytest.mark.parametrize(
    "source",
    [
        "switch.authority() is SwitchState.ENGAGED",
        "SwitchState.REDUCE_ONLY != state",
        "state in (SwitchState.SAFE, SwitchState.REDUCE_ONLY)",
        "state.name == 'ENGAGED'",
        "seen == ENGAGED",
        "switch.authority() > 0",
        "record.state == SwitchState.ENGAGED.name",
        "match state:\n    case SwitchState.ENGAGED:\n        pass",
    ],
)
def test_the_search_for_comparisons_can_fail(source: str) -> None:
    assert state_comparisons(ast.parse(source)) != []


@pytest.mark.parametrize("source", ["status is OrderStatus.NEW", "code == Code.REDUCE_ONLY"])
def test_the_search_for_comparisons_finds_states_only(source: str) -> None:
    assert state_comparisons(ast.parse(source)) == []


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("from logos.core.orders import Order", True),
        ("from logos.core.orders import TRANSITIONS", False),
        ("from logos.core import account", True),
        ("import logos.core.instrument_state", True),
        ("def f():\n    from logos.core.order_manager import OrderManager", True),
        ("from logos.core.outbox import SubmitOrder", False),
    ],
)
def test_the_search_for_core_objects_can_fail(source: str, is_found: bool) -> None:
    assert bool(core_objects(ast.parse(source))) is is_found


def test_what_is_named_here_is_there() -> None:
    for name in (*LOOKS_AT_THE_STATE, *MADE_IN.values()):
        assert Path(PACKAGE / name).is_file(), f"{name} has moved: move its line here too"
