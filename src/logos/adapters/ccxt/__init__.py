"""Crypto exchanges through the ccxt library: market data and spot orders."""
