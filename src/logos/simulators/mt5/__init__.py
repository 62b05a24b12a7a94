"""A simulated MetaTrader 5 terminal with the ZeroMQ bridge in it."""
