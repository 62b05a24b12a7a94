"""Rehearsals: incidents played on the user's own strategy and data, judged from the journal."""
