"""The connection to a MetaTrader 5 terminal: sockets, frames, the lock, the log."""
