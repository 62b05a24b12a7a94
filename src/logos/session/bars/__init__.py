"""Bars that a strategy asks for: what they are made of, and those from before a live session."""
