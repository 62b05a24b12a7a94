"""Attacks on logos from outside: hostile strategies, damaged files, signals at random moments.

It uses the public command line and the file formats of docs/ARTIFACTS.md, and judges with code of
its own. Each failure names the part and the seed that make it again.

Run: make attack COUNT=100 SEED=1   (ONLY=strategies, damage, signals)
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from attack_damage import Original, damage_trial
from attack_signals import signal_trial
from attack_strategies import strategy_trial

PARTS = ("strategies", "damage", "signals")


def attack(place: Path, part: str, seeds: range) -> list[str]:
    """The trials of a part with these seeds; what is wrong, with the seed in front."""
    original = Original(place) if part == "damage" else None
    straight: dict[str, bytes] = {}
    wrong = []
    for seed in seeds:
        if original is not None:
            found = damage_trial(original, seed)
        elif part == "signals":
            found = signal_trial(place, seed, straight)
        else:
            found = strategy_trial(place, seed)
        wrong += [f"{part}, seed {seed}: {each}" for each in found]
        for each in found:
            print(f"FAILED {part}, seed {seed}: {each}", flush=True)
    return wrong


def main() -> int:
    """Run the attack; 1 when something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="trials of each part")
    parser.add_argument("--seed", type=int, default=1, help="of the first trial")
    parser.add_argument("--only", default="", help="strategies, damage or signals")
    options = parser.parse_args()
    parts = [each for each in PARTS if each in (options.only or each).split()]
    if not parts or options.count < 1:
        parser.error("nothing to do")
    wrong = []
    for part in parts:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="logos-attack-") as name:
            seeds = range(options.seed, options.seed + options.count)
            found = attack(Path(name), part, seeds)
        wrong += found
        print(
            f"{part}: {options.count} trials, seeds {seeds.start} to {seeds.stop - 1}, "
            f"{len(found)} failures, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
