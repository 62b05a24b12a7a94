"""The browser that tests look at pages with notices what a page does wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import PHONE, browser_page, is_local

pytestmark = pytest.mark.campaign

GOOD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Good</title></head>
<body><main><h1>Good</h1><p id="said">first</p></main>
<script>setTimeout(() => { document.getElementById("said").textContent = "then"; }, 30);</script>
</body></html>"""


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("file:///tmp/report.html", True),
        ("data:text/plain,x", True),
        ("http://127.0.0.1:8080/a", True),
        ("http://[::1]:8080/", True),
        ("http://localhost/", True),
        ("file://elsewhere/share/x", False),
        ("https://fonts.example/x.css", False),
        ("http://127.0.0.1.example/", False),
    ],
)
def test_what_lies_on_this_machine(url: str, is_here: bool) -> None:
    assert is_local(url) is is_here


def test_a_good_page_passes_and_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "good.html"
    path.write_text(GOOD, encoding="utf-8")
    with browser_page(PHONE) as watched:
        watched.open(path)
        assert watched.shows("#said", "then") == "then"
        assert watched.accessibility() == []
        assert watched.fits()


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ('<img alt="" src="http://192.0.2.1/x.png">', "not on this machine"),
        ("<script>console.error('broken')</script>", "broken"),
        ("<script>throw new Error('unheard')</script>", "unheard"),
    ],
)
def test_a_bad_page_fails(tmp_path: Path, markup: str, words: str) -> None:
    path = tmp_path / "bad.html"
    path.write_text(GOOD.replace("</main>", f"{markup}</main>"), encoding="utf-8")

    def look() -> None:
        with browser_page() as watched:
            watched.open(path)
            watched.hear(lambda: bool(watched.refused or watched.errors), "what is wrong")

    with pytest.raises(AssertionError, match=words):
        look()


def test_what_cannot_be_read_by_all_is_named(tmp_path: Path) -> None:
    path = tmp_path / "faint.html"
    faint = '<button></button><p style="color:#eee;background:#fff">faint</p>'
    faint += '<div style="width:3000px">x</div>'
    path.write_text(GOOD.replace("</main>", f"{faint}</main>"), encoding="utf-8")
    with browser_page() as watched:
        watched.open(path)
        rules = [each.split(":")[0] for each in watched.accessibility()]
        assert {"button-name", "color-contrast"} <= set(rules)
        assert not watched.fits()
