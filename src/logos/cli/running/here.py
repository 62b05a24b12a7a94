"""Which workspace a command of an operator means, and how it names it.

As git finds its repository: `LOGOS_HOME`, else the working directory or the nearest folder above it
that is a workspace. Nothing here makes a folder.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from logos import paths
from logos.errors import WorkspaceError


def find_here() -> Path | None:
    """The workspace that a command is given in; None outside of all.

    A folder that `LOGOS_HOME` names is one only if sessions or a switch were ever there. Raises
    WorkspaceError when it names no folder.
    """
    return paths.find_workspace()


def not_here() -> str:
    """Why there is no workspace, in words."""
    if os.environ.get("LOGOS_HOME"):
        return (
            f"{paths.home()} (LOGOS_HOME) is not a workspace: no session ran there, and it has no "
            "kill switch"
        )
    try:
        return f"{Path.cwd()} is not in a workspace"
    except FileNotFoundError:
        return "the folder that you are in does not exist any more"


def find_named() -> Path:
    """As `find_here`, but a folder that `LOGOS_HOME` names needs no past: it is named on purpose.

    Raises WorkspaceError when there is no workspace.
    """
    workspace = find_here()
    if workspace is not None:
        return workspace
    if os.environ.get("LOGOS_HOME"):
        return paths.home()
    raise WorkspaceError(f"{not_here()}; go to one, or name it: LOGOS_HOME=FOLDER")


def is_same(one: Path | None, other: Path | None) -> bool:
    """Whether two paths are the same workspace."""
    return one is not None and other is not None and _real(one) == _real(other)


def _real(workspace: Path) -> str:
    return os.path.realpath(workspace)


def say(text: str) -> None:
    """Print a line at once. A closed output must not keep a command from its work."""
    with suppress(OSError):
        print(text, flush=True)
