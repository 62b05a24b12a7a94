"""What `logos new` writes: a strategy, its settings and its test, with $name and $kind filled in.

They are meant to be read and then rewritten, so that they show one thing of each kind: parameters
with ranges, indicators by symbol, a size that follows from the risk, a bracket, a test of it.
"""

from __future__ import annotations

from string import Template
from typing import Final

STRATEGY: Final = Template('''\
"""$kind: buys a new high of the last closes, behind a stop and with a target."""

from decimal import Decimal
from typing import Any

from logos import Answer, Bar, Context, QuoteBar, Side, Strategy, market, param
from logos.indicators import ATR, RollingMax
from logos.sizing import by_risk


class $kind(Strategy):
    """Buys a new high with `risk` of equity at stake; sells at the stop or at the target.

    The stop lies `stop_ranges` average ranges (ATR) below the close, the target `reward` times as
    far above it. Works for any number of symbols, on bars.
    """

    lookback: int = param(60, 2, 1_000, meaning="bars whose high is to be passed")
    risk: Decimal = param(Decimal("0.005"), 0, 1, meaning="fraction of equity lost at the stop")
    stop_ranges: float = param(4.0, 0.1, 50, meaning="average ranges from the close to the stop")
    reward: float = param(2.0, 0.1, 50, meaning="distance of the target in distances of the stop")

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.highs: dict[str, RollingMax] = {}
        self.ranges: dict[str, ATR] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        high = self.highs.setdefault(bar.symbol, RollingMax(self.lookback))
        average = self.ranges.setdefault(bar.symbol, ATR(14))
        before = high.value  # None until it has seen enough
        high.add(bar.close)
        average.add(bar.high, bar.low, bar.close)
        if before is None or average.value is None or bar.close <= before:
            return None
        if context.position(bar.symbol) or context.open_orders(bar.symbol):
            return None
        distance = self.stop_ranges * average.value
        stop = bar.close - distance
        if distance <= 0 or stop <= 0:
            return None
        quantity = by_risk(context, bar.instrument, self.risk, stop)
        if not quantity:
            return None
        target = bar.close + self.reward * distance
        return market(Side.BUY, quantity, tag="entry", stop_loss=stop, take_profit=target)
''')

SETTINGS: Final = Template("""\
# Settings of $kind: `logos trade --config $name.toml`, here in this folder.
# What is not here has its default; `logos config init all.toml` writes every key with its meaning.

[strategy]
name = "$name.py:$kind"
params = { lookback = 60, risk = 0.005 } # `logos strategy show $name.py` lists them all

[data]
paths = ["data"] # made up from a seed; put your own files here
symbols = ["ACME"]
accept = ["gap"] # markets close overnight

[account]
balances = { USD = "100000" }

[paper]
slippage_ticks = 1
""")

TEST: Final = Template('''\
"""$kind buys a new high behind a stop, and never risks more than it was told to: run `pytest`."""

from decimal import Decimal

import pytest
from logos import instrument
from logos.testing.builders import bar, fills_in, orders_in, run, trading_core

from $name import $kind

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
QUIET = ["100 101 99 100"] * 20
"""Twenty bars of open, high, low and close: an average range of 2."""


def lived(*later: str, **parameters: object) -> tuple[list[str], Decimal]:
    """The orders of a session of these bars after the quiet ones, and what is held at its end."""
    core = trading_core($kind(lookback=5, **parameters), ACME, cash={"USD": "100000"})
    core.start(0)
    bars = [bar(ACME, number, prices) for number, prices in enumerate([*QUIET, *later], 1)]
    records = run(core, bars)
    orders = [
        f"{order.side.value} {order.quantity_units} {order.type.value}"
        for order in orders_in(records)
    ]
    assert len(fills_in(records)) <= len(orders)
    return orders, ACME.quantity_decimal(core.order_manager.states["ACME"].inventory.position)


def test_nothing_is_bought_without_a_new_high() -> None:
    assert lived("100 101 99 100") == ([], Decimal(0))


def test_a_new_high_is_bought_behind_a_stop_and_a_target() -> None:
    orders, held = lived("100 102 100 102", "102 103 101 102")
    assert [order.split()[0] for order in orders] == ["BUY", "SELL", "SELL"]
    assert [order.split()[2] for order in orders] == ["MARKET", "STOP", "LIMIT"]
    assert held > 0


def test_the_stop_ends_it() -> None:
    assert lived("100 102 100 102", "102 103 101 102", "90 90 80 80")[1] == 0


@pytest.mark.parametrize("risk", ["0.001", "0.005", "0.02"])
def test_no_more_is_at_risk_than_was_asked(risk: str) -> None:
    [entry, *_], _ = lived("100 102 100 102", risk=Decimal(risk))
    quantity = int(entry.split()[1])
    distance = 4 * Decimal(2)  # four average ranges
    assert 0 < quantity * distance <= Decimal(risk) * 100_000


def test_a_parameter_out_of_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="lookback"):
        $kind(lookback=1)
''')

TEST_SETTINGS: Final = """\
# pytest looks for its settings here, and not in a folder above: those are another project's.
[pytest]
"""
"""pytest.ini: without it the tests fail in a folder below a project with settings of its own."""
