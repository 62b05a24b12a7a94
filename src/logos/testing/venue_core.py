"""A core that trades at a real venue, from keyword arguments: for tests of what reports do to it.

core = venue_core(Scripted({1: market(Side.BUY, 2)}), coin)
core.run([quote(coin, 1, "10.00", "10.01")])
request = outbox_of(core).take()[0]
core.run([report(ReportKind.FILLED, 2, quantity=2000, price=1001)])
"""

from __future__ import annotations

from typing import Any

from logos.core.engine import TradingCore
from logos.core.instrument import Instrument
from logos.core.messages import Report
from logos.core.outbox import Outbox
from logos.core.strategy import Strategy
from logos.core.types import ReportKind
from logos.testing.builders import paper_rules, trading_core


def venue_core(strategy: Strategy, *instruments: Instrument, **how: Any) -> TradingCore:
    """A core from the keyword arguments of `builders.trading_core`, whose orders go to an outbox
    and not to the paper market."""
    paper = trading_core(strategy, *instruments, **how)
    order_manager = paper.order_manager
    return TradingCore(
        order_manager.session_id,
        order_manager.states,
        order_manager.account,
        strategy,
        paper.switch,
        paper_rules(),
        order_manager.guards,
        how.get("seed", 0),
        how.get("params") or {},
        how.get("sample_ns", 0),
        how.get("halt_on_engage", False),
        Outbox(),
    )


def outbox_of(core: TradingCore) -> Outbox:
    """The outbox of a core that has one."""
    outbox = core.order_manager.outbox
    assert outbox is not None, "this core trades on paper"
    return outbox


def report(
    kind: ReportKind,
    ts_ns: int,
    client_order_id: str = "test-1",
    detail: str = "",
    *,
    quantity: int = 0,
    price: int = 0,
    fee: int = 0,
    is_maker: bool = False,
    fill_id: str = "",
) -> Report:
    """A venue's word of one order; quantity, price and fee in units."""
    return Report(ts_ns, kind, client_order_id, detail, quantity, price, fee, is_maker, fill_id)
