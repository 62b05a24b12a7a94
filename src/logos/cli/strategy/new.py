"""`logos new`: a folder with a strategy, its settings, a passing test, and data to run it on."""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from pathlib import Path
from typing import Final

from logos.cli.exit_codes import exit_codes
from logos.cli.strategy import templates
from logos.data.fixtures import write_fixtures
from logos.files import make_folder, open_new
from logos.session import ExitCode

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAKEN: Final = frozenset(("logos", "pytest", "data", "conftest"))
"""Names that an import would find something else under, or that the folder itself needs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos new`."""
    parser.epilog = exit_codes(
        {0: "written", 2: "the name cannot be used, or is taken", 6: "cannot write"}
    )
    parser.add_argument(
        "name", metavar="NAME", help="small letters, digits and _; the folder gets it too"
    )


def run(options: argparse.Namespace) -> int:
    """Write the folder; returns the exit code."""
    name: str = options.name
    problem = why_not(name)
    if problem:
        print(f"logos new: {problem}", file=sys.stderr)
        return int(ExitCode.BAD_CONFIGURATION)
    folder = Path(name)
    try:
        make_folder(folder, is_new=True)
    except FileExistsError:
        print(
            f"logos new: {folder} exists already and was not changed; choose another name",
            file=sys.stderr,
        )
        return int(ExitCode.BAD_CONFIGURATION)
    except OSError as error:
        return _cannot_write(folder, error)
    try:
        for path, text in files_of(name).items():
            with open_new(folder / path, "x", encoding="utf-8") as file:
                file.write(text)
            print(f"{folder / path}")
        write_fixtures(folder / "data")
    except OSError as error:
        return _cannot_write(folder, error)
    print(f"{folder / 'data'}  (made up from a seed, to try it on)")
    print(f"\ncd {folder}\nlogos trade --config {name}.toml")
    print("pytest  # a program of its own: pip install pytest")
    return int(ExitCode.FINISHED)


def why_not(name: str) -> str:
    """Why a strategy cannot be called `name`, in words; "": it can."""
    if not _NAME.fullmatch(name):
        return f"{name!r}: use small letters, digits and _, a letter first, at most 40"
    if keyword.iskeyword(name) or name in sys.stdlib_module_names or name in _TAKEN:
        return f"{name!r} means something else to Python here; choose another name"
    return ""


def files_of(name: str) -> dict[str, str]:
    """The texts of the four files, by their names."""
    words = {"name": name, "kind": "".join(part.capitalize() for part in name.split("_"))}
    return {
        f"{name}.py": templates.STRATEGY.substitute(words),
        f"{name}.toml": templates.SETTINGS.substitute(words),
        f"test_{name}.py": templates.TEST.substitute(words),
        "pytest.ini": templates.TEST_SETTINGS,
    }


def _cannot_write(folder: Path, error: OSError) -> int:
    print(f"logos new: cannot write {error.filename or folder}: {error.strerror}", file=sys.stderr)
    return int(ExitCode.CANNOT_WRITE)
