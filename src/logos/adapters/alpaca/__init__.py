"""Alpaca: US shares and crypto through the alpaca-py library."""
