"""A session is of one build: its logos, its strategy, and every file that the strategy imports."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import PROJECT
from sampling import first_quick

from logos import build, session
from logos.build import build_hash, build_name, imported_by
from logos.core.gates import InProcessSwitch
from logos.killswitch.breaker import CircuitBreaker
from logos.session.restoring import CannotResumeError

STRATEGY = """
import json
import msgspec
from logos.core.strategy import Strategy, market
from logos.core.types import Side
from helping import size
import package.deep

class Mine(Strategy):
    def on_bar(self, context, bar):
        import lazily
        return market(Side.BUY, size())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a strategy that imports others, which is also the working directory."""
    for name, text in {
        "mine.py": STRATEGY,
        "helping.py": "from further import SIZE\ndef size():\n    return SIZE\n",
        "further.py": "SIZE = 1\n",
        "lazily.py": "",
        "unused.py": "",
        "package/__init__.py": "from . import beside\n",
        "package/deep.py": "from .beside import X\n",
        "package/beside.py": "X = 1\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


ALL = ["further", "helping", "lazily", "mine", "package", "package.beside", "package.deep"]


def test_every_file_that_a_strategy_imports_is_found_and_no_other(folder: Path) -> None:
    kind = importlib.import_module("mine").Mine
    found = imported_by(kind)
    assert list(found) == ALL
    assert all(len(digest) == 64 for digest in found.values())


def test_what_is_bundled_and_made_on_the_fly_rests_on_no_file_of_the_users() -> None:
    from logos.strategies.sma_cross import SmaCross

    assert imported_by(SmaCross) == {}
    assert imported_by(type("Made", (), {"__module__": "nowhere"})) == {}


def test_a_module_that_was_imported_under_a_computed_name_is_seen_in_the_namespace(
    folder: Path,
) -> None:
    (folder / "mine.py").write_text(
        "import importlib\nhelp = importlib.import_module('hel' + 'ping')\nclass Mine: pass\n"
    )
    assert list(imported_by(importlib.import_module("mine").Mine)) == ["further", "helping", "mine"]


def test_the_hash_of_logos_follows_its_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "core").mkdir()
    source = tmp_path / "core" / "risk.py"
    source.write_text("LIMIT = 1\n")
    monkeypatch.setattr(build, "_PACKAGE", tmp_path)
    hashes = []
    for text in ("LIMIT = 1\n", "LIMIT = 2\n", "LIMIT = 1\n"):
        source.write_text(text)
        hashes.append(build_hash.__wrapped__())
    assert hashes[0] == hashes[2] != hashes[1]
    source.rename(tmp_path / "risk.py")
    assert build_hash.__wrapped__() != hashes[0]


# ---- sessions ----

SETTINGS: dict[str, Any] = {
    "session": {"id": "built"},
    "strategy": {"name": "mine:Mine"},
    "data": {"symbols": ["ACME"], "accept": ["gap"]},
}


def stop_and_resume(home: Path, between: str) -> subprocess.CompletedProcess[str]:
    """Stop a session in one process, do `between`, and resume it in another."""
    cache = PROJECT / "data" / "cache"
    script = f"""
import signal, sys
from logos import session
from logos.core.gates import InProcessSwitch
settings = {SETTINGS!r}
settings["data"]["paths"] = [{str(cache)!r}]
if sys.argv[1] == "run":
    import helping
    size = helping.size
    count = iter(range(10**6))
    import mine
    def on_bar(self, context, bar, before=mine.Mine.on_bar):
        if next(count) == 50:
            signal.raise_signal(signal.SIGTERM)
        return before(self, context, bar)
    mine.Mine.on_bar = on_bar
    result = session.run(settings, switch=InProcessSwitch())
else:
    result = session.resume("built", switch=InProcessSwitch())
print(result.status.value)
"""
    (home / "script.py").write_text(script, encoding="utf-8")
    environment = {**os.environ, "LOGOS_HOME": str(home)}
    command = [sys.executable, str(home / "script.py")]

    def process(word: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, word], cwd=home, env=environment, capture_output=True, text=True, timeout=120
        )

    first = process("run")
    assert first.stdout == "STOPPED\n", first.stderr
    if between:
        path = home / between
        path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    return process("resume")


@pytest.mark.long
def test_a_session_is_resumed_with_the_files_it_began_with(folder: Path) -> None:
    assert stop_and_resume(folder, "").stdout == "ENDED\n"


@pytest.mark.long
@pytest.mark.parametrize(
    "changed", first_quick(["helping.py", "further.py", "package/beside.py", "lazily.py"])
)
def test_a_session_is_not_resumed_with_another_version_of_a_helper(
    folder: Path, changed: str
) -> None:
    resumed = stop_and_resume(folder, changed)
    assert resumed.stdout == ""
    name = changed.removesuffix(".py").replace("/", ".")
    assert (
        f"what the strategy of session built imports changed since it began ({name}): put back "
        "what was there, or start a new session"
    ) in resumed.stderr


@pytest.mark.campaign
def test_a_file_that_nothing_imports_may_change(folder: Path) -> None:
    assert stop_and_resume(folder, "unused.py").stdout == "ENDED\n"


@pytest.mark.long
def test_a_session_is_neither_resumed_nor_replayed_with_other_sources_of_logos(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**SETTINGS, "data": {**SETTINGS["data"], "paths": [str(PROJECT / "data/cache")]}}
    session.run(settings, switch=InProcessSwitch(), home=folder)
    assert session.replay("built", home=folder)
    monkeypatch.setattr("logos.session.restoring.build_hash", lambda: "0" * 64)
    words = r"the sources of logos \S+ are not those that session built began with: go on with"
    with pytest.raises(CannotResumeError, match=words):
        session.replay("built", home=folder)


def test_a_switch_armed_for_live_is_armed_for_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "state" / "kill-switch"
    switch = CircuitBreaker(place, mode="live")
    switch.arm_if_new()
    switch.reset("anna", "for live", switch.epoch)
    assert switch.authority().name == "SAFE"
    monkeypatch.setattr("logos.killswitch.breaker.build_name", lambda: "0.1.0+other")
    other, paper = CircuitBreaker(place, mode="live"), CircuitBreaker(place)
    assert other.authority().name == "ENGAGED"
    assert f"armed for build '{build_name()}', this is '0.1.0+other'" in other.why()
    assert paper.authority().name == "SAFE"  # paper asks for no build
    for each in (switch, other, paper):
        each.close()
