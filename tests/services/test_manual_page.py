"""docs/MANUAL.html in a real browser, from its file: search, keyboard, screens, accessibility."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import DESKTOP, PHONE, Watched, browser_page
from places import PROJECT

MANUAL = PROJECT / "docs" / "MANUAL.html"
pytestmark = [pytest.mark.campaign, pytest.mark.timeout(300)]


def test_without_scripts_it_can_be_read_and_nothing_is_offered_that_does_not_work() -> None:
    # First in the file: a browser of its own, before that of the module is open.
    with browser_page(PHONE, has_scripts=False) as watched:
        watched.open(MANUAL)
        assert watched.page.locator("#search").is_hidden()
        assert watched.page.locator("#readme h2").is_visible()
        assert watched.page.locator("#contents a").first.is_visible()


@pytest.fixture(scope="module", params=[(DESKTOP, False), (PHONE, True)], ids=["desk", "phone"])
def screen(request: pytest.FixtureRequest) -> Iterator[Watched]:
    """The manual on a light desktop and on a dark phone."""
    size, is_dark = request.param
    with browser_page(size, is_dark=is_dark) as watched:
        watched.open(MANUAL)
        yield watched


@pytest.fixture
def manual(screen: Watched) -> Watched:
    """The same page, its search box empty and at its top."""
    screen.page.evaluate("() => { location.hash = ''; scrollTo(0, 0); }")
    screen.page.focus("#query")
    screen.page.keyboard.press("Escape")
    return screen


def search(manual: Watched, words: str) -> str:
    """Type into the box; what the page says of it."""
    manual.page.keyboard.press("Tab")
    manual.page.evaluate("() => document.activeElement.blur()")
    manual.page.keyboard.press("/")
    manual.page.keyboard.type(words)
    return manual.shows("#said", bool)


def test_it_asks_for_its_own_file_alone_and_shows_no_error(manual: Watched) -> None:
    assert {address.split("#")[0] for address in manual.asked} == {MANUAL.as_uri()}
    manual.check()
    assert manual.fits()


def test_nothing_serious_stands_in_the_way_of_anybody(manual: Watched) -> None:
    search(manual, "stale")
    manual.page.wait_for_selector("#search-results a")
    size = manual.page.viewport_size
    if size is not None and size["width"] < DESKTOP[0]:
        # All words are judged on the desk, where they are the same; here, how a page is laid out.
        manual.page.evaluate(
            "() => [...document.querySelectorAll('main section')].slice(8).forEach(s => s.remove())"
        )
        assert manual.page.locator("main section").count() == 8
    assert manual.accessibility() == []


def test_a_code_is_found_by_keyboard_alone_and_its_row_is_shown(manual: Watched) -> None:
    search(manual, "stale_data")
    manual.page.wait_for_selector("#search-results a mark")
    assert manual.page.locator("#search-results a").count() > 5
    manual.page.keyboard.press("ArrowDown")
    manual.page.keyboard.press("Enter")
    found = manual.page.wait_for_selector("main .found")
    assert "STALE_DATA" in (found.text_content() or "")
    assert found.is_visible()
    box = found.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < DESKTOP[1]
    assert manual.page.evaluate("() => document.activeElement.classList.contains('found')")


def test_words_that_stand_nowhere_together_give_what_has_some_of_them(manual: Watched) -> None:
    search(manual, "heartbeat")
    manual.page.keyboard.type(" zyzzyva")
    manual.shows("#said", "No section has all of")
    assert manual.page.locator("#search-results a").count() > 3


def test_nothing_found_is_said_and_escape_clears_it(manual: Watched) -> None:
    search(manual, "zyzzyva")
    manual.shows("#said", "Nothing found for “zyzzyva”")
    assert manual.page.locator("#search-results a").count() == 0
    manual.page.keyboard.press("Escape")
    assert manual.page.input_value("#query") == ""
    assert manual.page.locator("#said").is_hidden()


def test_what_is_typed_is_text_and_never_markup(manual: Watched) -> None:
    search(manual, "<img src=x onerror=alert(1)>")
    manual.shows("#said", "<img src=x")
    assert manual.page.locator("nav img").count() == 0


def test_the_way_leads_from_chapter_to_chapter(manual: Watched) -> None:
    manual.page.locator("#readme a[rel=next]").click()
    manual.page.wait_for_selector("section#quickstart:target")
    heading = manual.page.locator("#quickstart-quickstart")
    assert heading.bounding_box() is not None


def test_the_contents_say_where_the_reader_is(manual: Watched) -> None:
    manual.page.evaluate("() => document.getElementById('guards-the-guards').scrollIntoView()")
    there = '#contents a[href="#guards-the-guards"][aria-current="location"]'
    manual.page.wait_for_selector(there, state="attached")
    assert manual.page.locator("#contents a[aria-current]").count() == 1
