"""What a judge of a session's files found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be: the file, the place in it, and what is wrong there."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}{', ' if self.place else ''}{self.place}: {self.message}"
