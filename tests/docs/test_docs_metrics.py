"""docs/METRICS.md shows the catalogue of metrics, and its generator writes over what is old."""

from __future__ import annotations

import argparse
import importlib
import re
from typing import Any

import pytest
from places import PROJECT

from logos.cli.observing import metrics
from logos.observe.metrics.catalog import ERROR_SOURCES, METRICS
from logos.observe.metrics.server import CONNECTIONS_MAX, PASSWORD, TIMEOUT_S, TOKEN, USER

TEXT = (PROJECT / "docs" / "METRICS.md").read_text(encoding="utf-8")


def generator() -> Any:
    """The tool that writes the table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "tools"))
        return importlib.import_module("make_metrics_table")


def test_the_table_is_the_catalogue() -> None:
    done = "run python tools/make_metrics_table.py"
    assert generator().with_table(TEXT) == TEXT, f"docs/METRICS.md is stale: {done}"
    assert re.findall(r"^\| `(logos_\w+)` \|", TEXT, re.M) == [each.name for each in METRICS]


def test_the_generator_writes_over_an_old_row() -> None:
    old = TEXT.replace("| `logos_up` | gauge", "| `logos_up` | counter")
    assert old != TEXT
    assert generator().with_table(old) == TEXT


def test_every_metric_that_the_text_names_exists() -> None:
    prose = TEXT.replace("logos_metrics_", "")
    names = set(re.findall(r"\blogos_[a-z_]+", prose))
    known = {each.name for each in METRICS}
    assert names <= known | {f"{name}_{end}" for name in known for end in ("sum", "count")}


def test_the_table_of_alerts_is_that_of_the_rules() -> None:
    """Name and severity, in the order of the file."""
    text = (PROJECT / "deploy" / "prometheus" / "logos.rules.yml").read_text(encoding="utf-8")
    rules = re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", text, re.S)
    assert len(rules) > 15
    assert re.findall(r"^\| `(Logos\w+)` \| (\w+) \|", TEXT, re.M) == rules


def test_the_text_has_the_limits_and_variables_of_the_code() -> None:
    for name in (TOKEN, USER, PASSWORD):
        assert f"`{name}`" in TEXT
    assert f"{TIMEOUT_S:g} seconds for its request, and {CONNECTIONS_MAX} may be" in TEXT
    for source in ERROR_SOURCES:
        assert f"`{source}`" in TEXT
    parser = argparse.ArgumentParser()
    metrics.add_arguments(parser)
    options = {word for action in parser._actions for word in action.option_strings}
    missing = [word for word in sorted(options) if word.startswith("--") and word not in TEXT]
    assert missing == ["--help"]
