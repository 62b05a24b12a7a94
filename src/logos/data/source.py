"""Finding market data: which files hold what, of which symbol, at which interval.

Nothing is configured twice. The kind is read from the header; the symbol, the interval and the
side from the file's name (`logos.data.names`), or from `files.toml` beside it; the interval else
from the rows themselves. Two files that differ in `bid` and `ask` are one two-sided source. What
cannot be told is an error that says how to tell it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.data.defects import BAD_HEADER, EMPTY_FILE
from logos.data.folders import data_files
from logos.data.layout import (
    BARS,
    INTERVAL_TOKENS_NS,
    QUOTE_BARS,
    TIMESTAMP,
    clean_header,
    describe_layouts,
    extension_of,
    kind_of_header,
    stem_of,
)
from logos.data.names import (
    INDEX_NAME,
    FileName,
    check_symbol,
    parse_name,
    read_index,
    stem_for,
)
from logos.data.readers.head import first_lines
from logos.data.readers.numbers import RowError
from logos.data.times.bars import BarTimes
from logos.data.times.lengths import BarLength, common_phase, find_length, length_from_text
from logos.data.times.reader import NOTHING_SAID, TimeReader, TimeRules
from logos.errors import DataError
from logos.paths import cache_dir

_ROWS_TO_INFER_INTERVAL: Final = 500
_STEPS_TO_CONTRADICT: Final = 5
"""Equal steps between the first rows that weigh more than a name."""
_SIDES: Final = ("bid", "ask")

Head = Callable[[Path, int], list[list[str]]]
"""Gives the header and up to so many rows of a file, as `first_lines` does."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """One stream of market data of one symbol.

    `kind` is "bars", "quote_bars", "quotes" or "trades"; `interval_ns` is the length of a bar
    and None for quotes and trades; `ask_path` is the second file of a two-sided pair, whose bid
    file is `path`. `is_named`: a person said what the symbol is (`files.toml`, an override),
    so that a symbol column may spell it otherwise.
    `rules` is what is said of its times; `months` are those of a bar that goes by
    the calendar (`interval_ns` is then the longest it can be), and `phase_ns` is where in a length
    since 1970 most bars open.
    """

    path: Path
    symbol: str
    kind: str
    interval_ns: int | None = None
    ask_path: Path | None = None
    is_named: bool = False
    rules: TimeRules = NOTHING_SAID
    months: int = 0
    phase_ns: int = 0

    @property
    def bars(self) -> BarTimes:
        """How long its bars are, and when they close."""
        return BarTimes(
            BarLength(self.interval_ns or 1, self.months),
            self.rules.zone,
            self.phase_ns,
            self.rules.stamp == "close",
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files of the source."""
        return (self.path,) if self.ask_path is None else (self.path, self.ask_path)

    def __str__(self) -> str:
        return f"{self.symbol} {self.kind} ({', '.join(str(path) for path in self.paths)})"


