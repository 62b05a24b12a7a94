"""The snapshot that a session can be resumed from: what it holds, and when it is written."""
