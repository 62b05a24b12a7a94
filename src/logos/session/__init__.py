"""Sessions: opened by `open_session`, driven by `drive`, and all artifacts of a run."""

from logos.session.entry import replay, resume, run, run_live
from logos.session.open import open_session
from logos.session.opening.spec import Purpose, SessionSpec
from logos.session.outcome import ExitCode, Outputs, SessionResult
from logos.session.session import Session
from logos.session.supervisor import SwitchEngagedError

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
