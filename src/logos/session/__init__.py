"""A whole session: settings in, a folder of artifacts out."""

from logos.session.runner import ExitCode, SessionResult, run

__all__ = ["ExitCode", "SessionResult", "run"]
