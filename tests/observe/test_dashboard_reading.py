"""What the dashboard reads: bounded, from inside of the workspace, and whatever lies there."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from dashboard_helpers import OPEN, MadeSession, ask, line, order, update
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.files import open_regular
from logos.observe.dashboard import backwards
from logos.observe.dashboard import curve as curve_module
from logos.observe.dashboard import journal as journal_module
from logos.observe.dashboard.app import Dashboard
from logos.observe.dashboard.backwards import Backwards
from logos.observe.dashboard.curve import BUCKETS_MAX, Curve, Curves, Point
from logos.observe.dashboard.inside import LEADS_OUT, Inside
from logos.observe.dashboard.journal import JournalView
from logos.observe.dashboard.log import LINES_MAX


@pytest.fixture
def made(tmp_path: Path) -> MadeSession:
    return MadeSession(tmp_path)


def snapshot(made: MadeSession) -> dict[str, Any]:
    answer = ask(Dashboard(made.home, OPEN), f"/api/sessions/{made.name}")
    assert answer.status == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


# ---- lines from the end ----


@pytest.mark.long
@settings(max_examples=60)
@given(
    lines=st.lists(st.binary(max_size=12).map(lambda each: each.replace(b"\n", b"")), max_size=12),
    torn=st.sampled_from([b"", b"torn"]),
    block=st.integers(1, 20),
    bytes_max=st.integers(1, 40),
    taken=st.integers(1, 4),
)
def test_lines_are_read_from_the_end_each_once_and_a_torn_one_never(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
    torn: bytes,
    block: int,
    bytes_max: int,
    taken: int,
) -> None:
    path = tmp_path_factory.mktemp("lines") / "log"
    path.write_bytes(b"".join(each + b"\n" for each in lines) + torn)
    found: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        patch.setattr(backwards, "BLOCK_BYTES", block)
        place: int | None = None
        while place != 0:
            reader = Backwards(file, place)
            for number, each in enumerate(reader.lines(bytes_max), start=1):
                found.append(each)
                if number == taken:
                    break
            assert place is None or reader.place < place
            place = reader.place
    assert found == lines[::-1]


def test_a_line_that_is_too_long_is_left_out_and_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n" + b"x" * (8 << 20) + b"\nlast\n")
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            assert list(Backwards(file).lines(16 << 20)) == [b"last", b"first"]
            assert tracemalloc.get_traced_memory()[1] < 4 << 20
        finally:
            tracemalloc.stop()


# ---- the curve ----


def test_a_curve_is_bounded_and_keeps_first_last_lowest_and_highest() -> None:
    curve = Curve()
    values = [1_000 + (number * 7919) % 997 for number in range(50_000)]
    values[12_345], values[33_333] = 3, 9_999
    for number, value in enumerate(values):
        curve.add(Point(float(number), float(value), 0.0))
    points = curve.points()
    assert len(points) <= 2 * BUCKETS_MAX + 2
    assert [points[0].time_s, points[-1].time_s] == [0.0, 49_999.0]
    assert Point(12_345.0, 3.0, 0.0) in points
    assert Point(33_333.0, 9_999.0, 0.0) in points
    assert points == sorted(points)


def test_the_curve_of_a_session_follows_its_samples(made: MadeSession) -> None:
    made.account(100.0, 90.0)
    curves = Curves(made.folder / "account.csv", open_regular)
    curves.read()
    [curve] = curves.as_json()
    assert (curve["currency"], curve["equity"], curve["drawdown"]) == ("USD", [100, 90], [0, 10])
    made.account(100.0, 90.0, 120.0)  # and what is no row is passed over
    with (made.folder / "account.csv").open("a") as file:
        file.write("nonsense,USD,x\n\n")
    curves.read()
    assert curves.as_json()[0]["equity"][-1] == 120
    (made.folder / "account.csv").write_text("time,currency,equity,high_water\n")  # made anew
    curves.read()
    assert curves.as_json() == []


# ---- the journal ----


def test_open_orders_ended_orders_fills_and_history_are_those_of_the_journal(
    made: MadeSession,
) -> None:
    made.add(order(2, 1), order(3, 2, side="SELL", type="MARKET", limit_price_units=0, tag="exit"))
    made.add(update(4, 1, "ACCEPTED"), update(5, 1, "PARTIALLY_FILLED", filled_units=5))
    fill = {"fill_id": 1, "order_id": 2, "symbol": "AAA", "side": "SELL", "quantity_units": 15}
    decimals = {"price_decimals": 2, "quantity_decimals": 1, "money_decimals": 2}
    fill |= {"price_units": 10_060, "fee_units": 12, "realised_units": -34, "currency": "USD"}
    made.add(line(6, "fill", **fill, **decimals, liquidity="TAKER"))
    made.add(update(7, 2, "FILLED", filled_units=15, fee_units=12))
    made.add(line(8, "switch", state="ENGAGED", reason="by a test", epoch=4))
    found = snapshot(made)
    [still_open] = found["orders"]["open"]
    assert (still_open["quantity"], still_open["filled"], still_open["limit_price"]) == (
        *("1.5", "0.5", "100.50"),
    )
    [ended] = found["orders"]["ended"]
    assert (ended["status"], ended["fee"], ended["tag"]) == ("FILLED", "0.12", "exit")
    [filled] = found["orders"]["fills"]
    assert (filled["price"], filled["realised"]) == ("100.60", "-0.34")
    [seen] = found["history"]
    assert (seen["what"], seen["text"], seen["epoch"]) == ("SWITCH ENGAGED", "by a test", 4)
    assert found["place"].startswith(f"{made.journal.stat().st_size}@")


def test_of_a_long_journal_the_end_is_taken_whole_and_the_history_all(tmp_path: Path) -> None:
    made = MadeSession(tmp_path)
    made.add(line(2, "switch", state="ENGAGED", reason="long ago"), order(3, 1))
    made.add(*(line(number, "note", text="x" * 50) for number in range(4, 12_000)))
    made.add(order(12_001, 2))
    view = JournalView(made.journal, open_regular, end_bytes=64 << 10)
    view.read()
    assert view.is_partial
    assert [each["id"] for each in view.orders()["open"]] == [2]
    assert [each["text"] for each in view.history()] == ["long ago"]
    assert view.place[0] == made.journal.stat().st_size


def test_a_journal_that_was_cut_back_is_read_anew(made: MadeSession) -> None:
    made.add(order(2, 1))
    whole = made.journal.stat().st_size
    made.add(order(3, 2))
    view = JournalView(made.journal, open_regular)
    view.read()
    assert [each["id"] for each in view.orders()["open"]] == [2, 1]
    os.truncate(made.journal, whole)
    made.add(order(3, 7))
    view.read()
    assert [each["id"] for each in view.orders()["open"]] == [7, 1]


@pytest.mark.long
def test_a_journal_and_samples_ten_times_as_long_take_no_more_memory(
    made: MadeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (curve_module, journal_module):
        monkeypatch.setattr(module, "_BYTES_AT_ONCE", 64 << 10)
    row = "2026-01-05T00:00:00.000000000Z,USD,0,0,100,0,0,0,{},120\n"
    rows = "".join(row.format(number % 97) for number in range(300))
    records = b"".join(order(number, number) for number in range(300))
    made.account(100.0)

    def peak_bytes() -> int:
        tracemalloc.start()
        try:
            view = JournalView(made.journal, open_regular, end_bytes=256 << 10)
            curves = Curves(made.folder / "account.csv", open_regular)
            view.read()
            curves.read()
            assert view.place[0] == made.journal.stat().st_size
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def grow(times: int) -> None:
        with (made.folder / "account.csv").open("a") as file:
            file.write(rows * times)
        made.add(records * times)

    grow(4)
    small = peak_bytes()
    grow(36)
    assert peak_bytes() < small * 1.2


def test_lines_that_are_no_records_are_counted_and_harm_nothing(made: MadeSession) -> None:
    made.add(b'{"seq":2,"body":{"kind":"order","order_id":"one"}}\n', b"\xff\x00 nonsense\n")
    made.add(b'{"seq":3,"body":{"kind":"fill","price_units":1,"price_decimals":999999999}}\n')
    made.add(b'{"seq":4,"body":{"kind":"account","equity_units":1,"money_decimals":-5}}\n', b"{}\n")
    made.add(order(5, 1))
    found = snapshot(made)
    assert found["unreadable"] == 3
    assert len(found["orders"]["open"]) == 1


# ---- the log ----


def log_line(number: int, action: str = "ORDER_NEW", **fields: object) -> dict[str, object]:
    whole = {"timestamp": "2026-01-05T14:00:00.000000000Z", "tick_id": number, "symbol": "AAA"}
    return {**whole, "action": action, "reason": "", **fields}


def log_page(made: MadeSession, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = ask(
        Dashboard(made.home, OPEN), f"/api/sessions/{made.name}/log?{query}"
    ).json()
    return found


def test_the_log_is_paged_from_its_end_each_line_once(made: MadeSession) -> None:
    made.log(*(log_line(number) for number in range(1, 2 * LINES_MAX + 51)))
    seen: list[int] = []
    page = log_page(made)
    while True:
        seen += [each["tick"] for each in page["lines"]]
        if page["next"] is None:
            break
        page = log_page(made, f"before={page['next']}")
    assert seen == list(range(2 * LINES_MAX + 50, 0, -1))


@pytest.mark.parametrize(
    ("query", "ticks"),
    [
        ("level=error", [5, 2]),
        ("level=warning", [5, 3, 2]),
        ("level=info", [5, 3, 2, 1]),
        ("level=", [5, 4, 3, 2, 1]),
        ("event=REFUSED", [3]),
        ("symbol=BBB", [3]),
        ("text=max_pos", [3]),
        ("text=%2312", [1]),
        ("level=warning&symbol=AAA", [5, 2]),
        ("symbol=%3Cscript%3E", []),
    ],
)
def test_filters_choose_lines(made: MadeSession, query: str, ticks: list[int]) -> None:
    made.log(
        log_line(1, order={"order_id": 12, "side": "BUY"}),
        log_line(2, "GUARD_HALT", reason="MAX_DRAWDOWN"),
        log_line(3, "REFUSED", symbol="BBB", reason="MAX_POSITION"),
        log_line(4, "NO_SIGNAL"),
        log_line(5, "SWITCH", reason="[KILL_SWITCH] ENGAGED at tick #5: x"),
    )
    with (made.home / "logos" / "logs" / "made.jsonl").open("ab") as file:
        file.write(b"not json\n{torn")
    page = log_page(made, query)
    assert [each["tick"] for each in page["lines"]] == ticks
    assert page["unreadable"] == 1


@pytest.mark.parametrize("query", ["before=-1", "before=x", "before=" + "9" * 30, "level=loud"])
def test_a_question_that_makes_no_sense_is_refused(made: MadeSession, query: str) -> None:
    made.log(log_line(1))
    assert ask(Dashboard(made.home, OPEN), f"/api/sessions/made/log?{query}").status == 400


# ---- what is not there, or leads outside ----


@pytest.mark.parametrize("name", ["nobody", "..", "a%2Fb", ".hidden", "x" * 65, "<script>", "nul"])
def test_what_is_no_session_is_not_found(made: MadeSession, name: str) -> None:
    for path in (f"/api/sessions/{name}", f"/api/sessions/{name}/log", f"/report/{name}"):
        assert ask(Dashboard(made.home, OPEN), path).status == 404


def test_no_link_that_leads_out_of_the_workspace_is_followed(tmp_path: Path) -> None:
    home = tmp_path / "desk"
    home.mkdir()
    outside = tmp_path / "secret"
    outside.write_text('{"timestamp":"the secret"}\n')
    made, other = MadeSession(home), MadeSession(home, "other")
    log = made.log(log_line(1))
    log.unlink()
    log.symlink_to(outside)
    (made.folder / "report.html").symlink_to(outside)
    (other.folder / "state.jsonl").unlink()
    (other.folder / "state.jsonl").symlink_to(outside)
    dashboard = Dashboard(home, OPEN)
    for path in ("made", "made/log", "other", "other/orders"):
        answer = ask(dashboard, f"/api/sessions/{path}")
        assert answer.status == 403
        assert LEADS_OUT in answer.json()["error"]
    assert ask(dashboard, "/report/made").status == 403
    listed = {each["id"]: each for each in ask(dashboard, "/api/sessions").json()["sessions"]}
    assert {each["problem"] for each in listed.values()} == {LEADS_OUT}
    assert "secret" not in json.dumps(listed).replace(str(home), "")


def test_a_link_inside_of_the_workspace_is_followed_and_a_pipe_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"here")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    inside = Inside(tmp_path)
    assert inside.read(tmp_path / "link", 10) == b"here"
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match="not a file"):
            inside.open(tmp_path / name)
    with pytest.raises(OSError, match="larger than 3 bytes"):
        inside.read(tmp_path / "real", 3)


def test_a_pipe_in_the_place_of_a_sessions_page_holds_up_nobody(made: MadeSession) -> None:
    os.mkfifo(made.folder / "session.md")
    (made.folder / "host.json").write_text("{}")
    (made.folder / "state.json").write_text('{"status":"ENDED"}')
    assert snapshot(made)["session"]["status"] == "ENDED"


def test_damaged_files_are_said_and_the_list_goes_on(tmp_path: Path) -> None:
    bad, good = MadeSession(tmp_path, "bad"), MadeSession(tmp_path, "good")
    (bad.folder / "host.json").write_text("not json")
    good.figures()
    page = bad.figures()
    page.write_text('{"schema": 1')
    found = ask(Dashboard(tmp_path, OPEN), "/api/sessions").json()["sessions"]
    sessions = {each["id"]: each for each in found}
    assert sessions["bad"]["status"] == "UNKNOWN"
    assert "host.json cannot be read" in sessions["bad"]["problem"]
    assert sessions["good"]["currencies"][0]["equity"] == "999.50"


def test_hostile_words_come_as_data(tmp_path: Path) -> None:
    made = MadeSession(tmp_path)
    word = "<script>alert(1)</script>=cmd|' /C calc'!A0"
    made.figures(strategy=word)
    made.add(order(2, 1, symbol=word, tag=word))
    answer = ask(Dashboard(tmp_path, OPEN), "/api/sessions/made")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["orders"]["open"][0]["symbol"] == word
    assert answer.json()["session"]["strategy"] == word
