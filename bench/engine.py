"""Engine against bare loop, interpreted and compiled: `python bench/engine.py [TICKS]`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.modes import modes, run_child


def main(ticks: int) -> None:
    """Print the figures of both loops in both modes."""
    for mode, environment in modes():
        output, _, _ = run_child(["-m", "bench.loops", str(ticks)], environment)
        print(f"-- {mode}\n{output}", end="")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
