"""MetaTrader 5 over the ZeroMQ bridge: market data, orders, one shared gateway."""
