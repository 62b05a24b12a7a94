"""The session's memory: an append-only journal and atomic snapshots."""
