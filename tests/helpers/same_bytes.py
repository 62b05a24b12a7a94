"""One session in every way in which it can be run: one table of hashes, which must all be the same.

    python tests/helpers/same_bytes.py [DIST ...] [--without-archives]

Ways: each Python of 3.11, 3.12 and 3.13 that is here; the core as this checkout has it, compiled
from each wheel of the folders, and interpreted from the sdist; data that is checked and read for
the first time, and rows that were kept of the time before; alone, and as a row of a sweep. What
counts is the artifact hash: SHA-256 over every file that a replay must reproduce (docs/SWEEPS.md).
The exit code is 0 when all came out the same, and 1 otherwise; what cannot be had here is named.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from dist_check import CheckFailed, install, python_of, run
from places import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))

from make_dist import VERSIONS, found_python

BARS: Final = 52_000
"""More than fewest rows that are kept: `data.checked.store.KEPT_ROWS_MIN`."""
SESSION: Final = "trial-0001"
"""What the first row of a sweep is called."""
NOT_REPRODUCED: Final = (
    "host.json",
    "report.html",
    "snapshot.json",
    "restored.json",
    "recoveries.jsonl",
)

Row = tuple[str, str, str, str, str]
"""Python, core, what of, how it ran, hash."""


@dataclass(frozen=True)
class Way:
    """An installation of logos."""

    python: Path
    version: str
    core: str
    source: str

    @property
    def environment(self) -> dict[str, str]:
        """Where the sources of the checkout are, for the Python that runs this."""
        return {"PYTHONPATH": str(PROJECT / "src")} if self.source == "checkout" else {}


def main(words: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", default=[PROJECT / "dist"])
    parser.add_argument(
        "--without-archives", action="store_true", help="the checkout alone, and say so"
    )
    options = parser.parse_args(words)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="logos-bytes-") as scratch:
        place = Path(scratch)
        write_market(place / "market")
        for number, way in enumerate(ways(place, options)):
            for how, found in runs(way, place / f"way{number}", place / "market"):
                rows.append((way.version, way.core, way.source, how, found))
                print(f"{way.version} {way.core} {way.source} {how}: {found[:16]}", flush=True)
    for line in table_of(rows, absent_ways(rows)):
        print(line)
    return 0 if len({row[-1] for row in rows}) == 1 else 1


def ways(place: Path, options: argparse.Namespace) -> Iterator[Way]:
    """This checkout, every wheel, and the sdist on every Python."""
    here = Path(sys.executable)
    core = "compiled" if list((PROJECT / "src/logos/core").glob("*.so")) else "interpreted"
    yield Way(here, version_of(here), core, "checkout")
    if options.without_archives:
        return
    wheels = [each for folder in options.folders for each in sorted(folder.glob("*.whl"))]
    sdists = [each for folder in options.folders for each in sorted(folder.glob("*.tar.gz"))]
    for wheel in wheels:
        made = install(python_of(wheel), wheel, place / wheel.name)
        yield Way(made, version_of(made), core_of(made, place), "wheel")
    for version in VERSIONS if sdists else ():
        python = found_python(version)
        if python is not None:
            made = install(python, sdists[0], place / f"sdist-{version}")
            yield Way(made, version, core_of(made, place), "sdist")


def runs(way: Way, home: Path, market: Path) -> Iterator[tuple[str, str]]:
    """How the session ran, and its hash: alone for the first time, alone again, and swept."""
    home.mkdir()
    own = {"LOGOS_HOME": str(home / "alone"), "LOGOS_REGISTRY": str(home / "registry")}
    own |= way.environment
    (home / "alone").mkdir()
    strategy = f"{PROJECT / 'examples' / 'breakout.py'}:Breakout"
    data = ["--data", str(market), "--symbols", "MADE"]
    logos = [str(way.python), "-m", "logos.live"]
    alone = [*logos, "trade", "--quiet", "--strategy", strategy, *data, "--session-id", SESSION]
    alone += ["--param", "lookback=30"]
    folder = home / "alone" / "runs" / "live" / "sessions" / SESSION
    for how in ("checked and read", "rows kept from before"):
        kept = list((home / "alone" / "state" / "checked").glob("**/*"))
        if bool(kept) != how.startswith("rows"):
            raise CheckFailed(f"{way}: {len(kept)} files of checked data before: {how}")
        run(alone, home, own)
        yield how, hash_of(folder)
        folder.rename(home / how.replace(" ", "-"))
    (home / "swept").mkdir()
    swept = {**own, "LOGOS_HOME": str(home / "swept")}
    search = [*logos, "sweep", strategy, *data, "--param", "lookback=30,31", "--by", "net"]
    run([*search, "--workers", "1", "--quiet"], home, swept)
    [lines] = (home / "swept").rglob("results.jsonl")
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    [row] = [each for each in found if each["trial"]["row"] == 1]
    yield "as a row of a sweep", str(row["artifact_hash"])


def hash_of(folder: Path) -> str:
    """The artifact hash of a session, written down from what docs/SWEEPS.md says of it."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.name not in NOT_REPRODUCED and not path.name.startswith("inputs")
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def version_of(python: Path) -> str:
    """Of an interpreter: 3.12.1, say."""
    code = "import platform; print(platform.python_version())"
    return run([str(python), "-c", code], PROJECT).strip()


def core_of(python: Path, place: Path) -> str:
    """Whether the core of an installation is compiled or interpreted."""
    code = "import logos.core.engine as it; print(it.__file__.endswith('.py'))"
    return "interpreted" if run([str(python), "-c", code], place).strip() == "True" else "compiled"


def absent_ways(rows: Sequence[Row]) -> list[str]:
    """What the matrix lacks, a line each."""
    there = {(".".join(version.split(".")[:2]), core) for version, core, *_ in rows}
    return [
        f"not had here: Python {version}, {core}"
        for version in VERSIONS
        for core in ("interpreted", "compiled")
        if (version, core) not in there
    ]


def table_of(rows: Sequence[Row], absent: Sequence[str]) -> list[str]:
    """The table, and what it says."""
    most = max(sorted({row[-1] for row in rows}), key=lambda each: sum(r[-1] == each for r in rows))
    lines = ["", "| Python | core | from | how | artifact hash |", "|---|---|---|---|---|"]
    for *what, found in rows:
        mark = found[:16] if found == most else f"{found[:16]} DIFFERS"
        lines.append(f"| {' | '.join(what)} | {mark} |")
    different = sum(row[-1] != most for row in rows)
    return [*lines, f"{len(rows)} runs, {different} differ: {most}", *absent]


def write_market(folder: Path) -> None:
    """Minute bars of one symbol, made by a rule without randomness."""
    folder.mkdir()
    (folder / "instruments.toml").write_text(
        '[instruments.MADE]\nquote = "USD"\ntick = "0.01"\nlot = "1"\nsettlement = "margin"\n'
    )
    lines = ["timestamp,open,high,low,close,volume"]
    state, price = 12345, 10_000
    for number in range(BARS):
        state = (1_103_515_245 * state + 12_345) % 2**31
        close = max(5_000, price + (state >> 16) % 41 - 20)
        high, low = max(price, close) + 3, min(price, close) - 3
        day, minute = divmod(number, 1_440)
        at = f"{date(2026, 1, 1) + timedelta(day)}T{minute // 60:02d}:{minute % 60:02d}:00Z"
        figures = [f"{each // 100}.{each % 100:02d}" for each in (price, high, low, close)]
        lines.append(",".join([at, *figures, "100"]))
        price = close
    (folder / "MADE_1m_bars.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
