"""Several sessions side by side: their curves, their figures, what differs in their settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from logos.observe.dashboard.view import SessionView, facts_of

ROWS_MAX: Final = 200
_VALUE_MAX: Final = 300
_NOT_SET: Final = "–"
_OWN: Final = frozenset(("session.id",))
"""What differs in any two sessions."""


def compared(views: Sequence[SessionView]) -> dict[str, Any]:
    """The comparison as the page draws it. Raises OSError for files that cannot be read."""
    sessions = []
    for view in views:
        stored, page = view.files.stored(), view.files.page()
        facts = facts_of(stored, page, view.files.has_report())
        sessions.append({**facts, "curves": view.curves()})
    return {"sessions": sessions, "settings": _differences([_settings(view) for view in views])}


def _settings(view: SessionView) -> dict[str, str]:
    """Every setting of a session by its whole name, as text."""
    try:
        settings = view.settings()
        instruments = settings.get("instruments")
        if isinstance(instruments, Mapping):  # their terms differ only where both have them
            settings["symbols"] = sorted(map(str, instruments))
        return dict(_flat("", settings))
    except (OSError, ValueError):
        return {"config.json": "cannot be read"}


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), each)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield name, text[:_VALUE_MAX]


def _differences(settings: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The settings that are not the same in all, in order of their names."""
    names = sorted({name for each in settings for name in each} - _OWN)
    rows = []
    for name in names:
        values = [each.get(name, _NOT_SET) for each in settings]
        is_of_one = name.startswith("instruments.") and _NOT_SET in values
        if len(set(values)) > 1 and not is_of_one:
            rows.append({"key": name, "values": values})
    return rows[:ROWS_MAX]
