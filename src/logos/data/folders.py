"""The market data files in a folder: links lead to more of them, and may lead in circles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from logos.data.layout import extension_of
from logos.errors import DataError
from logos.files import open_regular


def data_files(folder: Path) -> list[Path]:
    """The visible market data files in a folder and all below it, sorted.

    Each real folder is searched once, those that links lead to as well. Raises DataError for a
    folder that cannot be read, for a link that leads back to a folder it lies in, and for what is
    called data and is no file.
    """
    return sorted(_below(folder)) if folder.is_dir() else []


def _below(folder: Path) -> Iterator[Path]:
    to_search, seen = [folder], set[Path]()
    while to_search:
        for place, folders, names in os.walk(to_search.pop(), onerror=_refuse_folder):
            here = Path(place)
            real = here.resolve()
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            for link in (here / name for name in folders if (here / name).is_symlink()):
                if real.is_relative_to(link.resolve()):
                    raise DataError(
                        f"{link}: this link leads back to a folder that it lies in; take it out,"
                        " or name the files and folders one by one"
                    )
                to_search.append(link)
            for name in names:
                file = here / name
                if extension_of(file) is None or name.startswith("."):
                    continue
                if not file.is_file():
                    _refuse_irregular(file)
                yield file


def _refuse_folder(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be searched: {error.strerror or error}") from error


def _refuse_irregular(file: Path) -> None:
    """Raise DataError for a link to nothing, a named pipe and the like."""
    try:
        open_regular(file).close()
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
