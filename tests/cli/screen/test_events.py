"""What happens in a live session, in lines: what is shown of it, and how much at once."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from screen_helpers import NOW_NS, Shown, page, symbol

from logos.cli.screen.events import (
    Happening,
    JournalNews,
    PageNews,
    Throttle,
    Told,
    happenings,
    shown,
)
from logos.cli.screen.terminal import Colour
from logos.core.records import (
    CommandRecord,
    GuardRecord,
    LotClosure,
    OrderUpdate,
    PaperFillRecord,
    RefusalRecord,
    WarningRecord,
)
from logos.core.types import Code, Liquidity, OrderStatus, Side
from logos.journal.codec import encode_line

S = 10**9


def fill(**changes: object) -> PaperFillRecord:
    fields: dict[str, object] = {
        "ts_ns": NOW_NS,
        "tick_id": 1,
        "fill_id": 1,
        "order_id": 1,
        "client_order_id": "d-1",
        "symbol": "AAA",
        "side": Side.SELL,
        "quantity_units": 25,
        "price_units": 1_234_05,
        "liquidity": Liquidity.TAKER,
        "fee_units": 3_200,
        "currency": "USD",
        "realised_units": 50_000,
        "lots": (LotClosure(1, 25, 1_000_00, 50_000, 6_400),),
        "opened_lot_id": 0,
        "opened_units": 0,
        "position_units": 0,
        "wallet_units": 0,
        "symbol_realised_units": 0,
        "symbol_fees_units": 0,
        "price_decimals": 2,
        "quantity_decimals": 1,
        "money_decimals": 4,
        **changes,
    }
    return PaperFillRecord(**fields)  # type: ignore[arg-type]


RECORDS: list[tuple[Told, str, str]] = [
    (fill(), "FILL", "sold 2.5 AAA at 1,234.05, net +4.36 USD; flat"),
    (
        fill(side=Side.BUY, lots=(), position_units=-25, fee_units=1),
        "FILL",
        "bought 2.5 AAA at 1,234.05, fee 0.00010000; holds -2.5",
    ),
    (
        GuardRecord(NOW_NS, 1, Code.MAX_DRAWDOWN, "halt", "USD", "equity fell"),
        "GUARD",
        "MAX_DRAWDOWN USD: equity fell; action halt",
    ),
    (
        GuardRecord(NOW_NS, 1, Code.REFUSAL_STORM, "halt", "", "100 refusals in 10 s"),
        "GUARD",
        "REFUSAL_STORM: 100 refusals in 10 s; action halt",
    ),
    (CommandRecord(NOW_NS, 1, "pause", "news", "ANN", "AAA"), "COMMAND", "pause AAA by ANN: news"),
    (WarningRecord(NOW_NS, 1, "", "DUST", "a rest"), "WARNING", "DUST: a rest"),
    (
        OrderUpdate(NOW_NS, 1, 7, "AAA", OrderStatus.UNKNOWN, 0, 0, ""),
        "UNKNOWN",
        "order 7 of AAA: the venue has not said what became of it",
    ),
    (
        OrderUpdate(NOW_NS, 1, 7, "AAA", OrderStatus.REJECTED, 0, 0, "VENUE_REJECTED"),
        "REJECTED",
        "order 7 of AAA: VENUE_REJECTED",
    ),
]


@pytest.mark.parametrize(("record", "word", "text"), RECORDS, ids=lambda each: str(each)[:30])
def test_a_record_in_words(record: Told, word: str, text: str) -> None:
    (found,) = happenings([record])
    assert (found.word, found.text, found.ts_ns) == (word, text, NOW_NS)
    alarms = {"GUARD"}
    assert (found.colour is Colour.ALARM) is (word in alarms)


def test_refusals_of_one_look_are_told_together() -> None:
    codes = [Code.ORDER_RATE] * 3 + [Code.PRICE_COLLAR]
    (found,) = happenings([RefusalRecord(NOW_NS, 1, "AAA", code, "words") for code in codes])
    assert (found.word, found.text, found.weight) == ("REFUSED", "ORDER_RATE 3, PRICE_COLLAR 1", 4)


def line_of(record: msgspec.Struct) -> bytes:
    return encode_line(1, b"\0" * 32, msgspec.json.encode(record))


def test_only_what_comes_from_now_on_is_read_and_a_journal_cut_back_is_followed_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.jsonl"
    old, new = line_of(fill()), line_of(RECORDS[2][0])
    quiet = line_of(OrderUpdate(NOW_NS, 1, 7, "AAA", OrderStatus.ACCEPTED, 0, 0, ""))
    path.write_bytes(old * 2)
    news = JournalNews(path)
    assert news.look() == []
    path.write_bytes(old * 2 + quiet + new + new[:20])
    assert [each.word for each in news.look()] == ["GUARD"]
    path.write_bytes(old)  # a resumed session cut off what had not reached the disk
    assert news.look() == []
    path.write_bytes(old + new)
    assert [each.word for each in news.look()] == ["GUARD"]
    news.close()


def test_more_than_a_look_can_take_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.write_bytes(line_of(fill()))
    news = JournalNews(path)
    assert news.look() == []
    with open(path, "ab") as file:
        file.write(line_of(fill()) * 3_000)
    first = news.look()
    assert 0 < len(first) < 1_000
    assert news.look() == []
    with open(path, "ab") as file:
        file.write(line_of(RECORDS[2][0]))
    assert [each.word for each in news.look()] == ["GUARD"]
    news.close()


def test_feeds_that_change_and_prices_that_become_too_old_are_told_once() -> None:
    def feed(state: str, detail: str = "") -> list[dict[str, object]]:
        return [
            {"feed": "box", "symbol": "AAA", "state": state, "detail": detail, "since_ns": NOW_NS}
        ]

    news = PageNews()
    stale = [symbol(is_stale=True, price_age_ns=31 * S)]
    pages = [
        page(feeds=feed("LIVE")),
        page(feeds=feed("LIVE")),
        page(feeds=feed("RETRYING", "connection reset"), symbols=stale),
        page(feeds=feed("RETRYING", "connection reset"), symbols=stale),
        page(feeds=feed("LIVE")),
    ]
    found = [[(each.word, each.text, each.colour) for each in news.look(one)] for one in pages]
    assert found == [
        [("FEED", "box AAA: LIVE", Colour.GOOD)],
        [],
        [
            ("FEED", "box AAA: RETRYING: connection reset", Colour.ALARM),
            ("STALE", "AAA: no price for 31 s", Colour.ALARM),
        ],
        [],
        [("FEED", "box AAA: LIVE", Colour.GOOD), ("FRESH", "AAA: prices come again", Colour.GOOD)],
    ]


def test_a_storm_is_a_few_lines_and_nothing_of_it_is_forgotten() -> None:
    throttle = Throttle()
    told = counted = 0
    for second in range(60):
        now_ns = NOW_NS + second * S
        news = [Happening(now_ns, "FILL", f"fill {number}") for number in range(100)]
        passed = throttle.let_through(news, now_ns)
        told += len(passed)
        counted += sum(int(each.text.split("(and ")[1].split()[0].replace(",", ""))
                       for each in passed if "(and " in each.text)  # fmt: skip
    assert told <= 5 + 30
    (rest,) = throttle.rest(NOW_NS)
    assert rest.text == f"not shown one by one: FILL {6_000 - told - counted:,}"
    assert throttle.rest(NOW_NS) == []


def test_a_storm_of_one_kind_hides_no_other() -> None:
    throttle = Throttle()
    throttle.let_through([Happening(NOW_NS, "FILL", "x")] * 100, NOW_NS)
    news = [Happening(NOW_NS, "FILL", "x"), Happening(NOW_NS, "GUARD", "y")]
    assert [each.word for each in throttle.let_through(news, NOW_NS)] == ["GUARD"]


def test_a_happening_keeps_to_its_columns_whatever_it_says() -> None:
    text = "\x1b]0;title\x07 " + "long words of a stranger " * 30
    found = shown(Happening(NOW_NS, "GUARD", text), Shown(80).terminal)
    assert found[0].startswith("08:00:00  GUARD    \\u001b]0;title\\u0007 long words")
    assert len(found) == 3
    assert all(len(line) <= 80 for line in found)
    assert found[1].startswith(" " * 19)
