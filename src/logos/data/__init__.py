"""Recorded market data: find, check, convert, synthesise, replay."""
