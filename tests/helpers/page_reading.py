"""Pages as a parser sees them: elements, attributes and text of HTML, tables of Markdown."""

from __future__ import annotations

import json
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

VOID = frozenset({"meta", "br", "rect", "line", "path", "link", "img", "input"})


class Page(HTMLParser):
    """Parses markup strictly: what is opened is closed, in order."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        """The element and its text, in order."""
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1:] == [tag], f"</{tag}> closes {self._open[-3:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    @property
    def text(self) -> str:
        """What a reader sees without scripts, words apart."""
        hidden = ("script", "style")
        return " ".join(" ".join(each.split()) for name, each in self.texts if name not in hidden)

    def of(self, name: str) -> list[str]:
        """The text of every element of this name."""
        return [each for found, each in self.texts if found == name]

    def data(self) -> Any:
        """The page's block of JSON."""
        return json.loads(self.of("script")[0])


def tables_of(page: str) -> dict[str, list[dict[str, str]]]:
    """The tables of a page by heading, each row by its column's name."""
    found: dict[str, list[dict[str, str]]] = {}
    heading = ""
    columns: list[str] = []
    for line in page.splitlines():
        if line.startswith("#"):
            heading, columns = line.lstrip("# "), []
        elif line.startswith("|") and not line.startswith("|---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if columns:
                row = dict(zip(columns, cells, strict=True))
                found.setdefault(heading, []).append(row)
            else:
                columns = cells
    return found


def two_decimals(amount: str) -> str:
    """Money as pages show it."""
    return f"{Decimal(amount):,.2f}"
