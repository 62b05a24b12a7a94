"""Whether the fast reader, which needs the optional library pyarrow, can be used."""

from __future__ import annotations

import importlib
from pathlib import Path

from logos.feeds.errors import DataError


def arrow_available() -> bool:
    """Whether pyarrow is installed and loads."""
    try:
        importlib.import_module("logos.feeds.arrow")
    except ImportError:
        return False
    return True


def require_arrow(path: Path) -> None:
    """Raise DataError, saying what to install, when `path` needs pyarrow and it is not there."""
    if not arrow_available():
        raise DataError(f"{path}: Parquet needs the library pyarrow: pip install 'logos[parquet]'")
