"""Bars made inside of the core, for strategies that ask for timeframes, history or warm-up."""
