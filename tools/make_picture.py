"""Take README's picture of a report anew: `python tools/make_picture.py FOLDER-OF-A-SESSION`.

Needs Chromium and the `playwright` of the development tools. Pixels differ from one machine's fonts
to another's, so the picture is made by hand when the report looks different, and no test compares
it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "figures" / "report.png"
SIZE = (1280, 860)


def main() -> None:
    """Open the report of the session offline and take what one sees first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    page = parser.parse_args().folder.resolve() / "report.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-background-networking"],
        )
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light", offline=True
        )
        tab = context.new_page()
        tab.goto(page.as_uri())
        tab.locator("canvas").first.wait_for()
        tab.screenshot(path=PICTURE)
        browser.close()
    print(PICTURE)


if __name__ == "__main__":
    main()
