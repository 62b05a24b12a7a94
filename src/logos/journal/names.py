"""What the journals in a session's folder are called, for those who only look for them."""

from __future__ import annotations

from typing import Final

JOURNAL: Final = "state.jsonl"
"""In a session's folder: what happened."""

INPUTS_FILE: Final = "inputs.jsonl"
"""In a live session's folder: what came in."""
