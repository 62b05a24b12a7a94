"""What is gathered of records does not depend on whether they come one by one or together."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.records import (
    AccountRecord,
    CommandRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    PositionRecord,
    Record,
    SwitchRecord,
    WarningRecord,
)
from logos.core.types import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from logos.session.artifacts.snapshots.gathered import Gathered


def kinds(ts_ns: int, tick_id: int) -> Iterator[Record]:
    """Records of that moment: of each kind that is gathered in a way of its own, and of others."""
    for status in (OrderStatus.NEW, OrderStatus.FILLED):
        for resized in (0, 3):
            yield OrderUpdate(ts_ns, tick_id, 1, "S", status, 0, 0, "", resized)
    named = ("S", Side.BUY)
    for epochs in ((0, 0), (1, 0), (1, 2)):
        yield OrderRecord(
            *(ts_ns, tick_id, tick_id, "c", *named, OrderType.MARKET, TimeInForce.GTC, 1, 0, 0, 1),
            *("", "", 2, 2, 2),
            fleet_epoch=epochs[0],
            claim_epoch=epochs[1],
        )
    yield PaperFillRecord(
        *(ts_ns, tick_id, 1, 1, "c", *named, 1, 1, Liquidity.TAKER, 0, "USD", 0, ()),
        *(1, 1, 1, 0, 0, 0, 2, 2, 2),
    )
    yield PositionRecord(ts_ns, "S", "USD", *[0] * 10)
    yield AccountRecord(ts_ns, "USD", *[0] * 10)
    yield SwitchRecord(ts_ns, tick_id, "SAFE", "", "tick", 0)
    yield CommandRecord(ts_ns, tick_id, "halt", "why", "who")
    yield WarningRecord(ts_ns, tick_id, "S", "CODE", "words")


RECORDS = [
    record for ts_ns in (5, 3, 7) for tick_id in (1, 0, 2) for record in kinds(ts_ns, tick_id)
]
SOME = st.lists(st.sampled_from(RECORDS), max_size=6)


@settings(max_examples=60)
@given(before=SOME, coming=SOME)
def test_records_are_gathered_together_as_one_by_one(
    before: list[Record], coming: list[Record]
) -> None:
    together, single = Gathered(), Gathered()
    for record in (*before, *coming):
        single.see(record)
    together.see_all(before)
    together.see_all(coming)
    assert together == single
