"""A local broker in the shape of Alpaca: trading, its order stream, and its market data."""

from logos.simulators.alpaca.account import AlpacaAccount
from logos.simulators.alpaca.book import Activity, BrokerOrder

__all__ = ["Activity", "AlpacaAccount", "BrokerOrder"]
