"""The parts that a report's markup is made of: cards, tiles, tables, bars. All text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from logos.pages.markup import Content, Markup, joined, tag

_BAR: Final = 100
"""The width of a bar's drawing, in its own units; the page stretches it."""


def card(title: str, *content: Content, name: str, note: str = "") -> Markup:
    """A section with its heading; `name` is its anchor."""
    return tag(
        "section",
        tag("h2", title, id=f"{name}-title"),
        tag("p", note, class_="soft") if note else None,
        *content,
        class_="card",
        id=name,
        aria_labelledby=f"{name}-title",
    )


def tile(name: str, value: str, more: str = "", tone: str = "") -> Markup:
    """A figure that is seen first; `tone` is gain, loss, or nothing."""
    return tag(
        "div",
        tag("div", name, class_="name"),
        tag("div", value, class_=f"value {tone}".strip()),
        tag("div", more, class_="more") if more else None,
        class_="card tile",
    )


def tone_of(figure: Decimal | float | None) -> str:
    """How a gain or a loss is coloured; its sign says it too."""
    if figure is None or figure == 0:
        return ""
    return "gain" if figure > 0 else "loss"


def empty(words: str) -> Markup:
    """What a section says that has nothing to show."""
    return tag("p", words, class_="empty")


def number_cell(text: str, tone: str = "") -> Markup:
    """A cell of a table with a figure."""
    return tag("td", text, class_=f"number {tone}".strip())


def bar_cell(value: float, largest: float) -> Markup:
    """A cell with a bar as long as the figure is large: gains to the right, losses to the left."""
    width = 0.0 if largest <= 0 else abs(value) / largest * _BAR / 2
    start = _BAR / 2 if value >= 0 else _BAR / 2 - width
    return tag(
        "td",
        tag(
            "svg",
            tag("line", x1="50", x2="50", y1="0", y2="10", class_="axis"),
            tag(
                "rect",
                x=f"{start:.2f}",
                y="1",
                width=f"{width:.2f}",
                height="8",
                class_="gain-bar" if value >= 0 else "loss-bar",
            ),
            viewBox=f"0 0 {_BAR} 10",
            preserveAspectRatio="none",
            class_="bar",
            aria_hidden="true",
            focusable="false",
        ),
        class_="bar-cell",
    )


def length_cell(value: float, largest: float) -> Markup:
    """A cell with a bar from its left side, for counts."""
    width = 0.0 if largest <= 0 else value / largest * _BAR
    drawn = tag("rect", x="0", y="1", width=f"{width:.2f}", height="8", class_="count-bar")
    return tag(
        "td",
        tag(
            "svg",
            drawn,
            viewBox=f"0 0 {_BAR} 10",
            preserveAspectRatio="none",
            class_="bar",
            aria_hidden="true",
            focusable="false",
        ),
        class_="bar-cell",
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Iterable[Content]],
    *,
    numbers: Sequence[str] = (),
    class_: str | None = None,
) -> Markup:
    """A table; a cell that is no markup of a cell yet becomes one. The first column heads its row.

    `caption` is heard and not seen; `numbers` are the columns that are aligned as figures.
    """
    head = [
        tag("th", name, scope="col", class_="number" if name in numbers else None)
        for name in columns
    ]
    body = []
    for row in rows:
        first, *rest = row
        cells = [tag("th", first, scope="row")]
        cells += [
            _cell(each, name in numbers) for each, name in zip(rest, columns[1:], strict=True)
        ]
        body.append(tag("tr", *cells))
    made = tag(
        "table",
        tag("caption", caption, class_="only-heard"),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_=class_,
    )
    return scrolled(made, caption)


def scrolled(content: Markup, label: str) -> Markup:
    """What may be wider than a phone, in a box of its own that scrolls, by keyboard too."""
    return tag("div", content, class_="scroll", tabindex=0, role="region", aria_label=label)


def _cell(content: Content, is_number: bool) -> Markup:
    if isinstance(content, Markup) and content.startswith("<td"):
        return content
    return tag("td", content, class_="number" if is_number else None)


def facts(pairs: Iterable[tuple[str, Content]], caption: str) -> Markup:
    """Names and values, one pair a row."""
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", value, class_="value-cell"))
        for name, value in pairs
    ]
    made = tag(
        "table",
        tag("caption", caption, class_="only-heard"),
        tag("tbody", *rows),
        class_="facts",
    )
    return scrolled(made, caption)


def details(title: str, *content: Content) -> Markup:
    """What is folded until it is asked for."""
    return tag("details", tag("summary", title), joined(*content))
