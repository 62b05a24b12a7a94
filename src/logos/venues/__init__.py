"""Adapters to places where orders go, behind one contract (`venues.contract`)."""
