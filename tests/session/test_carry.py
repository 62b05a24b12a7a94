"""A new paper session goes on with what an ended one holds, to the last digit."""

from __future__ import annotations

import itertools
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from carry_helpers import BEGIN, SCRIPT, few, folder_of, rows, small, stop_after, trade
from session_helpers import ListFeed

from logos import session
from logos.analysis import analyse
from logos.audit.verify import verify
from logos.config import make_config
from logos.core.instrument import instrument
from logos.core.messages import Event, Flatten, Quote
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import Side
from logos.errors import ConfigError
from logos.session.carrying.books import CarryError
from logos.session.restoring import CannotResumeError
from logos.testing.builders import Scripted, quote

HOUR = 3_600 * 10**9
FEES = {"taker": "0.0007", "decimals": 4}
INSTRUMENTS: dict[str, Any] = {
    "PERP": {
        "quote": "USD",
        "tick": "0.1",
        "lot": "1",
        "settlement": "margin",
        "borrow_rate": "0.1",
        "funding": {"rate": "0.0001"},
        "fees": FEES,
    },
    "ACME": {"quote": "USD", "tick": "0.01", "lot": "1", "borrow_rate": "0.05", "fees": FEES},
    "COIN": {
        "quote": "BTC",
        "base": "XBT",
        "tick": "0.5",
        "lot": "1",
        "settlement": "inverse",
        "multiplier": "100",
        "fees": FEES | {"decimals": 8},
    },
}
TRADED = {
    "PERP": instrument("PERP", tick="0.1", lot="1", quote="USD", settlement="margin"),
    "ACME": instrument("ACME", tick="0.01", lot="1", quote="USD"),
    "COIN": instrument(
        symbol="COIN",
        tick="0.5",
        lot="1",
        quote="BTC",
        base="XBT",
        settlement="inverse",
        multiplier="100",
    ),
}


def settings(session_id: str, **tables: Any) -> dict[str, Any]:
    return {
        "session": {"id": session_id, "sample_interval_s": 3600},
        "risk": {"unlimited": True, "total": {"max_daily_loss": "900000"}},
        "instruments": INSTRUMENTS,
        "account": {
            "balances": {"USD": "300000", "BTC": "5", "ACME": "3"},
            "borrow": {"USD": "100000", "ACME": "5000"},
            "interest": {"USD": "0.06"},
        },
        **tables,
    }


