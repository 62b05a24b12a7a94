"""docs/MT5.md says what the code does."""

from __future__ import annotations

import argparse
import re

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from places import PROJECT

from logos.adapters.mt5.gateway.settings import Endpoints, GatewaySettings
from logos.adapters.mt5.retcodes import documented
from logos.adapters.mt5.terminal import GATEWAY_CLOSED, GATEWAY_OPENED
from logos.cli import mt5_sim
from logos.venues.failures import Knowledge

ROOT = PROJECT
TEXT = (ROOT / "docs" / "MT5.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "knowledge", "words"), documented())
def test_each_return_code_is_in_the_table(code: int, knowledge: Knowledge, words: str) -> None:
    names = {
        Knowledge.REFUSED: "Refused",
        Knowledge.NOT_SENT: "NotSent",
        Knowledge.UNKNOWN: "OutcomeUnknown",
    }
    assert f"| {code} | {names[knowledge]} | {words} |" in TEXT


def test_each_setting_of_the_gateway_is_there_with_its_default() -> None:
    settings = GatewaySettings()
    shown = {"8 MiB": 8 * 1024 * 1024, "64 KiB": 64 * 1024, "10,000": 10_000}
    for name in GatewaySettings.__struct_fields__:
        [text] = re.findall(rf"\| `{name}` \| ([^|]+) \|", TEXT)
        value = shown[text] if text in shown else int(text)
        assert value == getattr(settings, name)


def test_the_ports_are_the_defaults() -> None:
    ends = Endpoints()
    for name in ("system", "data", "live", "streaming"):
        assert f"| {getattr(ends, name)} {name} |" in TEXT


def test_each_option_of_the_simulator_is_named() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    mt5_sim.add_arguments(parser)
    for option in re.findall(r"--[a-z-]+", parser.format_help()):
        assert f"`{option}" in TEXT, option


def test_each_record_of_the_gateway_is_explained() -> None:
    folder = ROOT / "src" / "logos" / "adapters" / "mt5" / "gateway"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py")))
    actions = {GATEWAY_OPENED, GATEWAY_CLOSED, *re.findall(r'say\(\s*"([A-Z_]+)"', source)}
    assert len(actions) >= 13
    for action in actions:
        assert f"`{action}`" in TEXT
