"""The page of a comparison and what notebooks show, in Chromium: offline, accessible, harmless."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, browser_page
from journal_helpers import BarByBar, bars
from session_helpers import session_config

import logos
from logos.comparison.comparing import compare
from logos.comparison.page import comparison_page
from logos.core.gates import InProcessSwitch
from logos.core.strategy import market
from logos.core.types import Side
from logos.session.entry import run
from logos.testing.builders import Scripted

HOSTILE = "<img src=//evil.invalid/x onerror=alert(1)></script><script>alert(2)</script>"

pytestmark = pytest.mark.campaign


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three sessions; one has a strategy and tags with hostile names."""
    home = tmp_path_factory.mktemp("home")
    for number, session_id in enumerate(("one", "two", "a-name-that-is-" + "long" * 10), start=1):
        script = {
            1: market(Side.BUY, 10 * number, tag=HOSTILE),
            6: market(Side.SELL, 10 * number, tag="=cmd|' /C calc'!A1"),
        }
        strategy = type(HOSTILE, (Scripted,), {"name": HOSTILE})(script)
        config = session_config(session={"id": session_id})
        run(
            config,
            strategy=strategy,
            feed=BarByBar(bars(40)),
            switch=InProcessSwitch(),
            home=home,
        )
    return home


@pytest.mark.parametrize(("size", "is_dark"), [(DESKTOP, False), (PHONE, True)])
def test_the_page_is_offline_accessible_and_fits(
    size: tuple[int, int], is_dark: bool, home: Path, tmp_path: Path
) -> None:
    sessions = sorted((home / "runs" / "live" / "sessions").iterdir())
    page = tmp_path / "c.html"
    page.write_text(comparison_page(compare(sessions)), encoding="utf-8")
    with browser_page(size, is_dark=is_dark) as watched:
        watched.open(page)
        watched.shows("#figures", "profit factor")
        watched.shows("#sessions", HOSTILE)
        assert watched.page.query_selector("img") is None
        assert watched.accessibility() == []
        assert watched.fits()
        assert watched.page.get_attribute("#by-date", "aria-pressed") == "true"
        watched.page.click("#by-start")
        assert watched.page.get_attribute("#by-start", "aria-pressed") == "true"
        watched.shows("#unit", "minutes from the start of each")
        watched.page.focus("#chart")
        for key in ("+", "ArrowRight", "0"):
            watched.page.keyboard.press(key)
        assert watched.page.query_selector("#chart canvas") is not None
        assert watched.asked == [page.resolve().as_uri()]


@pytest.mark.parametrize(
    ("ground", "ink", "size"), [("#fff", "#111", PHONE), ("#111", "#eee", DESKTOP)]
)
def test_what_a_notebook_shows_is_accessible_on_light_and_dark(
    ground: str, ink: str, size: tuple[int, int], home: Path, tmp_path: Path
) -> None:
    shown = logos.result("one", home=home)
    page = tmp_path / "n.html"
    style = f"background:{ground};color:{ink}"
    page.write_text(
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>notebook</title>'
        f'<meta name="viewport" content="width=device-width"><body style="{style}"><main>'
        f"<h1>cell</h1>{shown._repr_html_()}{shown.plot().svg}</main></body></html>",
        encoding="utf-8",
    )
    with browser_page(size, is_dark=ground == "#111") as watched:
        watched.open(page)
        assert HOSTILE in (watched.page.text_content("main") or "")
        assert len(watched.page.query_selector_all("img")) == 1
        assert watched.page.evaluate("document.querySelector('img').naturalWidth") > 0
        assert watched.accessibility() == []
        assert watched.fits()


def test_a_saved_drawing_is_a_page_of_its_own(home: Path, tmp_path: Path) -> None:
    page = logos.result("one", home=home).plot().save(tmp_path / "equity.html")
    with browser_page() as watched:
        watched.open(page)
        colour = "getComputedStyle(document.querySelector('.logos-equity')).stroke"
        assert watched.page.evaluate(colour) == "rgb(10, 95, 168)"
        assert watched.accessibility(allowed=["landmark-one-main", "page-has-heading-one"]) == []
