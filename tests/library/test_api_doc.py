"""docs/API.md and docs/QUICKSTART.md: every block runs, every public name is there as it is."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from places import PROJECT

import logos

API = (PROJECT / "docs" / "API.md").read_text(encoding="utf-8")
QUICKSTART = (PROJECT / "docs" / "QUICKSTART.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.M | re.S)
FULL = (
    *("run", "run_live", "resume", "replay", "result", "Session", "bars", "quotes", "trades"),
    *("LiveEngine", "MetricsAggregator", "CircuitBreakerMonitor"),
)


def blocks(text: str, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(text) if kind == language]


@pytest.fixture
def project_with_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in as in a checkout, whose workspace is another."""
    place = tmp_path / "checkout"
    place.mkdir()
    (place / "data").symlink_to(PROJECT / "data")
    monkeypatch.chdir(place)
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LOGOS_SEED", raising=False)
    return place


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_block_of_the_reference_runs(project_with_home: Path) -> None:
    found = blocks(API, "python")
    assert len(found) >= 10
    (project_with_home / "api.py").write_text("\n".join(found), encoding="utf-8")
    done = subprocess.run([sys.executable, "api.py"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "<logos session session-0001 ENDED" in done.stdout
    assert done.stderr == ""


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_quickstart_is_one_page_and_runs(project_with_home: Path) -> None:
    assert len(QUICKSTART.splitlines()) <= 100
    strategy, *others = blocks(QUICKSTART, "python")
    (project_with_home / "file.py").write_text(strategy, encoding="utf-8")
    (project_with_home / "page.py").write_text("\n".join((strategy, *others)), encoding="utf-8")
    done = subprocess.run([sys.executable, "page.py"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "46 orders" in done.stdout
    commands = [
        line.removeprefix("$ ")
        for body in blocks(QUICKSTART, "console")
        for line in body.splitlines()
        if line.startswith("$ ")
    ]
    assert commands.pop(0) == "make session"
    assert len(commands) == 5
    codes = {}
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "logos"
        ran = subprocess.run(
            [sys.executable, "-m", "logos.live", *words[1:]],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        )
        codes[command] = ran.returncode
    # `kill status` of an engaged switch is no failure, but tells a script so.
    status = codes.pop("logos kill status")
    nothing_ran = codes.pop('logos kill --reason "a drill"')
    assert set(codes.values()) == {0}, codes
    assert (status, nothing_ran) == (1, 5)


def signature(name: str) -> str:
    """`logos.name(...)` without types."""
    found = inspect.signature(getattr(logos, name))
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in found.parameters.values()]
    return f"{name}{found.replace(parameters=bare, return_annotation=inspect.Signature.empty)}"


@pytest.mark.parametrize("name", FULL)
def test_the_reference_has_the_signature_as_it_is(name: str) -> None:
    assert f"{signature(name)}`" in API


@pytest.mark.parametrize("name", logos.__all__)
def test_the_reference_names_every_public_name(name: str) -> None:
    assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", API)


def test_the_reference_names_every_option() -> None:
    from logos.library.instruments import InstrumentFields
    from logos.library.options import Options

    for name in (*Options.__annotations__, *InstrumentFields.__annotations__):
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", API), name
