"""Good files of many forms, damaged at random: read to the same numbers, or refused.

Run by itself it goes on as long as it is told: `python tests/helpers/import_fuzz.py 20000 7`
(examples, seed). A failure prints the form, the damage and the file.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from logos.data.importing.options import ImportOptions
from logos.data.importing.run import import_files
from logos.errors import DataError

START = datetime(2024, 3, 8, 9, 30, tzinfo=UTC)
ROWS = 12


@dataclass(frozen=True)
class Form:
    """One way of writing bars. `time` writes a moment; `options` are what the file leaves open."""

    name: str
    header: str
    time: Callable[[datetime], str]
    separator: str = ","
    decimal: str = "."
    options: ImportOptions = field(default_factory=lambda: ImportOptions(symbols=("X",)))


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def _options(**words: object) -> ImportOptions:
    return ImportOptions(symbols=("X",), **words)  # type: ignore[arg-type]


FORMS = (
    Form("epoch", "time,open,high,low,close,volume", _seconds),
    Form("ISO", "timestamp,open,high,low,close,volume", lambda m: m.strftime("%Y-%m-%dT%H:%M:%SZ")),
    Form(
        "local",
        "Date,Open,High,Low,Close,Volume",
        lambda m: m.strftime("%Y-%m-%d %H:%M:%S"),
        options=_options(timezone="UTC"),
    ),
    Form(
        "european",
        "Datum;open;high;low;close;volume".replace("Datum", "date"),
        lambda m: m.strftime("%d.%m.%Y %H:%M"),
        ";",
        ",",
        _options(timezone="UTC"),
    ),
    Form(
        "two columns",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>",
        lambda m: m.strftime("%Y.%m.%d\t%H:%M:%S"),
        "\t",
        options=_options(timezone="UTC"),
    ),
    Form(
        "no header",
        "",
        lambda m: m.strftime("%Y%m%d %H%M%S"),
        ";",
        options=_options(
            timezone="UTC",
            columns=("time", "open", "high", "low", "close", "volume"),
            decimal=".",
        ),
    ),
)

Row = tuple[str, ...]


def good_rows(chance: random.Random) -> list[tuple[datetime, Row]]:
    """Bars of a minute: their time, and their figures as plain text."""
    rows = []
    for at in range(ROWS):
        price = chance.randrange(2_000, 3_000_000)
        cents = (price, price + chance.randrange(500), price - chance.randrange(500), price + 1)
        figures = [f"{each // 100}.{each % 100:02d}" for each in cents]
        volume = str(chance.randrange(5_000))
        rows.append((START + timedelta(minutes=at), (*figures, volume)))
    return rows


def written(form: Form, rows: list[tuple[datetime, Row]]) -> list[str]:
    """The lines of a file of this form."""
    lines = [form.header] if form.header else []
    for moment, figures in rows:
        cells = [figure.replace(".", form.decimal) for figure in figures]
        lines.append(form.separator.join((form.time(moment), *cells)))
    return lines


def _a_row(form: Form, lines: list[str], chance: random.Random) -> int:
    return chance.randrange(1 if form.header else 0, len(lines))


def _cells(form: Form, line: str) -> list[str]:
    return line.split(form.separator)


def drop_field(form: Form, lines: list[str], chance: random.Random) -> int:
    at = _a_row(form, lines, chance)
    cells = _cells(form, lines[at])
    del cells[chance.randrange(len(cells))]
    lines[at] = form.separator.join(cells)
    return 0


def add_field(form: Form, lines: list[str], chance: random.Random) -> int:
    at = _a_row(form, lines, chance)
    cells = _cells(form, lines[at])
    cells.insert(chance.randrange(len(cells)), "7")
    lines[at] = form.separator.join(cells)
    return 0


def spoil_field(form: Form, lines: list[str], chance: random.Random) -> int:
    at = _a_row(form, lines, chance)
    cells = _cells(form, lines[at])
    place = chance.randrange(len(cells))
    junk = ("", "x", "NaN", "inf", "1e", "--", "1.2.3", "1,2,3", "0x1F", "1_000", "#REF!", "½")
    cells[place] = chance.choice((*junk, cells[place] + "x", "x" + cells[place], "1 2"))
    lines[at] = form.separator.join(cells)
    return 0


def drop_row(form: Form, lines: list[str], chance: random.Random) -> int:
    del lines[_a_row(form, lines, chance)]
    return 1


def double_row(form: Form, lines: list[str], chance: random.Random) -> int:
    at = _a_row(form, lines, chance)
    lines.insert(chance.choice((at, len(lines))), lines[at])
    return 0


def swap_rows(form: Form, lines: list[str], chance: random.Random) -> int:
    one, other = _a_row(form, lines, chance), _a_row(form, lines, chance)
    lines[one], lines[other] = lines[other], lines[one]
    return 0


def turn_round(form: Form, lines: list[str], chance: random.Random) -> int:
    top = 1 if form.header else 0
    lines[top:] = lines[top:][::-1]
    return 0


def add_remark(form: Form, lines: list[str], chance: random.Random) -> int:
    remark = chance.choice(("# remark", "Total", "", "   ", "http://example.invalid", ",,,"))
    lines.insert(chance.randrange(len(lines) + 1), remark)
    return 0


def drop_zone(form: Form, lines: list[str], chance: random.Random) -> int:
    at = _a_row(form, lines, chance)
    lines[at] = lines[at].replace("Z", "", 1)
    return 0


def other_separator(form: Form, lines: list[str], chance: random.Random) -> int:
    at = _a_row(form, lines, chance)
    lines[at] = lines[at].replace(form.separator, chance.choice((" ", "|", "\t", ";", ",")))
    return 0


def other_decimal(form: Form, lines: list[str], chance: random.Random) -> int:
    if form.separator == ",":
        return 0
    at = _a_row(form, lines, chance)
    turned = {",": ".", ".": ","}[form.decimal]
    cells = _cells(form, lines[at])
    place = chance.randrange(1, len(cells))
    cells[place] = cells[place].replace(form.decimal, turned)
    lines[at] = form.separator.join(cells)
    return 0


def nothing(form: Form, lines: list[str], chance: random.Random) -> int:
    return 0


DAMAGES = (
    *(drop_field, add_field, spoil_field, drop_row, double_row, swap_rows, turn_round),
    *(add_remark, drop_zone, other_separator, other_decimal, nothing),
)


def encoded(lines: list[str], chance: random.Random) -> bytes:
    """The file's bytes: an encoding, an end of lines, and perhaps a cut or a spoilt byte."""
    end = chance.choice(("\n", "\n", "\r\n", "\r"))
    text = end.join(lines) + end
    name = chance.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"))
    data = text.encode(name)
    odd = chance.randrange(8)
    if odd == 0:
        data = data[: chance.randrange(1, len(data))]
    elif odd == 1:
        at = chance.randrange(len(data))
        data = data[:at] + bytes((data[at] | 0x80,)) + data[at + 1 :]
    elif odd == 2:
        at = chance.randrange(len(data))
        data = data[:at] + b"\0" + data[at:]
    return data


