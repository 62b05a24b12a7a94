"""Random damage to a file of a session or of its kill switch, and what logos says of it.

Four kinds of trial: a finished session judged by `logos verify`; a stopped one taken up again by
`logos resume`, which must come to the bytes of the straight run or refuse; a switch that was SAFE
and one that was ENGAGED, judged by `logos kill status`. Damage that changes nothing that the file
says (a blank in JSON, what only host.json knows of the machine) may pass; `meaning` states it.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from attack_box import SESSION, Box, Done, ended, seen

# What host.json alone knows (docs/ARTIFACTS.md: where, when and how fast the session ran).
MACHINE = frozenset(
    (
        *("started", "ended", "run_seconds", "ticks_per_second"),
        *("host", "kernel", "python", "core", "process", "latency"),
    )
)
# The lock's bytes mean nothing; the flag's may only err towards ENGAGED, the other files decide.
# The report is a view that is made anew from the other files: nothing is judged by it.
WITHOUT_MEANING = frozenset({"lock", "flag", "report.html"})
DESK = Path(__file__).with_name("attack_desk.py")


def flip(data: bytes, rolled: random.Random) -> bytes:
    at = rolled.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rolled.randrange(8))]) + data[at + 1 :]


def truncate(data: bytes, rolled: random.Random) -> bytes:
    return data[: rolled.randrange(len(data))]


def overwrite(data: bytes, rolled: random.Random) -> bytes:
    at = rolled.randrange(len(data))
    size = min(rolled.randint(1, 512), len(data) - at)
    filler = rolled.choice((b"\0" * size, rolled.randbytes(size), b"9" * size))
    return data[:at] + filler + data[at + size :]


def take_line(data: bytes, rolled: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[rolled.randrange(len(lines))]
    return b"".join(lines)


def repeat_line(data: bytes, rolled: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    at = rolled.randrange(len(lines))
    return b"".join([*lines[:at], lines[at], *lines[at:]])


def swap_lines(data: bytes, rolled: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    first, second = rolled.randrange(len(lines)), rolled.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"".join(lines)


def change_digit(data: bytes, rolled: random.Random) -> bytes:
    places = [at for at, each in enumerate(data) if 48 <= each <= 57]
    if not places:
        return flip(data, rolled)
    at = rolled.choice(places)
    return data[:at] + str((data[at] - 48 + rolled.randint(1, 9)) % 10).encode() + data[at + 1 :]


def append(data: bytes, rolled: random.Random) -> bytes:
    line = data.splitlines(keepends=True)[-1]
    return data + rolled.choice((line, b"\n", b"\0", b"{}\n", line[: len(line) // 2], b"x"))


def insert(data: bytes, rolled: random.Random) -> bytes:
    at = rolled.randrange(len(data) + 1)
    return data[:at] + rolled.randbytes(rolled.randint(1, 9)) + data[at:]


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(flip, truncate, overwrite, take_line, repeat_line, swap_lines, change_digit, append, insert),
)


class Original:
    """The workspaces that are damaged: each trial damages a copy of one of them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.finished = made(place / "finished")
        self.straight = self.finished.files()
        self.stopped = made(place / "stopped", stop_after=40)
        self.engaged = made(place / "engaged")
        done = self.engaged.run("kill", "--reason", "attack", "--by", "attack")
        if "ENGAGED" not in done.said:
            raise RuntimeError(f"the switch was not engaged: {done}")


def made(home: Path, stop_after: int = 0) -> Box:
    """A workspace with the session of `attack_desk.py`; stopped after so many bars, or finished."""
    box = Box(home)
    shutil.copy(DESK, home / "desk.py")
    if not stop_after:
        done = box.run(*box.trade())
        if done.code != 0:
            raise RuntimeError(f"the session to be damaged failed: {done}")
        return box
    calls = home / "calls"
    process = box.start(*box.trade(), pace_s=0.05)
    if not seen(lambda: calls.exists() and len(calls.read_bytes().split()) >= stop_after, process):
        raise RuntimeError(f"the session did not run: {ended(process)}")
    process.send_signal(signal.SIGTERM)
    done = ended(process)
    if done.code != 0 or not (box.folder / "state.jsonl").exists():
        raise RuntimeError(f"the session was not stopped: {done}")
    return box


