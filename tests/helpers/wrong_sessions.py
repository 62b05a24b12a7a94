"""What tests of wrong sessions share: good data, good settings, and strategies that fail."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from logos.cli.main import main

CONFIG = """\
[strategy]
name = "sma_cross"
params = { fast = 2, slow = 4 }

[data]
paths = ["data/ACME_1m_good.csv"]

[instruments.ACME]
quote = "USD"
tick = "0.01"
lot = "1"

[risk]
unlimited = true # these strategies order what no limit would let pass
"""

STRATEGY = 'name = "sma_cross"\nparams = { fast = 2, slow = 4 }'
GOOD = ("--config", "good.toml")

HEADER = "timestamp,open,high,low,close,volume"
BARS = [
    f"2024-01-02T10:{minute:02d}:00Z,{price},{price + 1},{price - 1},{price},1000"
    for minute, price in enumerate([100, 102, 104, 103, 99, 97] * 5)
]

STRATEGIES = """\
import math, os, signal, sys
from logos import Cancel, Side, Strategy, Target, Weight, limit, market


class Buys(Strategy):
    count = 0

    def on_bar(self, context, bar):
        self.count += 1
        if self.count == 1:
            return [market(Side.BUY, 2), limit(Side.BUY, 1, "50")]
        if self.count == 5:
            return self.fifth(context)

    def fifth(self, context):
        pass


class Raises(Buys):
    def fifth(self, context):
        raise RuntimeError("the model is gone")


class RaisesInStart(Buys):
    def on_start(self, context):
        raise RuntimeError("the model is gone")


class RaisesInFill(Buys):
    def on_fill(self, context, fill):
        raise RuntimeError("the model is gone")


class RaisesInStop(Buys):
    def on_stop(self, context):
        raise RuntimeError("the model is gone")


class RaisesWhenMade(Buys):
    def __init__(self):
        raise RuntimeError("the model is gone")


class Exits(Buys):
    def fifth(self, context):
        sys.exit(0)


class Interrupted(Buys):
    def fifth(self, context):
        os.kill(os.getpid(), signal.SIGINT)


class Text(Buys):
    def fifth(self, context):
        return "BUY"


class Number(Buys):
    def fifth(self, context):
        return [market(Side.BUY, 1), 3.5]


class Yields(Buys):
    def fifth(self, context):
        yield market(Side.BUY, 1)


class TextQuantity(Buys):
    def fifth(self, context):
        return market(Side.BUY, "three")


class NoUnicode(Buys):
    def fifth(self, context):
        return market(Side.BUY, 1, tag="\\ud800")


class NumberForSymbol(Buys):
    def fifth(self, context):
        return Target(1, symbol=5)


class TextForOrder(Buys):
    def fifth(self, context):
        return Cancel(order_id="2")


class NumberForTag(Buys):
    def fifth(self, context):
        return market(Side.BUY, 1, tag=5)


class NothingForQuantity(Buys):
    def fifth(self, context):
        return market(Side.BUY, None)


class ListForTarget(Buys):
    def fifth(self, context):
        return Target([1])


class BytesForPrice(Buys):
    def fifth(self, context):
        return limit(Side.BUY, 1, b"100")


class NotANumber(Buys):
    def fifth(self, context):
        nan = float("nan")
        return [Target(nan), Weight(math.inf), market(Side.BUY, nan), limit(Side.BUY, 1, nan)]


class Negative(Buys):
    def fifth(self, context):
        return market(Side.BUY, -3)


class Elsewhere(Buys):
    def fifth(self, context):
        return [Target(1, "NOPE"), Weight(1, "NOPE")]
"""


def write_bars(path: Path, bars: Sequence[str]) -> None:
    path.write_text("\n".join([HEADER, *bars]) + "\n", encoding="utf-8")


class Workspace:
    """A folder with good data, a good configuration and one session that exists already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        (folder / "data").mkdir()
        write_bars(folder / "data" / "ACME_1m_good.csv", BARS)
        self.write("good.toml", CONFIG)
        self.write("user_strategies.py", STRATEGIES)

    @property
    def sessions(self) -> Path:
        return self.home / "runs" / "live" / "sessions"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        """Write bad.toml: the good configuration with one thing changed."""
        assert old in CONFIG
        self.write("bad.toml", CONFIG.replace(old, new))

    def trade(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `logos trade` in this process: a hundred times cheaper than a process each."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr(sys, "path", [str(self.folder), *sys.path])
            for name, value in {"LOGOS_HOME": str(self.home), **(environment or {})}.items():
                patch.setenv(name, value)
            try:
                code = main(["trade", *arguments])
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            finally:
                sys.modules.pop("user_strategies", None)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def spawn(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """The same in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "logos.live", "trade", *arguments],
            cwd=self.folder,
            env={**os.environ, "LOGOS_HOME": str(self.home), **(environment or {})},
            preexec_fn=before,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def digests(self) -> dict[str, str]:
        """The SHA-256 of every file of every session."""
        return {
            str(path.relative_to(self.sessions)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.sessions.rglob("*"))
            if path.is_file()
        }


def workspace_with_a_session(folder: Path) -> Workspace:
    """A workspace in that folder, with the session `kept`."""
    made = Workspace(folder)
    done = made.spawn("--config", "good.toml", "--session-id", "kept", "--quiet")
    assert (done.returncode, done.stdout) == (0, "")
    # A new workspace says once that its kill switch has been armed, and no more.
    assert [line for line in done.stderr.splitlines() if "armed for paper" not in line] == []
    return made


def assert_one_message(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("logos trade: ") == 1


def write_long(folder: Path) -> None:
    """ACME_1m_long.csv: four days of bars, enough for several pieces of a chunk."""
    bars = [
        f"2024-01-{2 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z,"
        f"{100 + minute % 7},120,90,{100 + minute % 7},1000"
        for minute in range(6000)
    ]
    write_bars(folder / "ACME_1m_long.csv", bars)
