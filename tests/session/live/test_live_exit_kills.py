"""A session that is killed between the cancel of its target and its stop: nothing is sold twice.

Really killed (SIGKILL), at an exchange that outlives it, through the real ccxt.
"""

from __future__ import annotations

import signal
from collections import Counter
from decimal import Decimal
from pathlib import Path

import exit_process
import pytest

from logos.audit.verify import verify
from logos.core.types import SessionStatus

LOT = Decimal("0.00001")


@pytest.mark.campaign
@pytest.mark.timeout(180)
@pytest.mark.parametrize("moment", exit_process.MOMENTS)
def test_a_kill_between_cancel_and_stop_sells_what_is_held_once(
    tmp_path: Path, moment: str
) -> None:
    with exit_process.local_exchange() as (url, account):
        code = exit_process.run_and_die(tmp_path, url, moment)
        assert code == -signal.SIGKILL
        left = [order for order in account.orders if order.side == "SELL"]
        assert len(left) == 1 + (moment == "the stop was sent")

        def is_flat() -> bool:
            return account.total("BTC") < LOT

        ended = exit_process.resume_it(tmp_path, url, is_flat)
        assert ended.status is SessionStatus.ENDED, ended.reason
        assert is_flat()
        sold = sum(each.filled for each in account.orders if each.side == "SELL")
        bought = sum(each.filled for each in account.orders if each.side == "BUY")
        assert bought - LOT < sold + LOT
        assert sold <= bought
        assert max(Counter(order.client_id for order in account.orders).values()) == 1
        assert not any(order.is_open for order in account.orders)
    assert verify(ended.folder).exit_code == 0
