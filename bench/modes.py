"""Two copies of the sources to measure: one that runs as Python, one with the compiled core."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def modes() -> Iterator[tuple[str, dict[str, str]]]:
    """The name of each mode and the environment that runs it.

    The compiled copy is built once and kept in build/ until a source changes; without a C
    compiler it is left out, and said so.
    """
    yield "interpreted", _environment(_copy("interpreted"))
    copy = _copy("compiled")
    if not list((copy / "src" / "logos" / "core").glob("*.so")) and not _build(copy):
        print("compiled: left out, the core could not be built here (no C compiler?)")
        return
    yield "compiled", _environment(copy)


def run_child(arguments: list[str], environment: dict[str, str]) -> tuple[str, float, int]:
    """Run Python with `arguments`; its output, wall seconds and peak memory in KiB."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed with {process.returncode}")
    return output, time.perf_counter() - began, usage.ru_maxrss


def peak_mib() -> float:
    """The most memory that this process held.

    Not what getrusage says of it: that counts what the process held that this one was forked from.
    """
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024


def _environment(copy: Path) -> dict[str, str]:
    # Compiled modules are kept, as by `make`: else each session would compile all sources anew.
    kept = {"PYTHONDONTWRITEBYTECODE": ""}
    return {**os.environ, **kept, "PYTHONPATH": f"{copy / 'src'}{os.pathsep}{ROOT}"}


def _copy(mode: str) -> Path:
    """A copy of the sources, made anew when they have changed."""
    digest = hashlib.sha256()
    sources = sorted((ROOT / "src").rglob("*.py"))
    for path in sources:
        digest.update(path.read_bytes())
    copy = ROOT / "build" / f"bench-{mode}-{digest.hexdigest()[:12]}"
    if copy.is_dir():
        return copy
    for old in (ROOT / "build").glob(f"bench-{mode}-*"):
        shutil.rmtree(old)
    for path in [*sources, ROOT / "setup.py", ROOT / "pyproject.toml"]:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (copy / "README.md").touch()  # pyproject.toml names it
    return copy


def _build(copy: Path) -> bool:
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        cwd=copy,
        env={**os.environ, "LOGOS_COMPILE": "1"},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
