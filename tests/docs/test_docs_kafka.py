"""docs/KAFKA.md: the commands shown run against a real broker and print what is shown."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from doc_commands import DESK, blocks, files, make_workspace, missing, run_step
from kafka_broker import broker
from places import PROJECT

from logos.config import make_config
from logos.observe.shipping.progress import SessionLag, ShipStatus

DOCUMENT = "docs/KAFKA.md"
TEXT = (PROJECT / DOCUMENT).read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:9092"


@pytest.mark.long
def test_the_commands_do_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_workspace(tmp_path, monkeypatch)
    [block] = [each for each in blocks(DOCUMENT) if "run by" in each.marks]
    problems = []
    with broker(tmp_path / "broker") as server:
        for step in block.steps:
            step.command = step.command.replace(ADDRESS, server.address)
            if step.exit_code == 1:
                step.command += " --wait 0.5"
            code, output = run_step(step)
            output = output.replace(str(tmp_path), DESK).replace(server.address, ADDRESS)
            absent = missing(step, output)
            if code != step.exit_code or absent:
                problems.append(f"$ {step.command}\ncode {code}, not shown: {absent}\n{output}")
    assert not problems, "\n".join(problems)


def test_the_settings_shown_are_settings() -> None:
    tables = tomllib.loads(files(DOCUMENT)["kafka.toml"])
    assert make_config(tables).ship.kafka.brokers.count(",") == 1  # type: ignore[union-attr]


def test_every_field_of_the_status_is_explained() -> None:
    named = set(re.findall(r"`(\w+)`", TEXT))
    assert set(ShipStatus.__struct_fields__) <= named
    assert set(SessionLag.__struct_fields__) <= named
