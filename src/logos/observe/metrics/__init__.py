"""Prometheus metrics of all sessions, from what they write, in a process of its own."""