def damage_trial(original: Original, seed: int) -> list[str]:
    """Damage one file of one workspace; what is wrong with what logos then says, in words."""
    rolled = random.Random(f"damage {seed}")
    kind = rolled.choices(("finished", "stopped", "safe", "engaged"), (12, 2, 3, 3))[0]
    source = original.finished if kind == "safe" else getattr(original, kind)
    home = original.place / f"copy-{seed}"
    shutil.copytree(source.home, home)
    box = Box.at(home)
    path = rolled.choice(switch_files(box) if kind in ("safe", "engaged") else session_files(box))
    how = damage(path, rolled)
    wrong: list[str] = []
    if how:
        is_same = says(path) == says(source.home / path.relative_to(home))
        judge = {"finished": _finished, "stopped": _stopped}.get(kind)
        found = (
            judge(box, original, is_same)
            if judge is not None
            else _switch(box, kind, path, is_same)
        )
        wrong = [f"{kind}: {how} {path.name}: {each}" for each in found]
    shutil.rmtree(home)
    return wrong


def session_files(box: Box) -> list[Path]:
    return sorted([*(each for each in box.folder.iterdir() if each.is_file()), box.log])


def switch_files(box: Box) -> list[Path]:
    folder = box.home / "state" / "kill-switch"
    return sorted([*folder.iterdir(), box.home / WITNESS])


WITNESS = ".state-kill-switch.witness"


def says(path: Path) -> object:
    """What a file says; a file that is not there says nothing."""
    return meaning(path.name, path.read_bytes() if path.exists() else b"")


def damage(path: Path, rolled: random.Random) -> str:
    """Damage the file; how, or "" where the bytes are what they were."""
    data = path.read_bytes()
    if not data or rolled.random() < 0.05:
        path.unlink()
        return "deleted"
    change = rolled.choice(DAMAGES)
    after = change(data, rolled)
    path.write_bytes(after)
    return change.__name__ if after != data else ""


def meaning(name: str, data: bytes) -> object:
    """What the bytes of a file say: equal for two that say the same. Lines of a journal say all."""
    if name in WITHOUT_MEANING:
        return ""
    try:
        if name.endswith(".csv"):
            return list(csv.reader(io.StringIO(data.decode(), newline="")))
        if name.endswith((".json", ".witness")):
            value = json.loads(data)
            if name == "host.json":
                return {key: each for key, each in value.items() if key not in MACHINE}
            return value
    except ValueError:
        return data
    return data


def _finished(box: Box, _: Original, is_same: bool) -> list[str]:
    done = in_this_process("verify", str(box.folder))
    if "Traceback" in done.said or done.code not in (0, 6, 7, 8, 9):
        return [f"verify ended with {done.code}: {done.said[-300:]}"]
    if done.code == 0 and not is_same:
        return ["verify says intact"]
    return []


def _stopped(box: Box, original: Original, _: bool) -> list[str]:
    done = box.run("resume", SESSION, "--quiet")
    if done.hung or "internal error" in done.said or "Traceback" in done.said:
        return [f"resume ended with {done.code}: {done.said[-400:]}"]
    if done.code != 0:
        return [] if done.said.strip() else [f"resume ended with {done.code} and no words"]
    after = box.files()
    names = sorted(set(after) | set(original.straight))
    other = [each for each in names if after.get(each) != original.straight.get(each)]
    return [f"resume ended well with other bytes in {other}"] if other else []


def _switch(box: Box, kind: str, path: Path, is_same: bool) -> list[str]:
    done = box.run("kill", "status")
    if done.hung or "internal error" in done.said or "Traceback" in done.said:
        return [f"kill status ended with {done.code}: {done.said[-400:]}"]
    if done.code == 0 and (kind == "engaged" or not is_same):
        return [f"kill status says SAFE: {done.said[-300:]}"]
    return []


def in_this_process(*words: str) -> Done:
    """A command that starts nothing: it is the entry point that `logos` calls, called here."""
    from logos.cli.main import main

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main(list(words))
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return Done(int(code or 0), said.getvalue())
