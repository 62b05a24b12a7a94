"""Pages in a real browser: Chromium, kept offline and listened to.

A page may ask only files and this machine's loopback; whatever else it asks for is refused, and
remembered. So is every error that its console shows and every exception that nobody caught.
`Watched.check` fails on all of them, and the context that opened the browser asks it at its end.
axe-core judges accessibility, `Watched.accessibility` says what is serious.

A strict content security policy forbids strings of code, so wait with `shows` and `hear`, not
with Playwright's `wait_for_function`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from places import absent
from waiting import wait_until

DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_SERIOUS: Final = ("serious", "critical")


class Watched:
    """One page of a browser, and all that it did wrong."""

    def __init__(self, page: Any) -> None:
        self.page = page
        """Playwright's page."""
        self.asked: list[str] = []
        """Every address that the page asked for, the refused ones too."""
        self.refused: list[str] = []
        """Those that lie outside of files and loopback."""
        self.errors: list[str] = []
        """What the console showed as an error, and exceptions that nobody caught."""
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.route("**/*", self._let)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _let(self, route: Any) -> None:
        url = route.request.url
        if is_local(url):
            route.continue_()
        else:
            self.refused.append(url)
            route.abort()

    def open(self, address: str | Path) -> None:
        """Open a file or an address of loopback, and wait until it is loaded."""
        url = address.resolve().as_uri() if isinstance(address, Path) else address
        self.page.goto(url, wait_until="load")

    def shows(self, selector: str, wanted: str | Callable[[str], bool]) -> str:
        """Wait until the element has the text that is wanted, or one that is fit; gives it."""
        judge = wanted if callable(wanted) else (lambda text: wanted in text)

        self.hear(lambda: judge(self.page.text_content(selector) or ""), f"{selector} to show it")
        return self.page.text_content(selector) or ""

    def hear(self, condition: Callable[[], bool], waited_for: str) -> None:
        """Wait for what the page does by itself: it lives only while Playwright is asked."""

        def is_so() -> bool:
            self.page.wait_for_timeout(10)
            return condition()

        wait_until(is_so, waited_for)

    def check(self) -> None:
        """Raise AssertionError if it asked for anything outside, or an error was shown."""
        assert self.refused == [], f"the page asked for what is not on this machine: {self.refused}"
        assert self.errors == [], f"the page showed errors: {self.errors}"

    def accessibility(self, *, allowed: Sequence[str] = ()) -> list[str]:
        """What axe-core finds that is serious or worse, a line each; rules `allowed` are left out.

        A line names the rule, what it wants, and the first elements that break it.
        """
        from axe_playwright_python.sync_playwright import Axe

        found = []
        for each in Axe().run(self.page).response["violations"]:
            if each["impact"] in _SERIOUS and each["id"] not in allowed:
                where = [", ".join(map(str, node["target"])) for node in each["nodes"][:5]]
                found.append(f"{each['id']}: {each['help']}: {'; '.join(where)}")
        return found

    def fits(self) -> bool:
        """Whether the page is no wider than its window."""
        wide, window = self.page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        return int(wide) <= int(window)


def is_local(url: str) -> bool:
    """Whether what the address names lies on this machine: a file, data, or loopback."""
    parts = urlsplit(url)
    if parts.scheme in ("file", "data", "blob", "about"):
        return not parts.netloc
    return parts.hostname in _LOOPBACK


@contextmanager
def browser_page(
    size: tuple[int, int] = DESKTOP,
    *,
    is_dark: bool = False,
    has_scripts: bool = True,
) -> Iterator[Watched]:
    """A page of a fresh browser; checked at the end, unless the test has failed before.

    Skips the test where Chromium or Playwright are not here, or fails it where all is needed.
    """
    program = shutil.which("chromium")
    if program is None:
        absent("chromium is not installed (apt-get install chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright is not installed (it is one of the dev tools)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme="dark" if is_dark else "light",
                java_script_enabled=has_scripts,
                locale="en-GB",
                timezone_id="UTC",
                accept_downloads=False,
            )
            watched = Watched(context.new_page())
            yield watched
            watched.check()
        finally:
            browser.close()
