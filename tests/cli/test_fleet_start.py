"""`logos fleet start` of several shards, and what becomes of all when one is not begun."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from types import FrameType
from typing import Any

import pytest

from logos.cli.fleet import start
from logos.config import ConfigError

Output = pytest.CaptureFixture[str]
OPTIONS = argparse.Namespace(quiet=True, verbose=False, json=False, config="fleet.toml", wait=1.0)


class Child:
    """A process that ends when it is told to."""

    begun: list[Child]
    is_slow: bool
    """A signal comes while it is begun; else nothing can be begun but the first."""

    def __init__(self, command: list[str], **_options: Any) -> None:
        if self.begun and not self.is_slow:
            raise OSError("no more processes")
        self.command, self.heard, self.is_ended = command, list[int](), False
        self.begun.append(self)
        if self.is_slow:
            signal.raise_signal(signal.SIGTERM)

    def poll(self) -> int | None:
        return None

    def send_signal(self, number: int) -> None:
        self.heard.append(number)

    def wait(self) -> int:
        assert self.heard, "it would be waited for without an end"
        self.is_ended = True
        return 0


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    begun: list[Child] = []
    monkeypatch.setattr(Child, "begun", begun, raising=False)
    monkeypatch.setattr(subprocess, "Popen", Child)
    return begun


def test_a_signal_while_shards_are_begun_reaches_the_one_and_begins_no_other(
    children: list[Child], monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(Child, "is_slow", True, raising=False)
    before = signal.getsignal(signal.SIGTERM)
    assert start._start_all(["a", "b"], OPTIONS) == 130
    assert [child.heard for child in children] == [[signal.SIGTERM]]
    said = capsys.readouterr().err.splitlines()
    assert said == ["shard a: exit code 0", "shard b: not begun, as this was interrupted"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_at_the_moment_a_child_is_known_reaches_it_once(
    children: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one would end its session at once, not in order."""
    monkeypatch.setattr(Child, "is_slow", False, raising=False)
    raised: list[bool] = []

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line" and frame.f_locals.get("children") and not raised:
            raised.append(True)
            signal.raise_signal(signal.SIGTERM)
        return trace if frame.f_code is start._start_all.__code__ else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert start._start_all(["a", "b"], OPTIONS) == 130
    finally:
        sys.settrace(before)
    assert [child.heard for child in children] == [[signal.SIGTERM]]


def test_where_a_process_cannot_be_begun_the_others_are_ended_and_waited_for(
    children: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Child, "is_slow", False, raising=False)
    with pytest.raises(ConfigError, match="no more processes"):
        start._start_all(["a", "b"], OPTIONS)
    assert [(child.heard, child.is_ended) for child in children] == [([signal.SIGTERM], True)]


def test_a_child_that_a_signal_ended_is_told_with_its_name_and_the_code_of_a_shell(
    children: list[Child], monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    codes = iter((0, -signal.SIGINT, -signal.SIGTERM, 4))
    monkeypatch.setattr(Child, "__init__", lambda *_words, **_options: None)
    monkeypatch.setattr(Child, "wait", lambda _child: next(codes))
    assert start._start_all(["a", "b", "c", "d"], OPTIONS) == 143
    assert capsys.readouterr().err.splitlines() == [
        "shard a: exit code 0",
        "shard b: ended by SIGINT",
        "shard c: ended by SIGTERM",
        "shard d: exit code 4",
    ]
