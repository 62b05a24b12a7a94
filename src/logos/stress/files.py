"""The list of a run's files, by their SHA-256: a file changed later, missing or added shows.

The list is written when the run is over, in the form that `sha256sum --check` reads. Whoever can
write the files can write the list too, so the report names the list's own SHA-256: keep the report,
and the list can be held against it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from logos.files import replace_file

FILES: Final = "files.sha256"
REPORT: Final = "stress-report.md"
"""Written by the judge, so it cannot be on the list."""

_NOT_LISTED: Final = frozenset((FILES, REPORT))


def hashes_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a run, by its path in the folder. Raises OSError."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if name not in _NOT_LISTED:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def write_list(folder: Path) -> None:
    """Write the list of what is there now. Raises OSError."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in hashes_of(folder).items())
    replace_file(folder / FILES, lines.encode(), durable=False)


def read_list(folder: Path) -> dict[str, str]:
    """The SHA-256 of each listed file. Raises OSError, ValueError for a list that is none."""
    found = {}
    for line in (folder / FILES).read_text(encoding="utf-8").splitlines():
        digest, space, name = line.partition("  ")
        if not space or len(digest) != 64 or name in found:
            raise ValueError(f"{FILES}: {line[:80]!r} is no SHA-256 and name, or comes twice")
        found[name] = digest
    return found


def list_digest(folder: Path) -> str:
    """The SHA-256 of the list itself; empty where there is none."""
    try:
        return hashlib.sha256((folder / FILES).read_bytes()).hexdigest()
    except OSError:
        return ""
