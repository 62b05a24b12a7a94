"""Checks of what instruments and accounts are set to."""
