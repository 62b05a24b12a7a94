"""logos: a paper-first trading engine whose safety can be proved."""

__version__ = "0.1.0"
