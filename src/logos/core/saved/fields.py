"""How the fate of a class's attributes in a save is written down; see `table`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Fields:
    """A class's attributes: `saved` as they are, `handled` by `state`, `left` out and why."""

    saved: tuple[str, ...] = ()
    handled: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)


PART: Final = "a part with an entry of its own, made anew from the settings"
SETTING: Final = "a setting, made anew from the configuration"
