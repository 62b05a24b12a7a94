"""What every expectation has: it judges evidence, and says in words what it expected and saw."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from logos.rehearsal.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether an expectation held, and what was seen, in words."""

    holds: bool
    seen: str


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One expectation."""

    def judge(self, evidence: Evidence) -> Finding:
        """Look at the evidence."""
        raise NotImplementedError

    def words(self) -> str:
        """The expectation as the table prints it."""
        fields = msgspec.to_builtins(self)
        name = str(fields.pop("check")).replace("_", " ")
        defaults = {each.name: each.default for each in msgspec.structs.fields(self)}
        said = [
            f"{key.replace('_', ' ')} {_shown(value)}"
            for key, value in fields.items()
            if value != defaults[key] or defaults[key] is msgspec.NODEFAULT
        ]
        return f"{name}: {', '.join(said)}" if said else name


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
