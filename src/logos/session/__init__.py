"""Sessions: opened by `open_session`, driven by `drive`, and all artifacts of a run.

Names are loaded when they are asked for: `logos status`, `kill` and `health` need what a session
shows of itself (`session/presence`), and answer before a whole engine could be imported.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from logos.session.entry import replay, resume, run, run_live
    from logos.session.open import open_session
    from logos.session.opening.machine_switch import SwitchEngagedError
    from logos.session.opening.spec import Purpose, SessionSpec
    from logos.session.outcome import ExitCode, Outputs, SessionResult
    from logos.session.session import Session

__all__ = [
    "ExitCode",
    "Outputs",
    "Purpose",
    "Session",
    "SessionResult",
    "SessionSpec",
    "SwitchEngagedError",
    "open_session",
    "replay",
    "resume",
    "run",
    "run_live",
]

_HOMES = {
    "entry": ("replay", "resume", "run", "run_live"),
    "open": ("open_session",),
    "opening.spec": ("Purpose", "SessionSpec"),
    "outcome": ("ExitCode", "Outputs", "SessionResult"),
    "session": ("Session",),
    "opening.machine_switch": ("SwitchEngagedError",),
}
_PLACES = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value
