"""How `logos fleet start` goes on with a session of which only what was shipped is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from logos.cli.running.topics import topics_of
from logos.config import Config
from logos.config.tables.shards import Takeover
from logos.config.terms.shards import shards_of, ship_of
from logos.killswitch.fleet.records import EngineEntry
from logos.observe.shipping.restoring import Restored, restore_session
from logos.session.fleet.taking import Restore


def shipped_of(config: Config, session_id: str, tell: Callable[[str], object]) -> Restore | None:
    """What restores the session of a shard from the topics; None where the settings do not say so.

    `tell` hears how far that went, and what is known to be lost.
    """
    if shards_of(config).takeover is not Takeover.SHIPPED:
        return None

    def restore(folder: Path, last: EngineEntry) -> None:
        with topics_of(ship_of(config)) as topics:
            restored = restore_session(topics, session_id, folder)
        tell(words_of(restored, last))

    return restore


def words_of(restored: Restored, last: EngineEntry) -> str:
    """How far a session was restored, beside what its last owner had said of it."""
    words = (
        f"session {restored.session} is restored up to record {restored.records}, shipped under "
        f"claim {restored.claim}; what it did behind that is lost"
    )
    if restored.claim < last.claim:
        words += f": nothing was shipped under claim {last.claim}, of {last.name}"
    missing = last.written - restored.records
    if missing > 0:
        words += f", {missing} records at least"
    return f"{words}. On paper no order had left"
