"""How the fate of a class's attributes in a save is written down; see `table`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec


class Fields(msgspec.Struct, frozen=True):
    """A class's attributes: `saved` as they are, `handled` by `state`, `left` out and why."""

    saved: tuple[str, ...] = ()
    handled: tuple[str, ...] = ()
    left: Mapping[str, str] = msgspec.field(default_factory=dict)


PART: Final = "a part with an entry of its own, made anew from the settings"
SETTING: Final = "a setting, made anew from the configuration"
