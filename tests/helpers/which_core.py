"""Which core the sessions of a campaign run with: campaigns are for the compiled one, too."""

from __future__ import annotations

import platform

from logos.core import engine


def core_words() -> str:
    """Core, Python and place, for the report of a campaign."""
    kind = "interpreted" if str(engine.__file__).endswith(".py") else "compiled"
    return f"core {kind} ({engine.__file__}), Python {platform.python_version()}"
