"""Data that was checked before: what was found, and its rows as columns that need no reading."""
