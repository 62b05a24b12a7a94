"""HTML that is put together without a template: every text is escaped unless it is `Markup`.

`tag("td", name, class_="number")` gives `<td class="number">...</td>`, with `name` escaped and what
would be obeyed but not seen spelled out. There is no other way to put a text into a page.
"""

from __future__ import annotations

from typing import Final

from logos.shown import html

_EMPTY: Final = frozenset({"meta", "br", "rect", "line", "path"})


class Markup(str):
    """HTML of our own making."""

    __slots__ = ()


Content = str | int | None
"""Text, a whole number, or markup; None is nothing."""
Attribute = str | int | bool | None


def tag(name: str, *content: Content, **attributes: Attribute) -> Markup:
    """One element. A trailing `_` of an attribute's name is dropped, others become `-`; True gives
    an attribute without a value, None and False leave it out."""
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written = key.rstrip("_").replace("_", "-")
        words.append(written if value is True else f'{written}="{html(value)}"')
    opened = f"<{' '.join(words)}>"
    if name in _EMPTY:
        return Markup(opened if name in ("meta", "br") else f"{opened[:-1]}/>")
    return Markup(f"{opened}{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """Several contents after each other."""
    return Markup(
        "".join(
            each if isinstance(each, Markup) else html(each) for each in content if each is not None
        )
    )
