"""The long crash campaign: real processes killed at real instants, until a thousand are dead.

See kill_trials.py for what one trial does, and cli_trials.py for one of the whole command (with
`--cli`). Every failure names the seed that makes it again.

Run: make crash-campaign   (python tests/helpers/crash_campaign.py [--kills N] [--seed N] [--cli])
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from cli_trials import run_cli_trial
from kill_trials import Trial, run_trial
from registry_box import use_registry
from tqdm import tqdm


def main() -> int:
    """Run the campaign; 1 when a session came out differently."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first trial")
    parser.add_argument("--cli", action="store_true", help="kill `logos trade` and `logos resume`")
    options = parser.parse_args()
    run = run_cli_trial if options.cli else run_trial
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
    for trial in failed:
        print(f"FAILED seed {trial.seed} ({trial.name}): {'; '.join(trial.problems)}")
    print(
        "every session came out the same" if not failed else f"{len(failed)} came out differently"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    with use_registry():
        sys.exit(main())
