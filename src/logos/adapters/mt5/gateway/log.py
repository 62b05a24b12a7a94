"""What a gateway tells of itself: records for its log, and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

Log = Callable[[Mapping[str, object]], None]
"""Takes one record of JSON values at a time."""


class GatewayStats(msgspec.Struct):
    """What happened so far; times are nanoseconds."""

    answered: int = 0
    lost: int = 0
    strays: int = 0
    """Answers that came too late or twice and were dropped."""
    hold_ns_max: int = 0
    wait_ns_max: int = 0
