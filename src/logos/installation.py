"""How logos was installed, what installs more of it, and whether it runs on this system.

Problem: a message that says what to install must work as printed. The distribution is called
`logos-trading` (`logos` on the Python Package Index is another project), and a source checkout
installs itself from its own folder, not from an index. Method: one function gives the command for
this installation, and every message calls it.
"""

from __future__ import annotations

import shlex
import sys
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
    return ""
