"""Installs what `make dist` made as a stranger would, and uses it: `make dist-check`.

Each wheel goes into a clean environment of its Python, the sdist into one that has no compiler.
In each, `logos doctor` says which core runs, and the session of examples/session.toml runs over
synthetic data; every file of it must be the same to the byte as the one of this checkout, but for
host.json and what shows it. Prints a line for each step; the exit code is 0 when all came out so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from places import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))

from make_dist import found_python

OF_THE_MACHINE: Final = ("host.json", "report.html")
"""Files that differ between two runs: the machine's own, and the page that shows them."""


class CheckFailed(Exception):
    """A step did not come out as it must."""


def main(words: Sequence[str] | None = None) -> int:
    """Try the sdist and every wheel of a folder."""
    parser = argparse.ArgumentParser(description="install and use what make dist made")
    parser.add_argument("folder", type=Path, nargs="?", default=PROJECT / "dist")
    folder = parser.parse_args(words).folder.absolute()
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if not wheels or len(sdists) != 1:
        print(f"{folder} has no wheel, or not one sdist: make dist", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory() as scratch:
            expected = session_files(Path(sys.executable), Path(scratch) / "here")
            print(f"this checkout: {len(expected)} files")
            for wheel in wheels:
                tried(python_of(wheel), wheel, "compiled", expected)
            tried(Path(sys.executable), sdists[0], "interpreted", expected)
    except CheckFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def tried(python: Path, archive: Path, core: str, expected: dict[str, str]) -> None:
    """Install `archive` into a clean environment, where that core must make the expected files."""
    with tempfile.TemporaryDirectory() as scratch:
        installed = install(python, archive, Path(scratch) / "environment")
        findings = json.loads(
            run([str(installed), "-m", "logos.live", "doctor", "--json"], scratch)
        )
        seen = {finding["name"]: finding["seen"] for finding in findings["findings"]}
        if not seen["core"].startswith(f"{core}: {scratch}"):
            raise CheckFailed(f"{archive.name}: its core is {seen['core']}, not {core}")
        found = session_files(installed, Path(scratch) / "workspace")
        different = sorted(name for name, _ in set(found.items()) ^ set(expected.items()))
        if different:
            raise CheckFailed(f"{archive.name}: other bytes in {', '.join(different)}")
        print(f"{archive.name}: {seen['python']}, {core}, {len(found)} files, the same bytes")


def install(python: Path, archive: Path, environment: Path) -> Path:
    """The Python of a new environment that has `archive`, installed without a compiler."""
    run([str(python), "-m", "venv", str(environment)], PROJECT)
    made = environment / "bin" / "python"
    pip = [str(made), "-m", "pip", "install", "--quiet", "-c", str(PROJECT / "constraints.txt")]
    run([*pip, str(archive)], PROJECT, {"CC": "false", "CXX": "false"})
    return made


def session_files(python: Path, home: Path) -> dict[str, str]:
    """SHA-256 by name of what the example's session writes, run by that Python."""
    home.mkdir()
    own = {"LOGOS_HOME": str(home), "LOGOS_REGISTRY": str(home / "registry")}
    logos = [str(python), "-m", "logos.live"]
    run([*logos, "data", "synth"], home, own)
    config = PROJECT / "examples" / "session.toml"
    settings = home / "session.toml"
    settings.write_bytes(config.read_bytes())
    run([*logos, "trade", "--config", str(settings), "--session-id", "tried"], home, own)
    (session,) = [path.parent for path in home.rglob("state.jsonl")]
    files = [path for path in session.rglob("*") if path.is_file()]
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in OF_THE_MACHINE
    }


def python_of(wheel: Path) -> Path:
    """An interpreter of this machine for a wheel's tag; CheckFailed when there is none."""
    tag = re.search(r"-cp3(\d+)-", wheel.name)
    found = found_python(f"3.{tag[1]}") if tag else None
    if found is None:
        raise CheckFailed(f"{wheel.name}: no Python for it is here")
    return found


def run(
    command: Sequence[str], folder: str | Path, environment: dict[str, str] | None = None
) -> str:
    """What a command printed; CheckFailed with all it said when it failed."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**plain, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CheckFailed(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
