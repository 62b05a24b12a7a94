"""The aggregator of a live session's trades, made for the symbols of its core."""

from __future__ import annotations

from logos.core.order_manager import OrderManager
from logos.execution.metrics import MetricsAggregator, MetricSymbol, ReportingRates


def metrics_of(order_manager: OrderManager) -> MetricsAggregator:
    """An aggregator for the symbols of a core, in the scales of its ledgers."""
    account = order_manager.account
    reporting = None
    if account.total is not None:
        factors = {ledger.currency: ledger.total_factor for ledger in account.ledgers}
        reporting = ReportingRates(account.total_currency, account.total_decimals, factors)
    return MetricsAggregator(
        (
            MetricSymbol(symbol, state.ledger.currency, state.ledger.decimals, state.unit_value)
            for symbol, state in order_manager.states.items()
        ),
        reporting,
    )
