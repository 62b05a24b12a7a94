"""payments.csv: what time brought and cost, one row for each payment."""

from __future__ import annotations

from typing import Final

from logos.core.fixed import format_units
from logos.core.instrument import RATE_DECIMALS
from logos.core.records import PaymentRecord

PAYMENTS: Final = "payments.csv"
"""A session whose settings have no payments over time has no such file."""

PAYMENT_COLUMNS: Final = (
    "time",
    "type",
    "symbol",
    "currency",
    "quantity",
    "mark",
    "rate",
    "amount",
    "payments",
    "wallet",
)


def payment_row(payment: PaymentRecord, time: str, symbol: str, currency: str) -> str:
    """The line of a payment; its time and its names are given as cells."""
    money = payment.money_decimals
    mark = format_units(payment.mark_units, payment.price_decimals) if payment.symbol else ""
    return (
        f"{time},{payment.type},{symbol},{currency},"
        f"{format_units(payment.quantity_units, payment.quantity_decimals)},{mark},"
        f"{format_units(payment.rate_units, RATE_DECIMALS)},"
        f"{format_units(payment.amount_units, money)},"
        f"{format_units(payment.payments_units, money)},"
        f"{format_units(payment.wallet_units, money)}\n"
    )
