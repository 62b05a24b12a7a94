"""The report of a session in a real browser: offline, without errors, usable by all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import DESKTOP, PHONE, Watched, browser_page
from journal_helpers import halted, run, silent
from places import CACHE
from waiting import wait_until

from logos import session
from logos.core.gates import InProcessSwitch
from logos.core.strategy import Context, Strategy, market
from logos.core.types import Side
from logos.report import write_report

pytestmark = pytest.mark.campaign

HOSTILE = "</script><script>document.title='taken'"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = {
        "session": {"id": "shown"},
        "strategy": {"name": "sma_cross", "params": {"fast": 10, "slow": 30}},
        "data": {"paths": [str(CACHE)], "symbols": ["ACME", "EURUSD"], "accept": ["gap"]},
        "account": {"balances": {"USD": "100000"}},
        "risk": {"max_order_notional": "60000"},
    }
    home = tmp_path_factory.mktemp("home")
    return write_report(session.run(config, switch=InProcessSwitch(), home=home).folder)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_report_is_whole_offline_and_can_be_read_by_all(
    report: Path, size: tuple[int, int], is_dark: bool
) -> None:
    with browser_page(size, is_dark=is_dark) as watched:
        watched.open(report)
        watched.shows("#trip-count", "round trips, net")
        assert watched.page.locator("#equity-chart canvas").count() == 1
        assert watched.page.locator("#price-chart canvas").count() == 1
        assert watched.fits()
        assert watched.accessibility() == []
        assert watched.asked == [report.resolve().as_uri()]


@pytest.fixture
def watched(report: Path) -> Iterator[Watched]:
    with browser_page() as found:
        found.open(report)
        found.shows("#trip-count", "round trips, net")
        yield found


def column(watched: Watched, number: int) -> list[str]:
    cells = watched.page.locator(f".trips tbody tr.trip td:nth-child({number})")
    return [str(each) for each in cells.all_text_contents()]


def amount(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").replace("+", ""))


def test_trips_are_sorted_and_filtered(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("button", name="Net", exact=True).click()
    nets = [amount(each) for each in column(watched, 10)]
    assert nets == sorted(nets)
    assert nets[0] < 0
    page.get_by_role("button", name="Net ▲").click()
    nets = [amount(each) for each in column(watched, 10)]
    assert nets == sorted(nets, reverse=True)
    assert page.locator("th[aria-sort=descending]").count() == 1
    page.get_by_label("Outcome").select_option("lost")
    assert all(amount(each) < 0 for each in column(watched, 10))
    page.get_by_label("Outcome").select_option("all")
    page.get_by_label("Find").fill("acm")
    assert set(column(watched, 2)) == {"ACME"}
    watched.shows("#trip-count", " of ")
    page.get_by_label("Find").fill("no such symbol")
    assert column(watched, 2) == []


def test_a_trip_shows_the_bars_around_it_and_its_orders(watched: Watched) -> None:
    page = watched.page
    button = page.get_by_role("button", name="Round trip 2", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    watched.shows(".close-up h3", "UTC")
    assert page.locator(".close-up canvas").count() == 1
    orders = page.get_by_role("region", name="Orders of the trip").locator("tbody tr")
    assert orders.count() >= 2
    assert button.get_attribute("aria-expanded") == "true"
    assert watched.accessibility() == []
    page.keyboard.press("Enter")
    assert page.locator(".close-up").count() == 0


def test_one_zoom_holds_for_all_charts_of_the_session(watched: Watched) -> None:
    page = watched.page
    before = page.locator("#price-chart").screenshot()
    page.focus("#equity-chart")
    for _ in range(3):
        page.keyboard.press("+")
    wait_until(
        lambda: page.locator("#price-chart").screenshot() != before, "the other chart to zoom too"
    )
    page.keyboard.press("0")
    page.get_by_role("button", name="ACME", exact=True).click()
    watched.shows("#price-note", "ACME")


def test_without_scripts_the_figures_and_trips_are_there(report: Path) -> None:
    with browser_page(has_scripts=False) as watched:
        watched.open(report)
        assert "Net result" in (watched.page.text_content(".tiles") or "")
        assert "round trips; trips.csv has all" in (watched.page.text_content("#trips") or "")
        assert watched.page.locator("#trips tbody tr").count() > 10


@pytest.mark.parametrize("make", [silent, halted], ids=["no trade", "halted"])
def test_sessions_with_nothing_to_draw_are_told_so(tmp_path: Path, make: Any) -> None:
    with browser_page(PHONE) as watched:
        watched.open(write_report(make(tmp_path).folder))
        assert watched.fits()
        assert watched.accessibility() == []


class Hostile(Strategy):
    """Writes hostile words wherever a strategy can write."""

    def __init__(self) -> None:
        self.seen = 0

    def on_bar(self, context: Context, bar: Any) -> Any:
        self.seen += 1
        context.plot(HOSTILE, self.seen)
        side = Side.BUY if self.seen % 2 else Side.SELL
        return market(side, 1, tag=HOSTILE + "x" * 20)


def test_words_of_a_stranger_run_nothing_and_break_no_line(tmp_path: Path) -> None:
    with browser_page(PHONE) as watched:
        watched.open(write_report(run(tmp_path, Hostile(), 8).folder))
        watched.shows("#trip-table", HOSTILE)
        assert watched.page.title() == "small · logos report"
        assert watched.fits()
