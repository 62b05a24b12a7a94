"""The evidence of a rehearsal in one file: every file of every session, packed and hashed.

The pack is what can be carried elsewhere and judged again. It is read with suspicion: only plain
files with plain relative names, each once, and not more than a bound of them.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from logos.errors import LogosError
from logos.files import make_folder, open_new, open_regular

PACK_FILE: Final = "evidence.tar.gz"
_FILES_MAX: Final = 100_000
_BYTES_MAX: Final = 8 * 1024**3
_BLOCK: Final = 1 << 20


class PackError(LogosError):
    """The pack cannot be read, or holds what a rehearsal does not pack."""


def pack(folder: Path) -> str:
    """Pack all that the scenarios in `folder` left; the SHA-256 of the pack. Raises OSError.

    The same files give the same bytes: names in order, no times, no owners.
    """
    target = folder / PACK_FILE
    with (
        open_new(target) as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=6) as zipped,
        tarfile.TarFile(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in _evidence_files(folder):
            content = path.read_bytes()
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = len(content)
            member.mode = 0o600
            archive.addfile(member, io.BytesIO(content))
    return digest_of(target)


def unpack(source: Path, folder: Path) -> int:
    """Unpack into the empty `folder`; how many files. Raises PackError, and OSError."""
    count = size = 0
    seen: set[str] = set()
    try:
        with tarfile.open(source, mode="r|gz") as archive:
            for member in archive:
                count, size = count + 1, size + member.size
                if count > _FILES_MAX or size > _BYTES_MAX:
                    raise PackError(f"{source.name} holds more than a rehearsal packs")
                if not _is_plain(member) or member.name in seen:
                    raise PackError(f"{source.name}: {member.name!r} is no file of a rehearsal")
                seen.add(member.name)
                content = archive.extractfile(member)
                assert content is not None  # it is a plain file
                path = folder / member.name
                make_folder(path.parent)
                with open_new(path, "xb") as file:
                    file.write(content.read())
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise PackError(f"{source.name} cannot be read: {error}") from None
    except OSError as error:
        if error.filename:
            raise
        raise PackError(f"{source.name} cannot be read: {error}") from None
    return count


def digest_of(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _is_plain(member: tarfile.TarInfo) -> bool:
    name = PurePosixPath(member.name)
    has_way_out = name.is_absolute() or ".." in name.parts or "\\" in member.name
    return member.isreg() and not has_way_out and member.name not in ("", ".")


def _evidence_files(folder: Path) -> Iterator[Path]:
    """The files below the folders of the scenarios, in order; what lies beside them is report."""
    for home in sorted(folder.iterdir()):
        if home.is_dir() and not home.is_symlink():
            for path in sorted(home.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    yield path
