"""docs/figures are what the sessions and tables of today give, and say in words what they show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from places import PROJECT

from logos.core.orders import TRANSITIONS
from logos.core.types import OrderStatus, SessionStatus

FIGURES = sorted((PROJECT / "docs" / "figures").glob("*.svg"))
DOCUMENTS = [*(PROJECT / "docs").glob("*.md"), PROJECT / "README.md"]
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def maker() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "tools"))
        import make_figures  # type: ignore[import-not-found,unused-ignore]

        yield make_figures


@pytest.mark.long
def test_the_figures_are_what_is_drawn_now_from_the_sessions(maker: ModuleType) -> None:
    made = maker.drawings()
    assert set(made) == {path.name for path in FIGURES}
    for path in FIGURES:
        assert path.read_text(encoding="utf-8") == made[path.name], f"{path.name}: make manual"


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_a_figure_is_shown_has_a_text_instead_and_loads_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    [page] = [page for page in DOCUMENTS if f"figures/{path.name})" in page.read_text("utf-8")]
    [words] = re.findall(rf"!\[([^\]]+)\]\(figures/{path.name}\)", page.read_text("utf-8"))
    assert len(words) > 60
    root = ElementTree.fromstring(text)
    named = [root.find(f"{_SVG}{tag}") for tag in ("title", "desc")]
    assert root.get("role") == "img"
    assert (root.get("aria-labelledby") or "").split() == [
        each.get("id") for each in named if each is not None
    ]
    assert all(each is not None and len(each.text or "") > 15 for each in named)
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"href|url\((?!#)|<script|@import", text)
    assert len(text) < 40_000


def test_readme_has_a_picture_of_a_report_with_words_for_those_who_do_not_see_it() -> None:
    text = (PROJECT / "README.md").read_text("utf-8")
    [(words, name)] = re.findall(r"!\[([^\]]+)\]\(([^)]+\.png)\)", text)
    picture = (PROJECT / name).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 200_000
    assert len(words) > 60


def test_the_life_of_an_order_names_every_status_and_every_way(maker: ModuleType) -> None:
    drawn = maker.order_life({("NEW", "ACCEPTED"): 1_234})
    assert all(f">{status.value}</text>" in drawn for status in OrderStatus)
    assert ">1,234</text>" in drawn
    for status, after in TRANSITIONS.items():
        if after:
            [sentence] = re.findall(rf"\b{status.value} becomes ([A-Z_, or]+)\.", drawn)
            assert set(re.findall(r"[A-Z_]{3,}", sentence)) == {each.value for each in after}


def test_the_ends_of_a_session_are_those_that_there_are(maker: ModuleType) -> None:
    drawn = maker.session_ends()
    assert all(f">{status.value}</text>" in drawn for status in SessionStatus)


def test_a_way_that_no_order_goes_is_not_drawn(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = {**TRANSITIONS, OrderStatus.HELD: frozenset((OrderStatus.CANCELLED,))}
    monkeypatch.setattr(maker, "TRANSITIONS", fewer)
    with pytest.raises(AssertionError, match="HELD"):
        maker.order_life({})
