"""How logos was installed, what installs more of it, and whether it runs on this system.

Problem: a message that says what to install must work as printed. The distribution is called
`logos-trading` (`logos` on the Python Package Index is another project), and a source checkout
installs itself from its own folder, not from an index. Method: one function gives the command for
this installation, and every message calls it.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

DISTRIBUTION: Final = "logos-trading"

_PACKAGE: Final = Path(__file__).resolve().parent
_PROCESS: Final = Path("/proc/self/stat")


def install_command(*extras: str) -> str:
    """The command that installs `extras` (names of pyproject.toml) into this installation.

    A checkout whose own `.venv` runs logos: `make env`, which installs every extra. A checkout in
    another environment: `pip install -e` of it. Else the wheel from the index.
    """
    wanted = f"[{','.join(extras)}]" if extras else ""
    checkout = source_checkout()
    if checkout is None:
        return f"pip install '{DISTRIBUTION}{wanted}'"
    is_here = Path.cwd() == checkout
    if Path(sys.prefix).resolve() == checkout / ".venv":
        return "make env" if is_here else f"make -C {shlex.quote(str(checkout))} env"
    place = "." if is_here else str(checkout)
    return f"pip install -e {shlex.quote(place + wanted)}"


def source_checkout(package: Path = _PACKAGE) -> Path | None:
    """The folder of the source checkout that holds `package`; None for an installed wheel."""
    root = package.parent.parent
    is_checkout = package.parent.name == "src" and all(
        (root / name).is_file() for name in ("Makefile", "pyproject.toml")
    )
    return root if is_checkout else None


def system_problem(platform: str = sys.platform, process: Path = _PROCESS) -> str:
    """Why sessions cannot run on this system, in one line; empty where they can.

    `platform` is what `sys.platform` says, `process` a file that is there when /proc is.
    """
    if platform == "win32":
        return "logos does not run on native Windows (no fcntl, no POSIX signals): use WSL2"
    if not process.exists():
        return (
            f"logos runs on Linux: it reads /proc to see whether a session's process is alive, and "
            f"{process} is not there; on macOS, use a Linux container or virtual machine"
        )
    return stale_core()


def stale_core(package: Path = _PACKAGE) -> str:
    """Why the compiled core is not the one of these sources, in one line; empty where it is.

    Empty where none is compiled, too. An extension wins over the source beside it: after an edit,
    or an update of a checkout, the old core would go on trading under the new sources' hash. One
    that is left of another build counts as well: all that there are, wherever they lie, must be
    those of the last build.
    """
    extended = sorted(_extended(package))
    if not extended:
        return ""
    note = package / "core" / "built_from.txt"
    built_from = (
        note.read_text(encoding="ascii", errors="replace").strip() if note.is_file() else ""
    )
    digest = hashlib.sha256()
    for name in extended:
        source = package / name
        content = source.read_bytes() if source.is_file() else b""
        digest.update(f"{name}:{hashlib.sha256(content).hexdigest()}\n".encode())
    if digest.hexdigest() == built_from:
        return ""
    way_out = (
        "`make compiled` builds it anew, `make interpreted` removes it"
        if source_checkout(package)
        else f"install logos again: {install_command()}"
    )
    return f"the compiled core was built from other sources than those beside it: {way_out}"


def _extended(package: Path) -> Iterator[str]:
    """The sources, as paths within the package, in whose place Python imports an extension."""
    for folder, inner, names in os.walk(package):
        inner[:] = [name for name in inner if name != "__pycache__"]
        for name in names:
            module, _, rest = name.partition(".")
            if f".{rest}" in EXTENSION_SUFFIXES:  # those of another Python are not imported
                yield Path(os.path.relpath(folder, package), f"{module}.py").as_posix()
