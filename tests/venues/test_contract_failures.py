"""The contract of venues, kept by every venue: what each failure means, and the connection."""

from __future__ import annotations

import pytest
from venue_box import Box
from venue_boxes import BOXES, AlpacaBox, CcxtBox
from venue_contract import QUESTIONS, every_venue, tell, times
from venue_mt5_boxes import Mt5Box, PublishedMt5Box

from logos.core.types import OrderStatus
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable, VenueError

# ---- what each failure means ----


@every_venue
def test_an_order_whose_request_was_lost_is_unknown_and_then_absent(name: str) -> None:
    async def story(there: Box) -> None:
        there.lose("submit", is_handled=False)
        with pytest.raises(OutcomeUnknown, match="s-1-1"):
            await there.submit(there.rest())
        there.recover()
        assert times(there) == 0
        assert await there.venue.find("s-1-1", there.symbol) is None

    tell(name, story)


@every_venue
def test_an_order_whose_answer_was_lost_is_unknown_and_then_found(name: str) -> None:
    async def story(there: Box) -> None:
        there.lose("submit", is_handled=True)
        with pytest.raises(OutcomeUnknown, match="s-1-1"):
            await there.submit(there.rest())
        there.recover()
        assert times(there) == 1
        assert (await there.find()).status is OrderStatus.ACCEPTED
        await there.cancel()

    tell(name, story)


@every_venue
def test_an_order_that_was_turned_away_unread_may_be_sent_again(name: str) -> None:
    async def story(there: Box) -> None:
        there.turn_away("submit")
        with pytest.raises(NotSent) as caught:
            await there.submit(there.rest())
        assert caught.value.retry_after_s > 0
        there.recover()
        assert times(there) == 0
        assert (await there.submit(there.rest())).status is OrderStatus.ACCEPTED
        assert times(there) == 1

    tell(name, story)


@pytest.mark.parametrize("name", [each for each in BOXES if each != "fake"])
def test_an_order_that_the_account_cannot_pay_for_is_refused_for_good(name: str) -> None:
    async def story(there: Box) -> None:
        with pytest.raises(Refused):
            await there.submit(there.too_big())
        assert times(there) == 0
        assert await there.venue.find("s-1-1", there.symbol) is None
        assert not await there.venue.fills_since(there.since_ns)

    tell(name, story)


@every_venue
@pytest.mark.parametrize("is_handled", [True, False])
def test_a_cancel_without_an_answer_is_unknown_and_asking_tells(
    name: str, is_handled: bool
) -> None:
    async def story(there: Box) -> None:
        await there.submit(there.rest())
        there.lose("cancel", is_handled)
        with pytest.raises(OutcomeUnknown, match="s-1-1"):
            await there.cancel()
        there.recover()
        expected = OrderStatus.CANCELLED if is_handled else OrderStatus.ACCEPTED
        assert (await there.find()).status is expected
        assert times(there) == 1

    tell(name, story)


@every_venue
def test_a_cancel_that_was_turned_away_unread_may_be_sent_again(name: str) -> None:
    async def story(there: Box) -> None:
        await there.submit(there.rest())
        there.turn_away("cancel")
        with pytest.raises(NotSent):
            await there.cancel()
        there.recover()
        assert (await there.find()).status is OrderStatus.ACCEPTED
        await there.cancel()
        assert (await there.find()).status is OrderStatus.CANCELLED

    tell(name, story)


@pytest.mark.long
@every_venue
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_without_an_answer_stays_open_and_changes_nothing(
    name: str, question: str
) -> None:
    async def story(there: Box) -> None:
        await there.submit(there.rest())
        before = await QUESTIONS[question](there)
        await there.pass_time(1.0)
        there.fall_silent()
        if name in ("ccxt", "alpaca", "alpaca coins") and question == "positions":
            assert await QUESTIONS[question](there) == {}, "a spot exchange is not asked"
            return
        with pytest.raises(Unavailable) as caught:
            await QUESTIONS[question](there)
        assert caught.value.retry_after_s >= 0
        there.recover()
        assert await QUESTIONS[question](there) == before
        assert times(there) == 1

    tell(name, story)


WORDS_OF = {
    "ccxt": CcxtBox.words,
    **dict.fromkeys(("alpaca", "alpaca coins"), AlpacaBox.words),
    "mt5 published": PublishedMt5Box.words,
}
WORDS = [
    (name, *word)
    for name in ("ccxt", "alpaca", "mt5", "mt5 shared", "mt5 published")
    for word in WORDS_OF.get(name, Mt5Box.words)
]


@pytest.mark.parametrize(("name", "question", "field", "word"), WORDS)
def test_a_word_that_nobody_knows_is_told_and_never_passed_over(
    name: str, question: str, field: str, word: str
) -> None:
    async def story(there: Box) -> None:
        await there.submit(there.rest(), "s-1-1")
        await there.submit(there.rest(), "s-1-2")
        there.fill("s-1-2", 10)
        there.swap(question, field, word)
        with pytest.raises(Unavailable, match=f"(?i){word}"):
            await QUESTIONS[question](there)

    tell(name, story)


@pytest.mark.parametrize(
    ("name", "field", "word"),
    [
        ("ccxt", "status", "SUSPENDED"),
        ("ccxt", "side", "SELL"),
        ("ccxt", "side", "SIDEWAYS"),
        ("ccxt", "type", "ICEBERG"),
        ("ccxt", "clientOrderId", "s-1-2"),
        ("ccxt", "origQty", "0.000000001"),
        ("alpaca", "status", "sleeping"),
        ("alpaca", "side", "sell"),
        ("alpaca", "side", "sideways"),
        ("alpaca", "type", "iceberg"),
        ("alpaca", "client_order_id", "s-1-2"),
        ("alpaca", "qty", "0.5"),
    ],
)
def test_an_answer_to_an_order_that_does_not_fit_it_leaves_it_unknown(
    name: str, field: str, word: str
) -> None:
    async def story(there: Box) -> None:
        there.swap("submit", field, word)
        with pytest.raises(OutcomeUnknown, match="s-1-1"):
            await there.submit(there.rest())
        assert times(there) == 1
        assert (await there.find()).status is OrderStatus.ACCEPTED

    tell(name, story)


# ---- the connection ----


@pytest.mark.long
@every_venue
def test_a_venue_that_was_closed_sends_nothing_and_closing_again_does_nothing(name: str) -> None:
    async def story(there: Box) -> None:
        before = there.requests()
        await there.venue.close()
        await there.venue.close()
        with pytest.raises((NotSent, OutcomeUnknown)):
            await there.submit(there.rest())
        with pytest.raises(VenueError):
            await there.venue.find("s-1-1", there.symbol)
        assert there.requests() == before
        assert times(there) == 0

    tell(name, story)


@every_venue
def test_the_dry_run_is_well_and_sends_no_order(name: str) -> None:
    async def story(there: Box) -> None:
        lines = await there.venue.check()
        assert lines
        assert {line.name for line in lines if not line.is_ok} <= {"BTC/USD adapter"}
        assert all(line.name and line.detail for line in lines)
        assert there.arrived() == []

    tell(name, story, is_open=name in ("mt5", "mt5 shared", "mt5 published"))
