"""Exits that follow the position, and target positions that stand until they are reached."""
