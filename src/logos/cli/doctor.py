"""`logos doctor`: check whether this machine can run sessions, and print what to do if not.

Each check looks at one thing and answers with a finding: fine or not, what was seen, and what to
do about it. Nothing is left behind: the write test removes its file, and where a folder is
not there yet, it tries the nearest one above it.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from logos import __version__, paths
from logos.cli.exit_codes import exit_codes
from logos.core.types import NS_PER_SECOND
from logos.data.fixtures import MANIFEST_NAME, verify_manifest
from logos.installation import install_command, source_checkout, stale_core

FREE_BYTES_MIN: Final = 500_000_000
YEARS_SANE: Final = range(2024, 2100)
CLOCK_SPREAD_NS_MAX: Final = 50_000_000
"""How far the wall clock may run from the monotonic one over a few thousand readings."""

_CLOCK_READINGS: Final = 2_000


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at. `advice` says what to do should it not be fine."""

    name: str
    fine: bool
    seen: str
    advice: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos doctor`."""
    parser.epilog = exit_codes({0: "all fine", 1: "something is wrong: see BAD"})
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Examine and print. 0 when all is fine, 1 when something is wrong."""
    findings = examine()
    fine = all(finding.fine for finding in findings)
    if args.json:
        encoded = msgspec.json.encode({"fine": fine, "findings": findings})
        print(msgspec.json.format(encoded, indent=2).decode())
        return 0 if fine else 1
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{'ok ' if finding.fine else 'BAD'}  {finding.name:{width}}  {finding.seen}")
        if not finding.fine:
            print(f"     {'':{width}}  do: {finding.advice}")
    print("all fine" if fine else "something is wrong: see BAD above")
    return 0 if fine else 1


def examine() -> list[Finding]:
    """All findings, in the order in which they are shown."""
    return [
        *check_versions(),
        check_core(),
        check_seed(),
        *check_folders(),
        check_bundle(paths.cache_dir()),
        check_disk(paths.home()),
        check_clock(time.time_ns, time.monotonic_ns),
    ]


def check_versions() -> Iterator[Finding]:
    """logos, Python, the libraries and the system."""
    yield Finding("logos", True, __version__)
    yield Finding(
        "python",
        sys.version_info >= (3, 11),
        f"{platform.python_implementation()} {platform.python_version()}",
        "use Python 3.11 or newer",
    )
    for name in ("msgspec", "tqdm"):
        found = _version(name)
        yield Finding(name, found != "", found or "not installed", f"pip install {name}")
    found = _version("pyarrow")
    yield Finding("pyarrow", True, found or f"not installed: {install_command('parquet')}")
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Finding("system", True, f"{platform.platform()}; kernel {kernel}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def check_core() -> Finding:
    """Whether the compiled core is in use. Either is fine; a missing core is not."""
    spec = find_spec("logos.core.engine")
    if spec is None or spec.origin is None:
        advice = "install logos again: the package is incomplete"
        return Finding("core", False, "logos.core.engine is missing", advice)
    if spec.origin.endswith(tuple(EXTENSION_SUFFIXES)):
        problem = stale_core()
        return Finding("core", not problem, f"compiled: {spec.origin}", problem)
    way = "make compiled" if source_checkout() else "a wheel for this Python brings it"
    return Finding(
        "core", True, f"interpreted: {spec.origin} (compiled: twice the ticks a second; {way})"
    )


def check_seed() -> Finding:
    """Whether LOGOS_SEED, if set, can be used."""
    try:
        return Finding("seed", True, str(paths.env_seed()))
    except ValueError as error:
        return Finding("seed", False, str(error), "unset LOGOS_SEED or correct it")


def check_folders() -> Iterator[Finding]:
    """Each folder of the workspace, by really writing there."""
    for name, folder in (
        ("home", paths.home()),
        ("sessions", paths.sessions_dir()),
        ("logs", paths.logs_dir()),
        ("cache", paths.cache_dir()),
        ("state", paths.state_dir()),
    ):
        yield check_folder(name, folder)


def check_folder(name: str, folder: Path) -> Finding:
    """Write, fsync and remove a file in `folder`, or in what would hold it."""
    place = nearest(folder)
    advice = f"make {place} a folder that this user can write to, or set LOGOS_HOME elsewhere"
    try:
        descriptor, path = tempfile.mkstemp(prefix=".logos-doctor-", dir=place)
        try:
            os.write(descriptor, b"written by logos doctor\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            os.unlink(path)
    except OSError as error:
        return Finding(name, False, f"{folder}: cannot write in {place} ({error.strerror})", advice)
    note = "writable" if place == folder else f"not there yet; {place} is writable"
    return Finding(name, True, f"{folder}: {note}")


def nearest(folder: Path) -> Path:
    """`folder`, or the closest thing above it that exists."""
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)


def check_bundle(folder: Path) -> Finding:
    """The bundled market data against its manifest, where there is one."""
    if not (folder / MANIFEST_NAME).exists():
        return Finding("data", True, f"{folder}: no bundled data; `logos data synth` makes it")
    problems = verify_manifest(folder)
    if problems:
        advice = "logos data synth --force writes it anew"
        return Finding("data", False, "; ".join(problems), advice)
    return Finding("data", True, f"{folder}: bundled data agrees with its manifest")


def check_disk(folder: Path) -> Finding:
    """Room for journals: FREE_BYTES_MIN at least."""
    place = nearest(folder)
    free = shutil.disk_usage(place).free
    advice = f"make room: sessions need {FREE_BYTES_MIN // 1_000_000} MB free"
    return Finding("disk", free >= FREE_BYTES_MIN, f"{free // 1_000_000} MB free", advice)


def check_clock(wall_ns: Callable[[], int], monotonic_ns: Callable[[], int]) -> Finding:
    """The wall clock (UTC nanoseconds): a plausible year, and in step with the monotonic one."""
    wall_first, monotonic_first = wall_ns(), monotonic_ns()
    wall_last, monotonic_last = wall_first, monotonic_first
    backward = 0
    for _ in range(_CLOCK_READINGS):
        wall, monotonic = wall_ns(), monotonic_ns()
        backward += wall < wall_last or monotonic < monotonic_last
        wall_last, monotonic_last = wall, monotonic
    spread_ns = abs((wall_last - wall_first) - (monotonic_last - monotonic_first))
    now = datetime.fromtimestamp(wall_last // NS_PER_SECOND, UTC)
    offset = now.astimezone().strftime("%z")
    seen = f"{now.isoformat()} (local time is UTC{offset}), {spread_ns} ns from the monotonic clock"
    advice = "set the system's time, and keep it with a time service"
    if backward:
        return Finding("clock", False, f"{seen}; went backward {backward} times", advice)
    if now.year not in YEARS_SANE:
        return Finding("clock", False, f"{seen}; the year is not plausible", advice)
    return Finding("clock", spread_ns <= CLOCK_SPREAD_NS_MAX, seen, advice)
