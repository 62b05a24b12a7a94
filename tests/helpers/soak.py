"""A live session that runs for long, watched from outside: does it grow?

A process of its own replays generated quotes through the live loop, many times faster than they
were recorded, trades them, goes on in new files of recorded inputs all the time, and has them
compressed while it runs. Meanwhile `/proc` is asked for its memory, descriptors and threads. After
a warm-up a straight line is fitted to each by least squares, and what the line gains over the time
that was watched must stay below a bound: noise of single samples counts little, a leak shows
whatever its shape. At the end the session must have ended by itself, and `logos verify` find
nothing.

Run: make soak (MINUTES=30 RATE=2000 SEED=1), or python tests/helpers/soak.py --minutes 30
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

RECORDED_RATE: Final = 50
"""Quotes a second in the data; the session replays them at a multiple of that."""
SEGMENT_BYTES: Final = 1 << 20
WARM_UP: Final = 0.25
"""The share of the time in which caches and buffers may still fill."""
SAMPLES: Final = 400
COMPACTIONS: Final = 4

MEMORY_SHARE: Final = 0.04
MEMORY_BYTES: Final = 4 << 20
"""What the fitted line may gain: so much of the mean, but at least so many bytes, as allocators
give memory back by the arena. Descriptors and threads may gain less than one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process held, so many seconds after its start."""

    second: float
    memory_bytes: int
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through samples: its mean, and what it gains over their time."""

    mean: float
    gain: float


@dataclass(slots=True)
class Report:
    """What a soak came to."""

    seconds: float
    events: int
    status: str
    verify_code: int
    lines: dict[str, Line]
    bytes_an_event: dict[str, float]
    files: int
    problems: list[str] = field(default_factory=list)


def soak(home: Path, minutes: float, rate: int, seed: int) -> Report:
    """Run a session in `home` for about so many `minutes` at `rate` quotes a second."""
    count = round(minutes * 60 * rate)
    config = _settings(home, rate, _write_quotes(home / "SOAK_quotes.csv", count, seed))
    environment = {**os.environ, "LOGOS_HOME": str(home)}
    began_s = time.monotonic()
    with open(home / "said.txt", "wb") as said:
        process = subprocess.Popen(
            [*_LOGOS, "trade", "--config", str(config), "--quiet"],
            env=environment, stdout=said, stderr=said,
        )  # fmt: skip
    packed: list[dict[str, Any]] = []
    try:
        samples = _watch(process, minutes * 60, lambda: packed.extend(_compact(environment)))
    finally:
        process.kill()
        process.wait()
    seconds = time.monotonic() - began_s
    packed.extend(_compact(environment))
    return judge(home, samples, packed, seconds)


_LOGOS: Final = (sys.executable, "-m", "logos.live")


def _write_quotes(path: Path, count: int, seed: int) -> Path:
    random, price = Random(seed), 100_000
    with open(path, "w", encoding="ascii") as file:
        file.write("timestamp,bid,ask,bid_size,ask_size\n")
        for number in range(count):
            price += random.randint(-3, 3) + (100_000 - price) // 4000
            second, part = divmod(number, RECORDED_RATE)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_767_600_000 + second))
            micros = part * 1_000_000 // RECORDED_RATE
            ask = price + random.randint(1, 3)
            sizes = f"{random.randint(1, 900)},{random.randint(1, 900)}"
            file.write(
                f"{stamp}.{micros:06d}Z,{price // 100}.{price % 100:02d},"
                f"{ask // 100}.{ask % 100:02d},{sizes}\n"
            )
    return path


def _settings(home: Path, rate: int, quotes: Path) -> Path:
    path = home / "soak.toml"
    path.write_text(
        f"""\
[session]
id = "soak"
[strategy]
name = "sma_cross"
params = {{ fast = 20, slow = 60, allow_short = true }}
[data]
paths = ["{quotes}"]
[live]
feed = "replay"
speed = "{rate / RECORDED_RATE}"
[paper]
fill = "bid_ask"
[risk]
unlimited = true
[disk]
segment_bytes = {SEGMENT_BYTES}
[instruments.SOAK]
quote = "USD"
tick = "0.01"
lot = "1"
settlement = "margin"
leverage = 10
""",
        encoding="utf-8",
    )
    return path


# ---- watching ----


def _watch(process: subprocess.Popen[bytes], seconds: float, compact: Any) -> list[Sample]:
    """Ask `/proc` until the process is gone; have its files compressed now and then."""
    samples: list[Sample] = []
    began_s = time.monotonic()
    compact_at_s = seconds / (COMPACTIONS + 1)
    while process.poll() is None and time.monotonic() - began_s < 3 * seconds + 120:
        now_s = time.monotonic() - began_s
        found = read_sample(process.pid, now_s)
        if found is not None:
            samples.append(found)
        if now_s >= compact_at_s:
            compact_at_s += seconds / (COMPACTIONS + 1)
            compact()
        try:
            process.wait(seconds / SAMPLES)
        except subprocess.TimeoutExpired:
            continue
    return samples


