"""A venue learns what an earlier run of the session has booked, before it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from logos.core.context import CoreView
from logos.core.fixed import to_decimal
from logos.journal.surveys import Survey
from logos.venues.contract import Venue


def take_up(
    venue: Venue, view: CoreView, baseline: Mapping[str, Decimal] | None, survey: Survey
) -> None:
    """Tell a venue that wants to know (`Resuming`); the session has gone through its past.

    `baseline` is what the account holds besides the session; None while nobody knows.
    """
    resume_from = getattr(venue, "resume_from", None)
    if resume_from is None or baseline is None or not survey.first_ns:
        return
    held = {
        each.asset: to_decimal(each.balance, each.decimals) + baseline.get(each.asset, Decimal(0))
        for each in view.holdings()
    }
    resume_from(held, [fill_id for _, fill_id in survey.fills], survey.first_ns)