def discover(
    paths: Iterable[str | Path] | str | Path,
    *,
    symbols: Collection[str] | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    rules: TimeRules = NOTHING_SAID,
    head: Head = first_lines,
) -> list[DataSource]:
    """Find the sources in files and folders (folders with all below them, in sorted order).

    `symbols` keeps only these symbols, and each of them must be found. `overrides` says what a
    file's name does not: it maps a file's name to any of "symbol" (text), "interval" (such as
    "1m", or nanoseconds), "timezone", "time_format" and "stamp"; `rules` says the same of all
    files that are not said otherwise. `head` gives the first lines of a file.
    Files of other extensions are ignored in folders.

    Raises DataError for a missing or empty path, an unknown header, half a bid/ask pair, the
    same file in two formats, or an interval that cannot be told.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise DataError(
            "no market data was named; name files or folders of .csv, .csv.gz or .parquet"
        )
    files = list(dict.fromkeys(file for path in given for file in _files_of(Path(path))))
    indexes = {
        folder: read_index(folder) for folder in dict.fromkeys(file.parent for file in files)
    }
    sources = [
        _source_of(group, indexes[group[0].parent], overrides or {}, rules, head)
        for group in _paired(files)
    ]
    if symbols is not None:
        found = {source.symbol for source in sources}
        missing = sorted(set(symbols) - found)
        if missing:
            raise DataError(
                f"no market data for {', '.join(missing)} in {', '.join(map(str, given))};"
                f" found: {', '.join(sorted(found))}"
            )
        sources = [source for source in sources if source.symbol in symbols]
    return sources


def places_of(text: str) -> list[str | Path]:
    """The files and folders that `text` means: itself where it is there, or else, where it could
    be a symbol, the files of that symbol in the workspace's `data/cache`.

    Raises DataError where there are none.
    """
    if Path(text).exists() or extension_of(Path(text)) is not None:
        return [text]
    cache = cache_dir()
    found: list[str | Path] = []
    known: dict[str, None] = {}
    indexes: dict[Path, dict[str, dict[str, Any]]] = {}
    for file in data_files(cache):
        if file.parent not in indexes:
            indexes[file.parent] = read_index(file.parent)
        named = indexes[file.parent].get(file.name, {})
        symbol = str(named.get("symbol") or parse_name(file).symbol)
        known[symbol] = None
        if symbol == text:
            found.append(file)
    if not found:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise DataError(
            f"{text}: there is no such file or folder, and {cache} has no data of such a symbol"
            f" ({has})"
        )
    return found


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        found = data_files(path)
        if not found:
            raise DataError(f"{path}: no market data in this folder (.csv, .csv.gz or .parquet)")
        return found
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")
    if extension_of(path) is None:
        raise DataError(f"{path}: not market data by its name; expected .csv, .csv.gz or .parquet")
    return [path]


def _paired(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Group files into sources: (file,) or (bid file, ask file), in the order of `files`."""
    by_stem: dict[tuple[Path, str], Path] = {}
    halves: dict[tuple[Path, str, str], Path] = {}
    for file in files:
        key = (file.parent, stem_of(file))
        if key in by_stem:
            raise _twice(by_stem[key], file, "in two formats")
        by_stem[key] = file
        name = parse_name(file)
        if name.side:
            half = (file.parent, name.pair.casefold(), name.side)
            if half in halves:
                raise _twice(halves[half], file, "under two names")
            halves[half] = file
    groups: list[tuple[Path, ...]] = []
    taken: set[Path] = set()
    for file in by_stem.values():
        if file in taken:
            continue
        name = parse_name(file)
        if not name.side:
            groups.append((file,))
            continue
        sides = [
            halves.get((file.parent, name.pair.casefold(), side)) or _other_half(file, name, side)
            for side in _SIDES
        ]
        bid, ask = sides
        if bid is None or ask is None:
            missing = _SIDES[sides.index(None)]
            raise DataError(
                f"{file}: the other half of the pair, {name.pair}_{missing}, is missing; put it"
                " beside this file, or rename this one without the word to use it as one-sided data"
            )
        taken.update((bid, ask))
        groups.append((bid, ask))
    return groups


def _twice(one: Path, other: Path, how: str) -> DataError:
    return DataError(
        f"{one} and {other}: the same data {how} would be replayed twice; keep one of them, or"
        " name the one to use"
    )


def _other_half(file: Path, name: FileName, side: str) -> Path | None:
    """The file of that side in the folder: half a pair that was named finds its other half."""
    for found in sorted(file.parent.iterdir()):
        if side not in found.name.casefold() or extension_of(found) is None or not found.is_file():
            continue
        other = parse_name(found)
        if (other.pair.casefold(), other.side) == (name.pair.casefold(), side):
            return found
    return None


def _source_of(
    group: tuple[Path, ...],
    index: Mapping[str, Mapping[str, Any]],
    overrides: Mapping[str, Mapping[str, Any]],
    said: TimeRules,
    head: Head,
) -> DataSource:
    path = group[0]
    override: dict[str, Any] = {}
    for file in group:
        override |= {**index.get(file.name, {}), **overrides.get(file.name, {})}
    kinds = [_kind_of(file, head) for file in group]
    if len(group) == 2 and kinds != [BARS, BARS]:
        raise DataError(f"{group[0]}, {group[1]}: a _bid/_ask pair must hold bars, not {kinds[0]}")
    symbol = _symbol_of(path, override)
    is_named = "symbol" in override
    rules = _rules_of(path, override, said)
    if kinds[0] != BARS:
        return DataSource(path, symbol, kinds[0], is_named=is_named, rules=rules)
    length, phase_ns = _length_of(path, override, rules, head)
    kind, ask_path = (QUOTE_BARS, group[1]) if len(group) == 2 else (BARS, None)
    return DataSource(
        path, symbol, kind, length.ns, ask_path, is_named, rules, length.months, phase_ns
    )


