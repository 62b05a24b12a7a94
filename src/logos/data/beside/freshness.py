"""What a fetched file says of itself, in a file beside it: when, from where, how complete.

`X.csv` has `X.csv.fetched.json`. A file of text that was cut at the end of a line looks whole; with
what was fetched beside it, it does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from logos.data.readers.chunks import fingerprint
from logos.data.readers.numbers import format_timestamp
from logos.errors import DataError
from logos.files import read_whole, replace_json

SUFFIX: Final = ".fetched.json"
_BYTES_MAX: Final = 1 << 20


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """Times are ISO-8601 UTC. `asked_from` and `asked_to` are what was asked for, empty where a
    live feed was recorded; `first` and `last` are the rows' own; `gaps` is how often the source
    told of missing rows, or rows were left out, and `told` the first of it."""

    fetched_at: str
    source: str
    market: str
    kind: str
    interval: str
    asked_from: str
    asked_to: str
    first: str
    last: str
    rows: int
    bytes: int
    sha256: str
    gaps: int
    told: list[str]

    @property
    def words(self) -> str:
        """In one line, for people."""
        missing = f"{self.gaps} gaps told" if self.gaps else "no gap told"
        return (
            f"fetched {self.fetched_at} from {self.source}: {self.first} to {self.last}, {missing}"
        )


def freshness_path(path: Path) -> Path:
    """Where the freshness of the data in `path` stands."""
    return path.with_name(path.name + SUFFIX)


def write_freshness(path: Path, **facts: object) -> None:
    """Write down `facts` of the finished file `path`, with its size and hash. Raises OSError."""
    found = Freshness(bytes=path.stat().st_size, sha256=fingerprint(path), **facts)  # type: ignore[arg-type]
    replace_json(freshness_path(path), found)


def read_freshness(path: Path) -> Freshness | None:
    """What stands beside the data in `path`; None: nothing. Raises DataError when it is damaged."""
    beside = freshness_path(path)
    try:
        return msgspec.json.decode(read_whole(beside, _BYTES_MAX), type=Freshness)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(
            f"{beside}: cannot be read ({error}): fetch the data again, or remove this file"
        ) from None


def what_is_lost(path: Path) -> str:
    """How much of a fetched file is gone, in words; empty: nothing, or nothing is known."""
    found = read_freshness(path)
    if found is None or path.stat().st_size >= found.bytes:
        return ""
    return (
        f"of {found.bytes:,} bytes that were fetched {path.stat().st_size:,} are there; fetch it"
        f" again, or remove {freshness_path(path).name} if you shortened the file yourself"
    )


def moment_text(ts_ns: int) -> str:
    """ISO-8601 in whole seconds; empty for 0."""
    return format_timestamp(ts_ns // 1_000_000_000 * 1_000_000_000) if ts_ns else ""
