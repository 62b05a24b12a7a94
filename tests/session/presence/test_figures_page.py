"""The file of a session's figures: what is in it, when it is written, and what is no such file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from live_session_helpers import ScriptedFeed, TickingClock, live
from session_helpers import ListFeed, session_config

from logos import session
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.strategy import market
from logos.core.types import Side
from logos.session.presence import figures
from logos.session.presence.page import MetricsPage, PageError, metrics_path, read_page
from logos.testing.builders import Always, Scripted, quote

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
SECOND_NS = 1_000_000_000


def ticks(count: int) -> list[object]:
    return [quote(ACME, number * SECOND_NS, "10.00", "10.02") for number in range(1, count + 1)]


def recorded(home: Path, count: int = 30, **tables: object) -> MetricsPage:
    """The last page of a session on recorded data that ordered at each tick, too much at one."""
    answers = Scripted({1: market(Side.BUY, 1), 5: market(Side.BUY, 10**9)})
    result = session.run(
        session_config(session={"id": "figures"}, **tables),
        strategy=answers,
        feed=ListFeed(ticks(count), 10),  # type: ignore[arg-type]
        switch=InProcessSwitch(),
        home=home,
    )
    assert result.exit_code == 0
    return read_page(metrics_path("figures", home))


def test_a_session_on_recorded_data_leaves_its_last_figures(tmp_path: Path) -> None:
    page = recorded(tmp_path)
    assert (page.status, page.exit_code, page.mode, page.is_live) == ("ENDED", 0, "paper", False)
    assert (page.ticks, page.orders, page.fills, page.refused) == (30, 1, 1, 1)
    assert page.refusals
    assert set(page.refusals.values()) == {1}
    assert page.pid == os.getpid()
    (acme,) = page.risk.symbols
    assert (acme.symbol, acme.position_units) == ("ACME", 1)
    assert acme.entry_units == 1002 * 10**8, "at the ask, in eight decimals more than a price has"
    assert acme.entry_decimals == 10
    (usd,) = page.risk.currencies
    assert usd.equity_units == (
        usd.initial_units + usd.realised_units - usd.fees_units + usd.unrealised_units
    )
    journal = tmp_path / "runs" / "live" / "sessions" / "figures" / "state.jsonl"
    assert page.journal.size_bytes == journal.stat().st_size
    assert page.journal.records == len(journal.read_bytes().splitlines())
    assert page.journal.syncs >= 1
    assert page.journal.sync_ns >= page.journal.sync_max_ns > 0
    assert (page.inputs, page.market, page.feeds, page.symbols) == (None, None, [], ())


@pytest.mark.long
def test_latencies_come_with_counts_up_to_rising_bounds(tmp_path: Path) -> None:
    took = recorded(tmp_path).latency["tick to decision"]
    assert took.count == 3, "of each batch of ten one is timed"
    bounds, counts = zip(*took.buckets, strict=True)
    assert list(bounds) == sorted(set(bounds))
    assert list(counts) == sorted(counts)
    assert counts[-1] == took.count
    assert took.p50_ns <= took.p90_ns <= took.p99_ns <= took.max_ns <= took.sum_ns


@pytest.mark.long
def test_a_running_session_says_so_and_is_shown_about_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    show = figures.SessionFigures.show

    def shown(self: figures.SessionFigures, *how: object) -> None:
        show(self, *how)  # type: ignore[arg-type]
        seen.append(read_page(metrics_path("figures", tmp_path)).status)

    monkeypatch.setattr(figures.SessionFigures, "show", shown)
    monkeypatch.setattr(figures, "EVERY_S", 0.0)
    recorded(tmp_path)
    assert seen == ["RUNNING"] * (len(seen) - 1) + ["ENDED"]
    assert len(seen) >= 4
    monkeypatch.setattr(figures, "EVERY_S", 3600.0)
    seen.clear()
    recorded(tmp_path / "other")
    assert seen == ["ENDED"]


def test_an_engaged_switch_is_shown_with_its_time(tmp_path: Path) -> None:
    switch = InProcessSwitch()
    switch.engage("drill", "operator")
    session.run(
        session_config(session={"id": "figures"}, switch={"on_engaged": "block"}),
        strategy=Always(market(Side.BUY, 1)),
        feed=ListFeed(ticks(4)),  # type: ignore[arg-type]
        switch=switch,
        home=tmp_path,
    )
    page = read_page(metrics_path("figures", tmp_path))
    assert (page.switch.state, page.switch.is_engaged) == ("ENGAGED", True)
    assert (page.switch.engaged_ns, page.blocked, page.orders) == (SECOND_NS, 4, 0)


@pytest.mark.long
def test_a_live_session_has_its_inbox_its_feeds_and_its_inputs_too(tmp_path: Path) -> None:
    clock = TickingClock()
    live(tmp_path, ScriptedFeed(clock, 20), clock)
    page = read_page(metrics_path("live", tmp_path))
    assert page.is_live
    assert page.status == "ENDED"
    assert page.market is not None
    assert page.market.events == 20
    assert page.market.size >= page.market.peak_waiting >= 1
    assert page.inputs is not None
    assert page.inputs.size_bytes > 0
    assert page.latency["feed to strategy"].count >= 20
    assert [each.name for each in page.symbols] == ["AAA", "BBB"]
    assert sum(each.orders for each in page.symbols) == page.orders == 20


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:-10], "not a page of figures"),
        (lambda text: b"", "not a page of figures"),
        (lambda text: text.replace(b'"schema":1', b'"schema":2'), "schema 2, and this reads 1"),
        (lambda text: b"[" * 100_000, "not a page of figures"),
    ],
)
def test_what_is_no_page_is_told(tmp_path: Path, change: object, words: str) -> None:
    recorded(tmp_path)
    path = metrics_path("figures", tmp_path)
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(PageError, match=words):
        read_page(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        read_page(path)


def test_every_limit_that_is_set_is_there_with_its_used_part_and_action(tmp_path: Path) -> None:
    total = {"max_gross_exposure": "100", "max_drawdown": "50"}
    recorded(
        tmp_path, risk={"unlimited": True, "total": total, "actions": {"max_drawdown": "halt"}}
    )
    page = json.loads(metrics_path("figures", tmp_path).read_bytes())
    found = {each["guard"]: (each["ratio"], each["action"]) for each in page["risk"]["guards"]}
    # One share, bought at 10.02 and worth its bid of 10.00.
    assert found == {"GROSS_EXPOSURE": (0.1, "refuse"), "MAX_DRAWDOWN": (0.0004, "halt")}
