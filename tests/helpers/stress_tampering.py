"""Ways to tamper with what a stress run left behind: their list, and how lines are edited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stress_helpers import Record, edit_lines


def first(records: list[Record], **wanted: object) -> int:
    """The place of the first record with these values."""
    for place, record in enumerate(records):
        if all(record.get(name) == value for name, value in wanted.items()):
            return place
    raise AssertionError(f"no record with {wanted}")


Tamper = Callable[[Path], None]
TAMPERINGS: list[tuple[str, str, str, Tamper]] = []


def tampering(check: str, what: str, words: str) -> Callable[[Tamper], Tamper]:
    """Register a way to tamper, the check that must see it, and words that it says of it.

    The list of files is made again afterwards: the check must see it without that list.
    """

    def register(tamper: Tamper) -> Tamper:
        TAMPERINGS.append((check, what, words, tamper))
        return tamper

    return register


def change_line(folder: Path, name: Path, change: Record, **wanted: object) -> None:
    def edit(records: list[Record]) -> list[Record]:
        records[first(records, **wanted)] |= change
        return records

    edit_lines(folder / name, edit)


def drop_line(folder: Path, name: Path, **wanted: object) -> None:
    def edit(records: list[Record]) -> list[Record]:
        del records[first(records, **wanted)]
        return records

    edit_lines(folder / name, edit)


def repeat_line(folder: Path, name: Path, change: Record, **wanted: object) -> None:
    def edit(records: list[Record]) -> list[Record]:
        place = first(records, **wanted)
        return [*records[: place + 1], records[place] | change, *records[place + 1 :]]

    edit_lines(folder / name, edit)
