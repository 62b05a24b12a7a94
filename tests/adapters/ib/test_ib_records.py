"""Words, times and addresses of a gateway, read exactly or not at all."""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

from decimal import Decimal
from typing import Any

import pytest
from venue_tools import share

from logos.adapters.ib.address import address_of
from logos.adapters.ib.messages import Listed, moment_ns
from logos.adapters.ib.records import Records
from logos.core.types import OrderStatus
from logos.venues.contract import Refused, VenueOrder
from logos.venues.ids import ClientIds, IdRule
from logos.venues.records import Unreadable


def read(*, is_open: bool = True, refusal: str = "", **changes: object) -> VenueOrder:
    fields: dict[str, object] = {
        "order_id": 7, "client_id": 1, "perm_id": 99, "con_id": 1, "account": "DU1",
        "order_ref": "s-1-1", "action": "BUY", "kind": "LMT", "quantity": Decimal(10),
        "limit": Decimal("13.27"), "status": "Submitted", "filled": Decimal(0),
    }  # fmt: skip
    records = Records({"AAPL": share()}, {1: "AAPL"}, ClientIds(IdRule(36, True), "s-1"))
    listed = Listed(**(fields | changes))  # type: ignore[arg-type]
    return records.order(listed, is_open=is_open, refusal=refusal)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "Sleeping"}, "status 'Sleeping' is unknown"),
        ({"kind": "TRAIL"}, "'BUY' 'TRAIL' is unknown"),
        ({"action": "SSHORT"}, "'SSHORT' 'LMT' is unknown"),
        ({"filled": None}, "what of order 99 filled was not told"),
        ({"quantity": Decimal("0.5")}, "set a finer lot"),
        ({"limit": Decimal("13.275")}, "set a finer tick"),
        ({"status": "PendingSubmit"}, "has not said yet that it has order s-1-1"),
        ({"status": "ApiPending"}, "has not said yet that it has order s-1-1"),
    ],
)
def test_what_is_unknown_of_an_order_of_ours_is_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(**changes)


def test_a_strangers_order_of_any_kind_is_listed() -> None:
    told = read(order_ref="", kind="TRAIL", quantity=Decimal("0.5"))
    assert (told.client_order_id, told.quantity_units) == ("", 0)
    assert told.reason == "BUY TRAIL 0.5"


@pytest.mark.parametrize(
    ("status", "is_open", "refusal", "filled", "expected"),
    [
        ("PreSubmitted", True, "", "0", OrderStatus.ACCEPTED),
        ("Submitted", True, "", "4", OrderStatus.PARTIALLY_FILLED),
        ("PendingCancel", True, "", "0", OrderStatus.ACCEPTED),
        ("Inactive", True, "", "0", OrderStatus.ACCEPTED),
        ("Inactive", False, "", "0", OrderStatus.CANCELLED),
        ("Inactive", False, "201: no", "0", OrderStatus.REJECTED),
        ("Inactive", False, "201: no", "4", OrderStatus.CANCELLED),
        ("ApiCancelled", False, "", "0", OrderStatus.CANCELLED),
        ("Filled", False, "", "10", OrderStatus.FILLED),
    ],
)
def test_every_status_of_the_documentation_has_its_meaning(
    status: str, is_open: bool, refusal: str, filled: str, expected: OrderStatus
) -> None:
    told = read(status=status, is_open=is_open, refusal=refusal, filled=Decimal(filled))
    assert told.status is expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20260413 15:27:04 US/Eastern", 1_776_108_424),
        ("20260610-19:58:22", 1_781_121_502),
        ("20260101 00:00:00 UTC", 1_767_225_600),
    ],
)
def test_a_moment_is_that_of_its_zone(text: str, seconds: int) -> None:
    assert moment_ns(text) == seconds * 10**9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20230224  12:04:56", "UTC format"),
        ("20260413 15:27:04 Nowhere/Town", "time is"),
        ("20261413-15:27:04", "time is"),
        ("", "time is"),
    ],
)
def test_a_moment_without_its_zone_is_not_guessed(text: str, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        moment_ns(text)


@pytest.mark.parametrize(
    ("url", "sandbox", "expected"),
    [
        ("", True, ("127.0.0.1", 4002, 1, "")),
        ("", False, ("127.0.0.1", 4001, 1, "")),
        ("tcp://127.0.0.1:7497", True, ("127.0.0.1", 7497, 1, "")),
        ("tcp://localhost:7497/9", True, ("localhost", 7497, 9, "")),
        ("tcp://127.0.0.1/9/DU1", False, ("127.0.0.1", 4001, 9, "DU1")),
    ],
)
def test_an_address_names_place_client_and_account(
    url: str, sandbox: bool, expected: tuple[str, int, int, str]
) -> None:
    address, account = address_of(url, sandbox)
    assert (address.host, address.port, address.client_id, account) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("tcp://127.0.0.1:1/0", "tcp://127.0.0.1:1/x", "tcp://127.0.0.1:1/1/DU1/more"),
        *("https://127.0.0.1:1/1", "tcp://10.0.0.1:1/1", "tcp://127.0.0.1:99999"),
    ],
)
def test_an_address_that_is_none_or_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(Refused, match=r"venue\.url"):
        address_of(url, True)
