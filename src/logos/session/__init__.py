"""A whole session: settings in, a folder of artifacts out."""

from logos.session.runner import ExitCode, SessionResult, run
from logos.session.supervisor import SwitchEngagedError

__all__ = ["ExitCode", "SessionResult", "SwitchEngagedError", "run"]
