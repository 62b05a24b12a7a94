"""The dashboard in Chromium, offline: what one sees, hears and can do, and what nobody can."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, Watched, browser_page
from dashboard_helpers import START_NS, MadeSession, Served, line, order, served, update
from metrics_helpers import CURRENCY
from places import CACHE, PROJECT
from waiting import wait_until

from logos.config.secret import Secret
from logos.observe.dashboard.access import Access
from logos.session.stored.sessions import CRASHED, stored_session

pytestmark = pytest.mark.campaign

HOSTILE = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>=cmd|' /C calc'!A0"
SECRET = "0123456789abcdef-of-the-desk"


@pytest.fixture
def made(tmp_path: Path) -> MadeSession:
    """A session whose every word is hostile, and one beside it."""
    made = MadeSession(tmp_path)
    other = MadeSession(tmp_path, "other")
    for each in (made, other):
        each.account(100_000.0, 100_250.0, 99_900.0, 101_000.0)
        each.figures(strategy=HOSTILE, refusals={HOSTILE: 3})
        each.add(order(2, 1, symbol=HOSTILE, tag=HOSTILE), order(3, 2), update(4, 2, "FILLED"))
        each.add(line(5, "switch", state="ENGAGED", reason=HOSTILE, epoch=2))
        decision = {"timestamp": "2026-01-05T14:00:00.000000000Z", "tick_id": 1, "symbol": HOSTILE}
        each.log({**decision, "action": "REFUSED", "reason": HOSTILE})
        each.log({**decision, "action": "ORDER_NEW", "reason": ""})
    return made


@contextlib.contextmanager
def opened(dashboard: Served, place: str = "") -> Iterator[Watched]:
    with browser_page() as watched:
        watched.open(f"{dashboard.url}#/{place}")
        yield watched


@pytest.mark.parametrize(("size", "is_dark"), [(DESKTOP, False), (PHONE, True)])
def test_every_view_fits_is_accessible_and_shows_hostile_words_as_words(
    made: MadeSession, size: tuple[int, int], is_dark: bool
) -> None:
    with served(made.home) as dashboard, browser_page(size, is_dark=is_dark) as watched:
        for place, shown in (("", "h1"), ("s/made", "#log table")):
            watched.open(f"{dashboard.url}#/{place}")
            watched.page.reload()
            watched.shows(shown, lambda text: text != "")
            watched.shows("main", HOSTILE)
            assert watched.fits(), place
            assert watched.accessibility() == [], place
            assert watched.page.evaluate("window.hacked") is None
            assert watched.page.locator("main script, main img").count() == 0


def test_points_tiles_and_orders_come_as_they_are_written(made: MadeSession) -> None:
    with served(made.home) as dashboard, opened(dashboard, "s/made") as watched:
        watched.shows("#link", "live")
        watched.shows("main", "999.50")
        before = points_of(watched)
        for number in range(1, 4):
            risen = {**CURRENCY, "equity_units": 10_123_400 + number}
            risk = {"currencies": [risen], "symbols": [], "guards": []}
            made.figures(risk=risk, last_event_ns=START_NS + (86_400 * 30 + number) * 10**9)
            watched.shows("main", f"101,234.0{number}")
        made.add(order(9, 77))
        watched.shows("#orders", "#77")
        watched.shows("#events", "#77")
        after = points_of(watched)
        assert after >= before + 3


def test_the_page_goes_on_after_the_dashboard_was_started_anew(made: MadeSession) -> None:
    with contextlib.ExitStack() as stack:
        with served(made.home) as first:
            watched = stack.enter_context(opened(first, "s/made"))
            watched.shows("#link", "live")
            made.add(order(9, 70))
            watched.shows("#events", "#70")
        watched.shows("#link", "not reachable")
        made.add(order(10, 71))
        watched.errors.clear()  # the browser says of each try that nobody answered
        with served(made.home, port=first.port):
            watched.shows("#events", "#71")
            watched.shows("#link", "live")
            made.add(order(11, 72))
            watched.shows("#events", "#72")
            assert (watched.page.text_content("#events") or "").count("#70") == 1
        watched.errors.clear()


def test_a_journal_that_was_cut_back_fills_the_page_anew(made: MadeSession) -> None:
    whole = made.journal.stat().st_size
    made.add(order(9, 70))
    with served(made.home) as dashboard, opened(dashboard, "s/made") as watched:
        watched.shows("#events", "#70")
        os.truncate(made.journal, whole)
        made.add(order(9, 71))
        watched.shows("#events", lambda text: "#71" in text and "#70" not in text)


def test_a_token_is_asked_for_and_taken_from_the_fragment(made: MadeSession) -> None:
    access = Access(Secret(SECRET))
    with served(made.home, access) as dashboard:
        with opened(dashboard) as watched:
            watched.shows("h1", "A token is needed")
            assert watched.accessibility() == []
            watched.page.fill("#token", "wrong")
            watched.page.click("button")
            watched.shows("[role=alert]", "That is not the token.")
            watched.page.fill("#token", SECRET)
            watched.page.keyboard.press("Enter")
            watched.shows("h1", "Sessions")
            watched.page.reload()
            watched.shows("h1", "Sessions")
            assert not watched.page.evaluate("document.cookie")
            watched.errors.clear()  # the browser shows each 401
        with browser_page() as watched:
            watched.open(f"{dashboard.url}#token={SECRET}")
            watched.shows("h1", "Sessions")
            assert SECRET not in watched.page.url
            assert all(SECRET not in url.partition("#")[0] for url in watched.asked)


def test_a_report_is_shown_and_reaches_nothing(made: MadeSession) -> None:
    (made.folder / "report.html").write_text(
        "<!doctype html><html lang=en><title>r</title><p id=a>report</p><p id=b></p><script>"
        "try { document.getElementById('b').textContent = parent.document.title; }"
        "catch { document.getElementById('b').textContent = 'kept out'; }"
        "fetch('/api/sessions').then(() => document.getElementById('a').textContent = 'read it')"
        ".catch(() => document.getElementById('a').textContent = 'could not ask');</script>"
    )
    with served(made.home) as dashboard, opened(dashboard, "s/made/report") as watched:
        watched.page.get_by_role("button", name="Show it here").click()
        frame = watched.page.frame_locator("iframe.report")
        frame.locator("#a", has_text="could not ask").wait_for()
        assert frame.locator("#b").text_content() == "kept out"
        watched.errors.clear()  # the browser says what the policy kept from it


def test_the_log_is_filtered_and_everything_is_done_by_keys(made: MadeSession) -> None:
    with served(made.home) as dashboard, opened(dashboard) as watched:
        watched.shows("main", "made")
        watched.page.keyboard.press("Tab")
        assert watched.page.evaluate("document.activeElement.textContent") == "Skip to the content"
        watched.page.get_by_role("checkbox", name="Compare made").focus()
        watched.page.keyboard.press("Space")
        watched.shows("main", "Tick 2 to 6")
        watched.page.get_by_role("link", name="made", exact=True).focus()
        watched.page.keyboard.press("Enter")
        watched.shows("#log", "ORDER_NEW")
        watched.page.get_by_label("Level").select_option("warning")
        watched.shows("#log tbody", lambda text: "REFUSED" in text and "ORDER_NEW" not in text)
        watched.page.get_by_label("Text").fill("nothing of the kind")
        watched.shows("#log", "0 lines shown")
        watched.page.get_by_role("button", name="Ended").focus()
        watched.page.keyboard.press("Enter")
        watched.shows("#orders", "FILLED")


def points_of(watched: Watched) -> int:
    return int(watched.page.locator("#equity").get_attribute("data-points") or 0)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "logos.live", *words]


def test_a_real_session_is_followed_over_its_death_and_its_resumption(tmp_path: Path) -> None:
    settings = tmp_path / "live.toml"
    settings.write_text(
        f'[session]\nid = "real"\n[strategy]\nname = "sma_cross"\nparams = {{fast = 2, slow = 4}}\n'
        f'[data]\npaths = ["{CACHE}"]\nsymbols = ["BTCUSDT"]\naccept = ["gap"]\n'
        '[live]\nfeed = "replay"\nspeed = "2000"\nheartbeat_ms = 100\n'
        '[account]\nbalances = { USDT = "100000" }\n'
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), "LOGOS_HOME": str(tmp_path)}
    folder = tmp_path / "runs" / "live" / "sessions" / "real"

    def start(*words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            _command(*words),
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    process = start("trade", "--feed", "replay", "--config", str(settings))
    try:
        wait_until((folder / "account.csv").exists, "the session to begin")
        with served(tmp_path) as dashboard, opened(dashboard, "s/real") as watched:
            watched.shows("h1 + .badge", "RUNNING")
            points = points_of(watched)

            def has_grown() -> bool:
                watched.page.wait_for_timeout(20)
                return points_of(watched) > points + 5

            wait_until(has_grown, "points of a session that runs")
            watched.shows("#events", "FILL")
            process.send_signal(signal.SIGKILL)
            process.wait()
            watched.shows("h1 + .badge", "CRASHED")
            assert stored_session(folder, tmp_path).status == CRASHED
            process = start("resume", "real")
            watched.shows("h1 + .badge", "RUNNING")
            points = points_of(watched)
            wait_until(has_grown, "points after the session was resumed")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