class Memoryless(Strategy):
    """What it does follows from the quote alone, so it does the same in one session and in two."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        place = quote.ts_ns // HOUR
        side = Side.BUY if place * 7 % 5 < 2 else Side.SELL
        return market(side, 1 + place % 4) if place % 3 else None


def events(count: int) -> list[Event]:
    found: list[Event] = []
    for number in range(1, count + 1):
        price = 100 + number * 7 % 13
        for place, (symbol, traded) in enumerate(TRADED.items()):
            spread = ("0.5", "1.0") if symbol == "COIN" else ("0.1", "0.3")
            low, high = f"{price}.{spread[0][2:]}", f"{price + int(spread[1][0])}.{spread[1][2:]}"
            found.append(quote(traded, BEGIN + number * HOUR + place, low, high))
    return found


def run(home: Path, session_id: str, part: list[Event], **options: Any) -> session.SessionResult:
    tables = options.pop("tables", {})
    return session.run(
        make_config(settings(session_id, **tables)),
        strategy=Memoryless(),
        feed=ListFeed(part),
        home=home,
        **options,
    )


def books(result: session.SessionResult) -> dict[str, Any]:
    """Everything that a session ends with, the ids and numbers of its own orders aside."""
    state = json.loads((result.folder / "state.json").read_bytes())
    return {
        "wallets": state["wallets"],
        "positions": state["positions"],
        "accounts": rows(result.folder, "account.csv")[-2:],
        "samples": rows(result.folder, "positions.csv")[-3:],
    }


@pytest.mark.long
@pytest.mark.parametrize("cuts", [(29,), (2, 26, 38)])
def test_sessions_that_carry_each_other_on_come_to_the_books_of_one(
    tmp_path: Path, cuts: tuple[int, ...]
) -> None:
    whole = events(50)
    through = run(tmp_path, "through", whole)
    parts = [0, *(3 * cut for cut in cuts), len(whole)]
    before = ""
    for number, (begin, end) in enumerate(itertools.pairwise(parts)):
        last = run(tmp_path, f"part-{number}", whole[begin:end], carry=before)
        before = last.session_id
        assert verify(last.folder).exit_code == 0
    assert through.exit_code == last.exit_code == 0
    assert books(last) == books(through)
    fills = [row for each in range(len(cuts) + 1) for row in rows_of(tmp_path, each)]
    assert [
        {**row, "fill_id": "", "order_id": "", "client_order_id": "", "tick_id": ""}
        for row in rows(through.folder, "trades.csv")
    ] == fills


def rows_of(home: Path, number: int) -> list[dict[str, str]]:
    own = {"fill_id": "", "order_id": "", "client_order_id": "", "tick_id": ""}
    return [{**row, **own} for row in rows(folder_of(home, f"part-{number}"), "trades.csv")]


@pytest.mark.long
def test_the_new_session_says_what_it_took_over_and_what_it_did_not(tmp_path: Path) -> None:
    stopped = stop_after(tmp_path, "old", 4)
    assert stopped.status.value == "STOPPED"
    new = trade(tmp_path, "new", few(5, 6), carry="old")
    [taken, left] = [
        each["detail"] for each in new.summary["warnings"] if each["code"] == "CARRIED"
    ]
    assert taken == "carries session old on: ACME 5 in 1 lots"
    assert left == "orders of old that rested are not carried: old-2"
    money = {
        name: Decimal(each)
        for name, each in rows(new.folder, "account.csv")[0].items()
        if name in ("initial", "realised", "unrealised", "fees", "equity")
    }
    assert money == {
        "initial": 10000,
        "realised": 0,
        "fees": 0,
        "unrealised": Decimal("9.90"),
        "equity": Decimal("10009.90"),
    }
    carry = json.loads((new.folder / "config.json").read_bytes())["carry"]
    assert carry["session"] == "old"
    zero = "0.00000000"
    assert carry["symbols"]["ACME"]["lots"] == [
        f"1 5 102.02 {zero} 1700000002000000000 {zero} {zero}"
    ]
    assert verify(new.folder).findings == []


@pytest.mark.long
def test_a_session_that_was_carried_on_is_neither_resumed_nor_flattened_nor_carried_again(
    tmp_path: Path,
) -> None:
    stop_after(tmp_path, "old", 4)
    trade(tmp_path, "new", few(5, 6), carry="old")
    with pytest.raises(CarryError, match="old is carried on already, by new"):
        trade(tmp_path, "other", few(5, 6), carry="old")
    assert not folder_of(tmp_path, "other").exists()
    for flatten in (None, Flatten(0, "r", "b")):
        with pytest.raises(CannotResumeError, match=r"old is carried on by new.*logos resume new"):
            session.resume(
                "old",
                strategy=Scripted(SCRIPT),
                feed=ListFeed(few(1, 9)),
                home=tmp_path,
                flatten=flatten,
            )


@pytest.mark.long
def test_a_start_that_fails_leaves_the_old_session_as_it_was(tmp_path: Path) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    with pytest.raises(ConfigError, match="no strategy"):
        session.run(make_config(small("new")), feed=ListFeed(few(5, 6)), home=tmp_path, carry="old")
    assert trade(tmp_path, "new", few(5, 6), carry="old").exit_code == 0


@pytest.mark.long
def test_a_resumed_and_a_replayed_session_hold_what_it_took_over(tmp_path: Path) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    script = {2: market(Side.SELL, 3), 5: market(Side.SELL, 2)}
    whole = few(5, 12)
    new = trade(tmp_path, "new", whole, script, carry="old")
    session.replay("new", strategy=Scripted(script), feed=ListFeed(whole), home=tmp_path)
    journal = new.folder / "state.jsonl"
    done = journal.read_bytes()
    journal.write_bytes(done[: done.index(b'"kind":"fill"')])
    (new.folder / "host.json").unlink()
    shutil.rmtree(folder_of(tmp_path, "old"))
    session.resume("new", strategy=Scripted(script), feed=ListFeed(whole), home=tmp_path)
    assert journal.read_bytes() == done
    verdict = verify(new.folder)
    assert verdict.exit_code == 0
    assert "what it carries of session old, which is not here" in verdict.not_judged


@pytest.mark.long
def test_a_crashed_session_is_carried_from_its_last_whole_record(tmp_path: Path) -> None:
    old = trade(tmp_path, "old", few(1, 9), {1: market(Side.BUY, 5), 4: market(Side.BUY, 1)})
    journal = old.folder / "state.jsonl"
    done = journal.read_bytes()
    second = done.index(b'"fill_id":2')
    journal.write_bytes(done[: second + 20])  # torn within the record
    (old.folder / "host.json").unlink()
    new = trade(tmp_path, "new", few(10, 11), carry="old")
    carry = json.loads((new.folder / "config.json").read_bytes())["carry"]
    assert carry["balances"] == {"USD": "9489.9", "ACME": "5"}
    assert carry["left"] == []


@pytest.mark.long
def test_what_guards_count_from_is_carried(tmp_path: Path) -> None:
    sink = [*few(1, 3), *few(4, 5, price=80)]
    trade(tmp_path, "old", sink, {1: market(Side.BUY, 50)})
    halts = {
        "unlimited": True,
        "actions": dict.fromkeys(("max_drawdown", "max_daily_loss"), "halt"),
    }
    limits = {**halts, "total": {"max_drawdown": "500"}}
    new = trade(tmp_path, "new", few(6, 8, price=80), carry="old", risk=limits)
    assert new.status.value == "HALTED"
    assert "equity fell" in new.reason
    day = {**halts, "total": {"max_daily_loss": "500"}}
    third = trade(tmp_path, "third", few(9, 11, price=80), carry="new", risk=day)
    assert third.status.value == "HALTED"
    assert "the day lost" in third.reason


@pytest.mark.long
def test_symbols_that_were_sold_may_be_left_out_and_totals_stay(tmp_path: Path) -> None:
    two = {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}}
    two["CORP"] = dict(two["ACME"])
    corp = instrument("CORP", tick="0.01", lot="1", quote="USD")
    part = [event for each in range(1, 6) for event in (few(each, each)[0], _corp(corp, each))]
    old = trade(
        tmp_path,
        "old",
        part,
        {1: [market(Side.BUY, 5), market(Side.BUY, 7, symbol="CORP")], 5: _sell_corp()},
        instruments=two,
    )
    assert old.summary["held"]["positions"] == {"ACME": "5"}
    new = trade(tmp_path, "new", few(6, 7), carry="old")
    ledgers = [each.summary["currencies"]["USD"]["realised"] for each in (old, new)]
    assert ledgers[0] == ledgers[1] != "0.00"
    assert verify(new.folder).exit_code == 0
    last = trade(tmp_path, "last", few(8, 9), carry="new")
    assert last.summary["currencies"]["USD"]["realised"] == ledgers[0]


def _corp(traded: Any, each: int) -> Event:
    return quote(traded, BEGIN + each * 10**9 + 1, f"{20 + each}.00", f"{20 + each}.02")


def _sell_corp() -> Any:
    return market(Side.SELL, 7, symbol="CORP")


@pytest.mark.long
def test_an_analysis_knows_when_and_at_what_the_carried_lots_were_opened(tmp_path: Path) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    new = trade(tmp_path, "new", few(5, 9), {2: market(Side.SELL, 3)}, carry="old")
    found = analyse(new.folder)
    [trip] = found.trips
    assert (trip.entry_order_id, trip.entry_ns, str(trip.entry_price)) == (
        0,
        BEGIN + 2 * 10**9,
        "102.02",
    )
    [held] = found.open_trips
    assert held.entry_ns == trip.entry_ns
    assert str(held.quantity) == "2"


PAID: dict[str, Any] = {
    "instruments": {
        "ACME": {"quote": "USD", "tick": "0.01", "lot": "1", "fees": {"taker": "0.01"}},
    }
}


@pytest.mark.long
def test_an_analysis_counts_what_the_session_itself_earned_and_paid(tmp_path: Path) -> None:
    script: dict[int, Answer] = {1: market(Side.BUY, 5), 3: market(Side.SELL, 3)}
    trade(tmp_path, "old", few(1, 10), script, **PAID)
    script = {1: market(Side.SELL, 2), 3: market(Side.BUY, 5)}
    new = trade(tmp_path, "new", few(11, 20), script, carry="old", **PAID)
    found = analyse(new.folder)
    figures, [symbol] = found.statistics, found.by_symbol
    fees = sum(Decimal(row["fee"]) for row in rows(new.folder, "trades.csv"))
    assert figures.fees == symbol.fees == fees
    assert figures.realised == symbol.realised == figures.trips.gross == Decimal("19.96")
    assert figures.before_costs == figures.net + fees + figures.slippage
    assert symbol.net == figures.net == figures.final - figures.initial
    assert figures.unrealised == symbol.unrealised == found.open_trips[0].unrealised


@pytest.mark.long
def test_an_analysis_counts_payments_of_the_session_itself(tmp_path: Path) -> None:
    lent: dict[str, Any] = {
        "instruments": {"ACME": INSTRUMENTS["ACME"]},
        "account": {"balances": {"USD": "10000"}, "borrow": {"ACME": "5000"}},
    }
    days = [BEGIN + day * 24 * HOUR for day in range(10)]
    events: list[Event] = [quote(TRADED["ACME"], ts_ns, "100.00", "100.02") for ts_ns in days]
    trade(tmp_path, "old", events[:5], {1: market(Side.SELL, 9)}, **lent)
    new = trade(tmp_path, "new", events[5:], carry="old", **lent)
    figures = analyse(new.folder).statistics
    assert figures.net < 0
    assert figures.payments == figures.net
    assert figures.before_costs == 0


@pytest.mark.long
def test_what_was_carried_and_never_traded_is_held_all_the_time(tmp_path: Path) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    found = analyse(trade(tmp_path, "new", few(5, 9), carry="old").folder)
    [symbol] = found.by_symbol
    assert symbol.position == 5
    assert symbol.exposure_ns == found.statistics.exposure_ns == found.statistics.duration_ns > 0


@pytest.mark.long
def test_what_was_carried_is_held_until_it_is_sold(tmp_path: Path) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    new = trade(tmp_path, "new", few(5, 9), {2: market(Side.SELL, 5)}, carry="old")
    found = analyse(new.folder)
    assert found.by_symbol[0].exposure_ns == found.trips[0].exit_ns - (BEGIN + 5 * 10**9)
