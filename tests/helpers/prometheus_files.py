"""What lies in deploy/ for Prometheus, the Alertmanager and Grafana."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

from places import PROJECT

FOLDER = PROJECT / "deploy" / "prometheus"
RULES = FOLDER / "logos.rules.yml"
TESTS = FOLDER / "logos.rules.test.yml"
BOARD = PROJECT / "deploy" / "grafana" / "logos.json"
MANAGER = PROJECT / "deploy" / "alertmanager" / "alertmanager.yml"


def board_tool() -> Any:
    spec = importlib.util.spec_from_file_location("make_board", PROJECT / "tools" / "make_board.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_board"] = module  # dataclasses and the like look there
    spec.loader.exec_module(module)
    return module
