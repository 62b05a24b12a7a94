"""Runs every engine on the same work, by turns, and prints one table: `make peers-bench`.

Each engine has an environment of its own in build/peers, with the pinned version below; logos runs
as the copies of bench/modes.py, interpreted and compiled. Every run must make the orders and the
profit that `workload.py` computes without an engine, by the rule of filling that the engine has:
one that does not ends the program. Events a second are medians over the rounds; the ratio is to the
bare loop of the same run, which makes an object of each row and calls the same strategy.

    python bench/peers/compare.py [--rounds 3] [--bars 500000] [--quotes 1000000] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from bench.modes import ROOT, modes

HERE = Path(__file__).resolve().parent
FOLDER = ROOT / "build" / "peers"


@dataclass(frozen=True)
class Engine:
    """One engine: what is installed for it, its script here, and the work that it can do."""

    name: str
    packages: tuple[str, ...]
    script: str
    work: tuple[str, ...] = ("bars", "quotes")


ENGINES = (
    Engine("bare loop", (), "plain.py"),
    Engine("NautilusTrader", ("nautilus_trader==1.221.0",), "of_nautilus.py"),
    Engine("hftbacktest", ("hftbacktest==2.4.4",), "of_hftbacktest.py", ("quotes",)),
    Engine("basana", ("basana==1.11",), "of_basana.py"),
    Engine("backtesting.py", ("backtesting==0.6.6",), "of_backtesting.py", ("bars",)),
)

Results = dict[tuple[str, str], list[float]]
"""Events a second of every round, by engine and work."""


def main(words: Sequence[str] | None = None) -> None:
    """Prepare, run all rounds, print the table."""
    parser = argparse.ArgumentParser(description="other engines on the same work")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bars", type=int, default=500_000)
    parser.add_argument("--quotes", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", help="names of engines beside the bare loop and logos")
    args = parser.parse_args(words)
    data = FOLDER / f"data-{args.bars}-{args.quotes}"
    run([sys.executable, "-c", _WRITE, str(data), str(args.bars), str(args.quotes)])
    expected = json.loads((data / "expected.json").read_text(encoding="ascii"))
    engines = [
        each
        for each in ENGINES
        if not args.only or each.name in args.only or each.script == "plain.py"
    ]
    pythons = {each.name: environment(each) for each in engines}
    results: Results = {}
    for _ in range(args.rounds):
        for what in ("bars", "quotes"):
            for each in engines:
                if what in each.work:
                    command = [str(pythons[each.name]), str(HERE / each.script), str(data), what]
                    said = json.loads(run(command))
                    check(each.name, said, expected[what])
                    results.setdefault((each.name, what), []).append(rate(said))
            for mode, settings in modes():
                of_logos(mode, settings, data, what, expected[what], results)
    print_table(results, args.rounds)


_WRITE = (
    "import sys; sys.path.insert(0, 'bench/peers'); from pathlib import Path; import workload;"
    "folder = Path(sys.argv[1]); (folder / 'expected.json').exists() or"
    " workload.write(folder, int(sys.argv[2]), int(sys.argv[3]))"
)


def of_logos(
    mode: str,
    settings: dict[str, str],
    data: Path,
    what: str,
    expected: dict[str, float],
    results: Results,
) -> None:
    """The engine inside of a session, and the whole session as a process."""
    command = [sys.executable, str(HERE / "of_logos.py"), str(data), what]
    run([*command, "prepare"], settings)
    began = time.perf_counter()
    said = json.loads(run(command, settings))
    whole = time.perf_counter() - began
    check(f"logos, {mode}", said, expected)
    results.setdefault((f"logos, {mode}: engine in a session", what), []).append(rate(said))
    events = said["events"] / whole
    results.setdefault((f"logos, {mode}: whole process", what), []).append(events)


def environment(engine: Engine) -> Path:
    """The Python of an engine's environment, made on demand; this one where nothing is needed."""
    if not engine.packages:
        return Path(sys.executable)
    folder = FOLDER / engine.script.removesuffix(".py")
    python, stamp = folder / "bin" / "python", folder / "-".join(engine.packages)
    if not stamp.exists():
        run([sys.executable, "-m", "venv", "--clear", str(folder)])
        run([str(python), "-m", "pip", "install", "--quiet", *engine.packages])
        stamp.touch()
    return python


def check(name: str, said: dict[str, Any], expected: dict[str, float]) -> None:
    """End the program where an engine did other work than the others."""
    wanted = (expected["orders"], round(expected[said["rule"]], 2))
    found = (said["orders"], said["profit"])
    if found[0] != wanted[0] or abs(found[1] - wanted[1]) > 0.011:
        raise SystemExit(f"{name}: orders and profit {found}, expected {wanted} ({said['rule']})")


def rate(said: dict[str, Any]) -> float:
    """Events a second of one run."""
    return float(said["events"] / said["seconds"])


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    """The last line that a command printed; ends the program when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return (done.stdout.splitlines() or [""])[-1]


def print_table(results: Results, rounds: int) -> None:
    """Medians, ratios to the bare loop, and what they were measured on."""
    print(f"medians of {rounds}; load {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores, {cpu()};")
    versions = ", ".join(package for engine in ENGINES for package in engine.packages)
    print(f"{platform.python_implementation()} {platform.python_version()}; {versions}\n")
    print("| engine | bars a second | to the bare loop | quotes a second | to the bare loop |")
    print("|---|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in results):
        cells = []
        for what in ("bars", "quotes"):
            found = results.get((name, what))
            bare = statistics.median(results["bare loop", what])
            middle = statistics.median(found) if found else 0.0
            cells += [f"{middle:,.0f}", f"{bare / middle:.2f}"] if found else ["", ""]
        print(f"| {name} | {' | '.join(cells)} |")


def cpu() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
