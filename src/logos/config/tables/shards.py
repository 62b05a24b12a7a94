"""`[shards]`: the symbols of one file over many sessions, each on a machine of its own."""

from __future__ import annotations

import enum
from decimal import Decimal

from logos.config.tables.base import Settings


class Takeover(enum.Enum):
    """What the next owner of a shard may go on from."""

    FOLDER = "folder"
    SHIPPED = "shipped"


class ShardSettings(Settings, frozen=True, kw_only=True):
    """`[shards.table.NAME]`: one shard, which is one session."""

    symbols: list[str]
    """What it trades: each symbol of `[instruments]` belongs to one shard."""
    partitions: list[int] = []
    """The partitions of `[live.kafka]` topics that its prices come in."""
    budget: Decimal
    """Its part of the total when the fleet begins, in money of each currency; above 0."""
    budget_max: Decimal | None = None
    """The most that its budget may be raised to. Not set: budget."""


class ShardsSettings(Settings, frozen=True, kw_only=True):
    """`[shards]`: sessions that share out the symbols, under one limit; see docs/SCALE.md."""

    folder: str
    """Where their sessions lie: storage that every machine of the fleet reaches, unless takeover is
    shipped."""
    takeover: Takeover = Takeover.FOLDER
    """What the next owner of a shard goes on from: folder, or, where the folder of the last owner
    cannot be read, what `logos ship` sent of its session to [ship.kafka]: shipped."""
    total: Decimal
    """What all shards together may hold, in money of each currency, without signs."""
    table: dict[str, ShardSettings]
    """The shards by name: 1 to 24 letters, digits and '_'."""