def _rules_of(path: Path, override: Mapping[str, Any], said: TimeRules) -> TimeRules:
    names = ("timezone", "time_format", "stamp")
    try:
        return msgspec.structs.replace(
            said, **{name: str(override[name]) for name in names if name in override}
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _symbol_of(path: Path, override: Mapping[str, Any]) -> str:
    try:
        return check_symbol(str(override.get("symbol", parse_name(path).symbol)))
    except DataError as error:
        raise DataError(
            f"{path}: {error}. Rename the file, or name its symbol in {INDEX_NAME} beside it"
        ) from None


def _kind_of(path: Path, head: Head) -> str:
    rows = head(path, 1)
    if not rows:
        raise DataError(f"{path}: {EMPTY_FILE}: the file is empty; remove it or fetch it again")
    kind = kind_of_header(clean_header(rows[0]))
    if kind is None:
        raise DataError(
            f"{path}:1: {BAD_HEADER}: no known layout in the columns"
            f" {','.join(rows[0])[:120]!r}. Known: {describe_layouts()}."
            " Files in other formats: logos data import."
        )
    return kind


def interval_from_text(text: str | int) -> int:
    """Nanoseconds of "1m", "5m", "1h", "1d" and the like; an integer is nanoseconds already.

    Raises DataError for anything else.
    """
    if isinstance(text, int) and text > 0:
        return text
    if text in INTERVAL_TOKENS_NS:
        return INTERVAL_TOKENS_NS[str(text)]
    raise DataError(f"not an interval: {text!r}; use one of {', '.join(INTERVAL_TOKENS_NS)}")


def _length_of(
    path: Path, override: Mapping[str, Any], rules: TimeRules, head: Head
) -> tuple[BarLength, int]:
    """The length of the file's bars, and where in it most of them open."""
    said = override.get("interval") or rules.interval
    named = parse_name(path).interval
    try:
        opened_ns = _first_times(path, rules, head, is_said=bool(said or named))
        if said:
            length = length_from_text(said)
        elif named:
            length = _not_contradicted(length_from_text(named), opened_ns)
        else:
            length = find_length(opened_ns, rules.zone or UTC).length
    except DataError as error:
        example = stem_for(parse_name(path).symbol, "1m", "NAME")
        raise DataError(
            f"{path}: {error} (or name it in the file's name, such as {example}.csv)"
        ) from None
    shift_ns = length.ns if rules.stamp == "close" else 0
    return length, common_phase([ns - shift_ns for ns in opened_ns], length.ns)


def _first_times(path: Path, rules: TimeRules, head: Head, *, is_said: bool) -> list[int]:
    """The times of the first rows. Raises DataError when none can be read, unless the length of
    the bars `is_said`."""
    rows = head(path, _ROWS_TO_INFER_INTERVAL)
    index = clean_header(rows[0]).index(TIMESTAMP)
    times = TimeReader(rules, repeats=False)
    times_ns: list[int] = []
    refused: RowError | None = None
    for row in rows[1:]:
        # A row that cannot be read says nothing about the interval; the check reports it.
        if len(row) == len(rows[0]):
            try:
                times_ns.append(times.read(row[index]))
            except RowError as error:
                refused = refused or error
    if refused is not None and not times_ns and not is_said:
        raise DataError(refused.detail)
    return times_ns


def _not_contradicted(named: BarLength, opened_ns: Sequence[int]) -> BarLength:
    """What the name says, unless the rows say that bars are longer: they would be shown before
    their close. Raises DataError."""
    steps = Counter(late - early for early, late in pairwise(opened_ns) if late > early)
    if not steps:
        return named
    commonest, count = steps.most_common(1)[0]
    is_clear = count >= _STEPS_TO_CONTRADICT and 2 * count > steps.total()
    if is_clear and min(steps) > named.ns:
        raise DataError(
            f"its name says bars of {named}, and its rows are {BarLength(commonest)} apart: say"
            f" --interval {BarLength(commonest)}, or --interval {named} if most bars are missing"
        )
    return named
