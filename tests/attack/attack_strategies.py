"""One hostile strategy through a whole session: what it may do, and what must be said of it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from attack_box import EXIT_CODES, Box, Done
from attack_judge import Judge, bodies
from hostile_moves import hostile_source

BUG = "internal error"


def strategy_trial(place: Path, seed: int) -> list[str]:
    """Run strategy number `seed`; what is wrong, in words. Every third only answers."""
    box = Box(place / f"strategy-{seed}", seed)
    tricks = 0 if seed % 3 == 0 else random.Random(seed).choice((1, 1, 2))
    files = (str(box.journal), str(box.folder / "config.json"), str(box.log))
    source, played = hostile_source(seed, files, tricks)
    (box.home / "desk.py").write_text(source, encoding="utf-8")
    done = box.run(*box.trade())
    wrong = [*_ending(done, bool(tricks)), *_session(box, done, bool(tricks))]
    shutil.rmtree(box.home)
    return [f"{each} (tricks: {played})" for each in wrong]


def _ending(done: Done, is_trick: bool) -> list[str]:
    if done.hung:
        return ["the session did not end"]
    killed_itself = is_trick and done.code < 0
    if done.code not in EXIT_CODES and not killed_itself:
        return [f"exit code {done.code}: {done.said[-300:]}"]
    if BUG in done.said and not is_trick:
        return [f"values made an internal error: {done.said[-600:]}"]
    return []


def _session(box: Box, done: Done, is_trick: bool) -> list[str]:
    if not box.journal.exists():
        return [] if is_trick else [f"no journal: {done.said[-300:]}"]
    records, damage = bodies(box.journal)
    breaches = Judge(box.bars).judge(records)
    verdict = box.run("verify", "attacked")
    wrong = []
    if verdict.hung or BUG in verdict.said:
        wrong.append(f"verify: {verdict.said[-300:]}")
    if (breaches or damage) and verdict.code == 0:
        wrong.append(f"verify says intact, and: {damage} {breaches[:3]}")
    if is_trick:
        return wrong
    if breaches or damage:
        wrong.append(f"values alone: {damage} {breaches[:3]}")
    for words in (("verify", "attacked"), ("replay", "attacked")):
        said = verdict if words[0] == "verify" else box.run(*words)
        if said.code != 0:
            wrong.append(f"{words[0]} ended with {said.code}: {said.said[-400:]}")
    return wrong