def examine(seed: int, folder: Path) -> str:
    """Damage one good file. Returns what is wrong; empty when it was read right or refused."""
    chance = random.Random(seed)
    form = chance.choice(FORMS)
    rows = good_rows(chance)
    good = {moment.strftime("%Y-%m-%dT%H:%M:%SZ"): figures for moment, figures in rows}
    lines = written(form, rows)
    gone = 0
    damages = [chance.choice(DAMAGES)]
    for damage in damages:
        gone += damage(form, lines, chance)
    data = encoded(lines, chance)
    whole_end = b"\n" if b"\n" in data[-4:] else b"\r"
    path, out = folder / "X_1m.csv", folder / "out"
    path.write_bytes(data)
    story = f"seed {seed}, {form.name}, {[each.__name__ for each in damages]}, {data!r}"
    try:
        report = import_files([path], out, form.options)
    except DataError as error:
        left = [each.name for each in out.iterdir()] if out.exists() else []
        if "X_1m.csv" not in str(error):
            return f"{story}: the refusal does not name the file: {error}"
        return f"{story}: left behind: {left}" if left else ""
    del whole_end
    (made,) = report.paths
    lines_out = made.read_text().splitlines()[1:]
    made.unlink()
    for line in lines_out:
        moment, *figures = line.split(",")
        expected = good.get(moment)
        same = expected is not None and tuple(figures[:4]) == expected[:4]
        if not same or figures[4] not in (expected[4] if expected else "", ""):
            return f"{story}: other numbers: {line}, right is {expected}"
    said = sum(int(words.rsplit("(")[0].rsplit(":")[1].replace(",", "")) for words in report.left)
    if len({*lines_out}) != len(lines_out):
        return f"{story}: a row twice"
    if len(lines_out) + said < ROWS - gone and not _is_cut(data, lines):
        return f"{story}: {ROWS - gone - len(lines_out)} rows are gone, {said} were said"
    return ""


def _is_cut(data: bytes, lines: list[str]) -> bool:
    """Whether the file was cut, at the end of a line: nothing shows that rows are missing."""
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1")
    return text.replace("\0", "").count(lines[-1][-9:]) == 0


def main(count: int, seed: int) -> int:
    """Examine `count` files; the first that is read wrong ends it."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(seed * 1_000_000, seed * 1_000_000 + count):
            problem = examine(number, Path(folder))
            if problem:
                print(problem)
                return 1
    print(f"{count:,} damaged files: read to the same numbers, or refused")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
