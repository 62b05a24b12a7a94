"""Whether the fast reader, which needs the optional library pyarrow, can be used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from logos.errors import DataError
from logos.installation import install_command

_BYTES_MIN: Final = 1 << 20


def arrow_available() -> bool:
    """Whether pyarrow is installed and loads."""
    try:
        importlib.import_module("pyarrow")
    except ImportError:
        return False
    return True


def is_worth_arrow(paths: Iterable[Path]) -> bool:
    """Whether the fast reader shall read these files: it can, and they are long enough for it.

    Loading the library takes as long as reading some ten thousand rows without it.
    """
    size = 0
    for path in paths:
        if path.suffix.lower() == ".parquet":
            return arrow_available()
        with suppress(OSError):  # whoever reads it says what is wrong
            size += path.stat().st_size
    is_small = size < _BYTES_MIN and "pyarrow" not in sys.modules
    return not is_small and arrow_available()


def require_arrow(path: Path) -> None:
    """Raise DataError, saying what to install, when `path` is to be read with pyarrow in vain."""
    if not arrow_available():
        raise DataError(
            f"{path}: Parquet and the fast reader need the library pyarrow:"
            f" {install_command('parquet')}"
        )
