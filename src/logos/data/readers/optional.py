"""Whether the fast reader, which needs the optional library pyarrow, can be used."""

from __future__ import annotations

import importlib
from pathlib import Path

from logos.errors import DataError
from logos.installation import install_command


def arrow_available() -> bool:
    """Whether pyarrow is installed and loads."""
    try:
        importlib.import_module("pyarrow")
    except ImportError:
        return False
    return True


def require_arrow(path: Path) -> None:
    """Raise DataError, saying what to install, when `path` is to be read with pyarrow in vain."""
    if not arrow_available():
        raise DataError(
            f"{path}: Parquet and the fast reader need the library pyarrow:"
            f" {install_command('parquet')}"
        )
