"""A registry of running sessions apart from the user's, whose sessions no test may meet."""

from __future__ import annotations

import os
import tempfile

from logos.session.presence.registry import VARIABLE


def use_registry() -> tempfile.TemporaryDirectory[str]:
    """Point this process, and what it starts, to a new registry; `cleanup` removes it."""
    folder = tempfile.TemporaryDirectory(prefix="logos-registry-")
    os.environ[VARIABLE] = folder.name
    return folder


def keeps(name: str) -> bool:
    """Whether an environment without the settings of logos keeps the variable `name`."""
    return name == VARIABLE or not name.startswith("LOGOS_")
