"""All layouts that are known."""

from __future__ import annotations

from logos.data.importing.formats import LAYOUTS

__all__ = ["LAYOUTS"]
