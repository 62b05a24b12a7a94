"""Dialects: how exchanges ask and answer, each over the same account."""
