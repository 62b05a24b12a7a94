"""The judges of a session's figures share no code with what wrote them but the typed records."""

from __future__ import annotations

import pytest
from import_graph import Graph, modules

RECORDS = {"logos.core.records", "logos.core.types", "logos.core.fixed"}
"""The records, and what they are made of."""

WRITERS = {
    *("account", "inventory", "instrument_state", "order_manager", "engine", "matching", "market"),
    *("recording", "fees", "reports", "safety", "outbox"),
}
"""Modules of the core that keep books or make records."""


def reached(module: str, graph: Graph) -> set[str]:
    """Every module that `module` imports, by others too."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        for each in graph[waiting.pop()] - seen:
            seen.add(each)
            waiting.append(each)
    return seen


@pytest.fixture(scope="module")
def graph() -> Graph:
    return modules()


@pytest.mark.parametrize("judge", ["auditor", "csv_cells", "money.lots", "money.quick"])
def test_the_auditor_knows_nothing_but_the_cells(judge: str, graph: Graph) -> None:
    own = {"logos.audit.csv_cells", "logos.audit.money", "logos.audit.money.lots"}
    own |= {f"logos.audit.money.{name}" for name in ("taken", "terms", "quick", "wallets")}
    own |= {"logos.audit.money.lot_cells"}
    allowed = {"logos", "logos.errors", "logos.audit", *own}
    assert reached(f"logos.audit.{judge}", graph) <= allowed


def test_samples_are_judged_from_the_typed_records_alone(graph: Graph) -> None:
    of_core = {name for name in graph["logos.audit.samples"] if name.startswith("logos.core.")}
    assert of_core <= RECORDS
    found = reached("logos.audit.samples", graph)
    assert not [name for name in found if name.startswith("logos.session")]
    assert not found & {f"logos.core.{name}" for name in WRITERS}


@pytest.mark.parametrize("judge", ["orders", "exposure", "gatekeeping", "open_orders", "rules"])
def test_orders_are_judged_from_the_typed_records_alone(judge: str, graph: Graph) -> None:
    of_core = {name for name in graph[f"logos.audit.{judge}"] if name.startswith("logos.core.")}
    assert of_core <= RECORDS
    found = reached(f"logos.audit.{judge}", graph)
    assert not [name for name in found if name.startswith("logos.session")]
    makers = {f"logos.core.{name}" for name in (*WRITERS, "risk", "guards.table", "gates")}
    assert not found & makers


def test_the_writers_are_found_where_the_books_are(graph: Graph) -> None:
    """The rule above can fail: it names modules that there are, and a writer would be seen."""
    there = {name for name in WRITERS if f"logos.core.{name}" in graph}
    assert there >= {"account", "inventory", "instrument_state", "order_manager", "engine"}
    assert "logos.core.account" in reached("logos.audit.files.projections", graph)
