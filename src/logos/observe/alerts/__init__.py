"""Alerts: people are told what happened, by a process beside the sessions, at least once."""
