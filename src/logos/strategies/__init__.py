"""Bundled reference strategies: small, readable, meant to be copied and changed.

`BUNDLED` maps the names that `--strategy` understands to where the class lives; nothing is
imported before a name is asked for. `load_strategy` makes one, of these or of your own.
"""

from __future__ import annotations

from logos.strategies.load import BUNDLED, StrategyLoadError, load_strategy

__all__ = ["BUNDLED", "StrategyLoadError", "load_strategy"]
