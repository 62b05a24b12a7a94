"""The long crash campaign: real processes killed at real instants, until a thousand are dead.

See kill_trials.py for what one trial does, and cli_trials.py for one of the whole command (with
`--cli`; with `--kept` on data whose rows are kept once they were checked). Every failure names the
seed that makes it again. The Python that runs it runs the sessions: one that has logos installed
from a wheel tries the wheel.

Run: make crash-campaign   (python tests/helpers/crash_campaign.py [--kills N] [--seed N]
                            [--cli [--kept]])
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable

from cli_trials import Kept, run_cli_trial
from kill_trials import Trial, run_trial
from registry_box import use_registry
from tqdm import tqdm
from which_core import core_words


def main() -> int:
    """Run the campaign; 1 when a session came out differently."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first trial")
    parser.add_argument("--cli", action="store_true", help="kill `logos trade` and `logos resume`")
    parser.add_argument("--kept", action="store_true", help="of --cli: on rows that are kept")
    options = parser.parse_args()
    if options.kept and not options.cli:
        parser.error("--kept goes with --cli")
    if options.kept:
        with Kept() as kept:
            return play(options, lambda seed: run_cli_trial(seed, kept))
    return play(options, run_cli_trial if options.cli else run_trial)


def play(options: argparse.Namespace, run: Callable[[int], Trial]) -> int:
    """Run trials until so many were killed."""
    kills: Counter[str] = Counter()
    failed: list[Trial] = []
    trials = 0
    with tqdm(total=options.kills, unit=" kills", disable=None) as bar:
        while kills.total() < options.kills:
            trial = run(options.seed + trials)
            trials += 1
            kills[trial.name] += trial.kills
            bar.update(trial.kills)
            if trial.problems:
                failed.append(trial)
    print(f"{kills.total()} kills in {trials} sessions: {dict(sorted(kills.items()))}")
    print(core_words())
    for trial in failed:
        print(f"FAILED seed {trial.seed} ({trial.name}): {'; '.join(trial.problems)}")
    print(
        "every session came out the same" if not failed else f"{len(failed)} came out differently"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    with use_registry():
        sys.exit(main())
