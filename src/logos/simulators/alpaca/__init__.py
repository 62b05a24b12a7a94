"""A local broker in the shape of Alpaca: trading, its order stream, and its market data."""

from logos.simulators.alpaca.account import AlpacaAccount
from logos.simulators.alpaca.book import Activity, BrokerOrder
from logos.simulators.alpaca.data import AlpacaData
from logos.simulators.alpaca.data_stream import AlpacaDataStream

__all__ = ["Activity", "AlpacaAccount", "AlpacaData", "AlpacaDataStream", "BrokerOrder"]
