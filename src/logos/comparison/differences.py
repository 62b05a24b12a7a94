"""What differs between sessions besides their figures: settings, strategy, data.

All of it stands in the manifest, the first record of a session's journal. Figures of two sessions
say something about a parameter only when nothing else differs, so whatever does is listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

NOT_SET: Final = "not set"
"""Stands for a setting that one session has and another has not."""
NONE: Final = "none"
"""Stands for data or code that one session has and another has not."""
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_MISSING: Final = object()
_NOT_COMPARED: Final = frozenset({"session.id"})
_DIGEST_SHOWN: Final = 12
_CODE: Final = (
    ("strategy", "strategy", None),
    ("strategy's file", "strategy_fingerprint", _DIGEST_SHOWN),
    ("software", "software", None),
    ("build of logos", "build", _DIGEST_SHOWN),
)
"""Name, key of the manifest, and how many characters of its value are shown (None: all)."""


class Difference(NamedTuple):
    """One thing that is not the same in all sessions."""

    name: str
    """A key of the settings, as in a file of settings, or what of the strategy or the data."""
    values: tuple[str, ...]
    """What each session has, in words, in the order of the sessions."""


def settings_differences(configs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """The settings that are not equal in all of `configs`, in the order in which they stand.

    A table that a session does not have at all is one line, not one for each of its keys. The ids
    of the sessions are no difference.
    """
    indexed = list(enumerate(configs))
    rows = _unequal("", indexed, len(configs))
    return [row for row in rows if row.name not in _NOT_COMPARED]


def _unequal(path: str, values: Sequence[tuple[int, Any]], count: int) -> Iterator[Difference]:
    """`values` are by the number of their session, of those whose tables above `path` exist."""
    first = values[0][1]
    if all(value is not _MISSING and _same(value, first) for _, value in values):
        return
    present = [(at, value) for at, value in values if value is not _MISSING]
    if not all(isinstance(value, Mapping) for _, value in present):
        yield _row(path, values, count)
        return
    if len(present) < len(values):
        yield _row(path, values, count)
    for key in dict.fromkeys(key for _, table in present for key in table):
        below = f"{path}.{_named(key)}" if path else _named(key)
        cells = [(at, table.get(key, _MISSING)) for at, table in present]
        yield from _unequal(below, cells, count)


def _same(one: Any, other: Any) -> bool:
    """Whether two values of settings are the same; 1 and true are not."""
    return json.dumps(one) == json.dumps(other)


def _row(path: str, values: Sequence[tuple[int, Any]], count: int) -> Difference:
    found = dict(values)
    cells = [found.get(at, _MISSING) for at in range(count)]
    words = tuple(_words(cell) for cell in cells)
    if len(set(words)) < len({_as_json(cell) for cell in cells}):  # 5 and "5"
        words = tuple(_as_json(cell) for cell in cells)
    return Difference(path, words)


def _words(value: Any) -> str:
    return value if isinstance(value, str) and value else _as_json(value)


def _as_json(value: Any) -> str:
    if value is _MISSING:
        return NOT_SET
    if isinstance(value, Mapping):
        return "set" if value else "{}"
    return json.dumps(value, ensure_ascii=False)


def _named(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def strategy_differences(manifests: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """What differs of the strategy and the program that ran it: names, and hashes of the code."""
    rows = []
    for name, key, shown in _CODE:
        values = [str(each.get(key) or "") for each in manifests]
        if len(set(values)) > 1:
            rows.append(Difference(name, tuple(value[:shown] or NONE for value in values)))
    modules = [each.get("modules") or {} for each in manifests]
    for module in dict.fromkeys(name for each in modules for name in each):
        values = [str(each.get(module, "")) for each in modules]
        if len(set(values)) > 1:
            cut = tuple(value[:_DIGEST_SHOWN] or NONE for value in values)
            rows.append(Difference(f"module {module}", cut))
    return rows


def data_differences(manifests: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """The data that is not the same, byte by byte, in all sessions: a line for each source.

    A source is told by its symbol and kind; the names of its files do not matter.
    """
    sources = [dict(_sources(each)) for each in manifests]
    rows = []
    for name in dict.fromkeys(name for each in sources for name in each):
        found = [each.get(name) for each in sources]
        if len({None if each is None else _content(each) for each in found}) > 1:
            words = tuple(NONE if each is None else _described(each) for each in found)
            rows.append(Difference(name, words))
    return rows


def _sources(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    seen: dict[str, int] = {}
    for source in manifest.get("data") or ():
        name = f"{source.get('symbol', '?')} {source.get('kind', '?')}"
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name} ({seen[name]})"), source


def _content(source: Mapping[str, Any]) -> str:
    files = source.get("files") or {}
    figures = [source.get(key) for key in ("rows", "rows_dropped", "first", "last")]
    return json.dumps([sorted(files.values()), figures])


def _described(source: Mapping[str, Any]) -> str:
    first, last = (str(source.get(key, ""))[:16].replace("T", " ") for key in ("first", "last"))
    digests = sorted(str(each) for each in (source.get("files") or {}).values())
    mark = f", {digests[0][:_DIGEST_SHOWN]}" if digests else ""
    return f"{source.get('rows', 0):,} rows, {first} to {last}{mark}"
