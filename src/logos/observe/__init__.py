"""Readers of what sessions write, in processes of their own. Nothing here changes a session."""
