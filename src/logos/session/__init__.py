"""A whole session: settings in, a folder of artifacts out."""

from logos.session.guardian import SwitchEngagedError
from logos.session.runner import ExitCode, SessionResult, run

__all__ = ["ExitCode", "SessionResult", "SwitchEngagedError", "run"]