def read_sample(process_id: int, second: float) -> Sample | None:
    """What the process holds now; None when it has just ended."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
        descriptors = len(os.listdir(f"/proc/{process_id}/fd"))
    except OSError:
        return None
    words = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    if "VmRSS" not in words:
        return None  # it is a zombie
    memory = int(words["VmRSS"].split()[0]) * 1024
    return Sample(second, memory, descriptors, int(words["Threads"]))


def _compact(environment: dict[str, str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [*_LOGOS, "sessions", "compact", "--all", "--json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    rows: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return rows


# ---- judging ----


def fit(samples: Sequence[Sample], name: str) -> Line:
    """The line of least squares through one figure of the samples, by their seconds."""
    values = [(each.second, float(getattr(each, name))) for each in samples]
    mean_x = sum(x for x, _ in values) / len(values)
    mean_y = sum(y for _, y in values) / len(values)
    spread = sum((x - mean_x) ** 2 for x, _ in values)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in values) / spread
    return Line(mean_y, slope * (values[-1][0] - values[0][0]))


def growth_problems(samples: Sequence[Sample]) -> tuple[dict[str, Line], list[str]]:
    """The lines through what was watched after the warm-up, and what of it grows, in words."""
    kept = [each for each in samples if each.second >= samples[-1].second * WARM_UP]
    if len(kept) < 20:
        return {}, [f"only {len(kept)} samples after the warm-up"]
    names = ("memory_bytes", "descriptors", "threads")
    lines = {name: fit(kept, name) for name in names}
    most = max(MEMORY_BYTES, MEMORY_SHARE * lines["memory_bytes"].mean)
    bounds = {"memory_bytes": most, "descriptors": 1.0, "threads": 1.0}
    problems = [
        f"{name} gains {lines[name].gain:,.1f}, and the bound is {bounds[name]:,.1f}"
        for name in names
        if lines[name].gain >= bounds[name]
    ]
    return lines, problems


def judge(
    home: Path, samples: Sequence[Sample], packed: Sequence[dict[str, Any]], seconds: float
) -> Report:
    """What the samples and the session's files say. `packed` is what compact said each time."""
    folder = home / "runs" / "live" / "sessions" / "soak"
    lines, problems = growth_problems(samples)
    state_file = folder / "state.json"
    state = json.loads(state_file.read_bytes()) if state_file.is_file() else {}
    events = int(state.get("tick_id", 0))
    status = str(state.get("status", "none"))
    verified = subprocess.run(
        [*_LOGOS, "verify", str(folder)], capture_output=True, text=True, check=False
    )
    if status != "ENDED":
        problems.append(f"the session is {status}: {(home / 'said.txt').read_text()[-500:]}")
    if verified.returncode:
        problems.append(verified.stdout + verified.stderr)
    sizes = {
        "journal": (folder / "state.jsonl").stat().st_size,
        "inputs": sum(row["before_bytes"] for row in packed),
        "inputs compressed": sum(row["after_bytes"] for row in packed),
        "tables": sum(path.stat().st_size for path in folder.glob("*.csv")),
        "log": (home / "logos" / "logs" / "soak.jsonl").stat().st_size,
    }
    an_event = {name: size / max(events, 1) for name, size in sizes.items()}
    files = sum(row["files"] for row in packed)
    return Report(seconds, events, status, verified.returncode, lines, an_event, files, problems)


def words_of(report: Report) -> str:
    """The report for people."""
    rate = report.events / report.seconds
    rows = [
        f"{report.events:,} events in {report.seconds:,.0f} s ({rate:,.0f} a second), "
        f"{report.status}, verify {report.verify_code}, {report.files} files of inputs"
    ]
    for name, line in report.lines.items():
        scale, unit = (1 << 20, " MiB") if name == "memory_bytes" else (1, "")
        mean, gain = line.mean / scale, line.gain / scale
        rows.append(f"{name:13} mean {mean:8.2f}{unit}, the fitted line gains {gain:+.3f}{unit}")
    rows += [
        f"{name:18} {size:7.1f} bytes an event" for name, size in report.bytes_an_event.items()
    ]
    return "\n".join([*rows, *(f"PROBLEM: {each}" for each in report.problems)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak as the command line says; 1 when something grows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="logos-soak-") as folder:
        report = soak(Path(folder), options.minutes, options.rate, options.seed)
    print(words_of(report))
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
