"""Counterparties one can talk to: a terminal, exchanges, a broker."""
