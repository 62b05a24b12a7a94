"""Draws docs/figures/*.svg, from sessions that are run for it and from tables of the code.

Problem: a picture that was drawn by hand shows what somebody once believed. Method: the curve is of
the tutorial's own first session, the life of an order is `orders.TRANSITIONS` with the counts of
bundled session, the ends of a session are those that its files name; only where a box stands is
chosen here. The same sources give the same bytes. Each figure carries its style, light
and dark, and a title and a description for those who do not see it.

Run: python tools/make_figures.py [--check]
"""

from __future__ import annotations

import argparse
import html
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from io import StringIO
from pathlib import Path

import msgspec

from logos.analysis import Analysis, analyse
from logos.cli.main import main as logos
from logos.core.orders import TRANSITIONS
from logos.core.types import OrderStatus, SessionStatus
from logos.session.outcome import ExitCode
from logos.session.presence.registry import VARIABLE

PROJECT = Path(__file__).resolve().parent.parent
FIGURES = PROJECT / "docs" / "figures"
STYLE = PROJECT / "tools" / "figures.css"
_FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.M | re.S)


def drawings() -> dict[str, str]:
    """Every figure as SVG, by the name of its file."""
    with _sessions() as (tutorial, bundled):
        return {
            "tutorial-equity.svg": equity(analyse(tutorial)),
            "order-life.svg": order_life(_changes(bundled)),
            "session-ends.svg": session_ends(),
        }


# ---- the sessions ----


@contextmanager
def _sessions() -> Iterator[tuple[Path, Path]]:
    """The folders of the tutorial's first session and of the bundled one, run anew."""
    before = {name: value for name, value in os.environ.items() if name.startswith("LOGOS_")}
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        try:
            for each in before:
                del os.environ[each]
            os.environ[VARIABLE] = f"{name}/registry"
            desk = Path(name, "desk")
            for folder in (desk, Path(name, "registry")):
                folder.mkdir()
            os.chdir(desk)
            for link in ("data", "examples"):
                Path(link).symlink_to(PROJECT / link)
            text = (PROJECT / "docs" / "TUTORIAL.md").read_text(encoding="utf-8")
            for file, body in _FILE.findall(text):
                Path(file).write_text(body, encoding="utf-8")
            _run("--config", "dip.toml", "--data", "data/cache", "--session-id", "first")
            _run("--config", "examples/session.toml", "--session-id", "bundled")
            sessions = desk / "runs" / "live" / "sessions"
            yield sessions / "first", sessions / "bundled"
        finally:
            os.chdir(here)
            os.environ.pop(VARIABLE, None)
            os.environ.update(before)


def _run(*arguments: str) -> None:
    os.environ["LOGOS_CFG__SESSION__SAMPLE_INTERVAL_S"] = "60"
    with redirect_stdout(StringIO()):
        code = logos(["trade", "--quiet", *arguments])
    del os.environ["LOGOS_CFG__SESSION__SAMPLE_INTERVAL_S"]
    if code:
        raise SystemExit(f"make_figures: logos trade {' '.join(arguments)} ended with {code}")


def _changes(folder: Path) -> Counter[tuple[str, str]]:
    """How often an order of the session went from one status to another."""
    at: dict[int, str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for line in (folder / "state.jsonl").read_bytes().splitlines():
        body = msgspec.json.decode(line)["body"]
        if body["kind"] == "order":
            at[body["order_id"]] = OrderStatus.NEW.value
        elif body["kind"] == "order_update":
            counts[at[body["order_id"]], body["status"]] += 1
            at[body["order_id"]] = body["status"]
    return counts


# ---- the figures ----

_LEFT, _RIGHT, _TOP = 84, 780, 34


def equity(analysis: Analysis) -> str:
    """Equity above, drawdown below, over the samples of the session: closed hours take no room."""
    curve = analysis.equity
    count = len(curve.time_ns)
    days = [_day(each) for each in curve.time_ns]
    starts = [n for n in range(count) if n == 0 or days[n] != days[n - 1]]

    def x(number: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * number / (count - 1)

    low, high, step = _round_bounds(min(curve.equity), max(curve.equity))
    deepest = max(curve.drawdown)
    parts = []
    for number in starts:
        parts.append(f'<path class="rule" d="M{x(number):.1f} {_TOP}V372"/>')
        parts.append(f'<text class="soft" x="{x(number) + 4:.1f}" y="390">{days[number]}</text>')

    def y(value: Decimal) -> float:
        return 240 - (240 - _TOP) * float((value - low) / (high - low))

    value = low
    while value <= high:
        parts.append(f'<path class="rule" d="M{_LEFT} {y(value):.1f}H{_RIGHT}"/>')
        label = f'<text class="soft end" x="{_LEFT - 8}" y="{y(value) + 4:.1f}">{value:,.0f}</text>'
        parts.append(label)
        value += step
    parts.append(f'<path class="one" d="{_path(x, y, curve.equity)}"/>')

    def below(value: Decimal) -> float:
        return 282 + 86 * float(value / deepest)

    area = _path(x, below, curve.drawdown)
    parts.append(f'<path class="area" d="{area}V282H{_LEFT}Z"/>')
    parts.append(f'<path class="two" d="{area}"/><path class="rule" d="M{_LEFT} 282H{_RIGHT}"/>')
    parts.append(f'<text class="soft end" x="{_LEFT - 8}" y="286">0</text>')
    parts.append(f'<text class="soft end" x="{_LEFT - 8}" y="372">−{deepest:,.0f}</text>')
    money = analysis.facts.currency
    parts.append(f'<text class="name" x="{_LEFT}" y="20">Equity, {money}</text>')
    parts.append(f'<text class="name" x="{_LEFT}" y="268">Drawdown, {money}</text>')
    end = curve.equity[-1]
    return _svg(
        "tutorial-equity",
        (800, 400),
        f"Equity and drawdown of session {analysis.facts.session_id}",
        f"Equity goes from {curve.equity[0]:,.2f} to {end:,.2f} {money}, between "
        f"{min(curve.equity):,.2f} and {max(curve.equity):,.2f}; the deepest fall from a high is "
        f"{deepest:,.2f} {money}. Hours in which the market is closed are left out.",
        parts,
    )


def _day(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // 10**9, UTC):%Y-%m-%d}"


def _path(
    x: Callable[[int], float], y: Callable[[Decimal], float], values: Sequence[Decimal]
) -> str:
    """A line of steps: a value holds until the next one."""
    first, *rest = values
    steps = [f"M{x(0):.1f} {y(first):.1f}"]
    before = first
    for number, value in enumerate(rest, 1):
        if value != before or number == len(rest):
            steps.append(f"H{x(number):.1f}" + (f"V{y(value):.1f}" if value != before else ""))
        before = value
    return "".join(steps)


def _round_bounds(low: Decimal, high: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Bounds and step of an axis that four to eight lines divide."""
    step = Decimal(1)
    for factor in (2, Decimal("2.5"), 2) * 6:
        if (high - low) / step <= 6:
            break
        step *= factor
    return _floor(low / step) * step, -_floor(-high / step) * step, step


def _floor(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_FLOOR)


_PLACES: Mapping[OrderStatus, tuple[int, int]] = {
    OrderStatus.NEW: (40, 130),
    OrderStatus.HELD: (40, 20),
    OrderStatus.UNKNOWN: (40, 240),
    OrderStatus.ACCEPTED: (240, 130),
    OrderStatus.PARTIALLY_FILLED: (440, 130),
    OrderStatus.FILLED: (650, 130),
    OrderStatus.REJECTED: (290, 330),
    OrderStatus.CANCELLED: (460, 330),
    OrderStatus.EXPIRED: (630, 330),
}
_WIDE, _HIGH = 130, 40
_DRAWN = {
    (OrderStatus.NEW, OrderStatus.ACCEPTED): "M170 150H236",
    (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED): "M370 150H436",
    (OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED): "M590 150H646",
    (OrderStatus.ACCEPTED, OrderStatus.FILLED): "M360 130V90H715V126",
    (OrderStatus.PARTIALLY_FILLED, OrderStatus.PARTIALLY_FILLED): "M480 170V196H540V174",
    (OrderStatus.NEW, OrderStatus.HELD): "M85 130V64",
    (OrderStatus.HELD, OrderStatus.NEW): "M125 60V126",
    (OrderStatus.NEW, OrderStatus.UNKNOWN): "M105 170V236",
    (OrderStatus.UNKNOWN, OrderStatus.ACCEPTED): "M170 260H340V174",
}
"""Ways that are drawn; the others lead to the three ends without a fill, and are written."""
_COUNTS_AT = {
    (OrderStatus.NEW, OrderStatus.ACCEPTED): (203, 142),
    (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED): (403, 142),
    (OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED): (618, 142),
    (OrderStatus.ACCEPTED, OrderStatus.FILLED): (510, 82),
    (OrderStatus.PARTIALLY_FILLED, OrderStatus.PARTIALLY_FILLED): (510, 212),
}
_ENDS_AT = {
    OrderStatus.NEW: (115, 190),
    OrderStatus.HELD: (180, 44),
    OrderStatus.UNKNOWN: (180, 280),
    OrderStatus.ACCEPTED: (228, 122),
}
_UNFILLED = (OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)


def order_life(counts: Mapping[tuple[str, str], int]) -> str:
    """Every status and every way between two, with how many orders of the session went it."""
    ways = {(before, after) for before, then in TRANSITIONS.items() for after in then}
    drawn = set(_DRAWN)
    assert drawn <= ways, drawn - ways
    assert {after for _, after in ways - drawn} == set(_UNFILLED), ways - drawn
    parts = []
    for way, line in _DRAWN.items():
        parts.append(f'<path class="way" d="{line}" marker-end="url(#order-life-tip)"/>')
        if way in _COUNTS_AT:
            number = counts.get((way[0].value, way[1].value), 0)
            at = _COUNTS_AT[way]
            parts.append(f'<text class="soft mid" x="{at[0]}" y="{at[1]}">{number:,}</text>')
    parts.append('<path class="rule" d="M20 306H780"/>')
    parts.append('<text class="soft" x="40" y="356">ends without all of its fill:</text>')
    for status, (left, top) in _PLACES.items():
        kind = "box good" if status is OrderStatus.FILLED else "box"
        kind = "box bad" if status in _UNFILLED else kind
        parts += _box(left, top, status.value, kind, width=150 if left == 440 else _WIDE)
        after = [each.value for each in _UNFILLED if each in TRANSITIONS[status]]
        if after:
            text = "or " + ", ".join(each.lower() for each in after)
            across, down = _ENDS_AT.get(status, (left, top - 8))
            parts.append(f'<text class="soft" x="{across}" y="{down}">{text}</text>')
    total = sum(number for (before, _), number in counts.items() if before == "NEW")
    return _svg(
        "order-life",
        (800, 384),
        "The life of an order",
        f"Statuses and the ways between them; the figures count the {total:,} orders of the "
        "bundled session. "
        + " ".join(_sentence(status) for status in TRANSITIONS if TRANSITIONS[status]),
        parts,
    )


def _sentence(status: OrderStatus) -> str:
    after = sorted(each.value for each in TRANSITIONS[status])
    return f"{status.value} becomes {', '.join(after[:-1])} or {after[-1]}."


def session_ends() -> str:
    """How a session begins, ends and is continued, with the exit code of each end."""
    ends: dict[SessionStatus, tuple[str, tuple[ExitCode, ...], str]] = {
        SessionStatus.ENDED: ("the events ended", (ExitCode.FINISHED,), "good"),
        SessionStatus.STOPPED: (
            "a signal, or the disk runs full",
            (ExitCode.FINISHED, ExitCode.DISK_LOW),
            "",
        ),
        SessionStatus.HALTED: ("a guard, or the kill switch", (ExitCode.HALTED,), "bad"),
        SessionStatus.FAILED: (
            "strategy, data, or a defect",
            (ExitCode.STRATEGY_FAILED, ExitCode.BAD_DATA, ExitCode.INTERNAL_ERROR),
            "bad",
        ),
        SessionStatus.CRASHED_RECOVERED: (
            "logos resume --seal",
            (ExitCode.FINISHED,),
            "bad",
        ),
    }
    assert set(ends) == set(SessionStatus)
    parts = _box(30, 120, "logos trade", "box", width=120)
    parts += _box(230, 120, "RUNNING", "box", width=120)
    parts.append('<path class="way" d="M150 140H226" marker-end="url(#session-ends-tip)"/>')
    for number, (status, (why, codes, kind)) in enumerate(ends.items()):
        top = 20 + 64 * number
        width = 172 if status is SessionStatus.CRASHED_RECOVERED else 110
        parts += _box(470, top, status.value, f"box {kind}".strip(), width=width)
        if status is not SessionStatus.CRASHED_RECOVERED:
            way = f"M350 140H380V{top + 20}H466"
            parts.append(f'<path class="way" d="{way}" marker-end="url(#session-ends-tip)"/>')
        exits = ", ".join(str(int(code)) for code in codes)
        name = "exit code" if len(codes) == 1 else "exit codes"
        parts.append(f'<text class="soft" x="{470 + width + 12}" y="{top + 17}">{why}</text>')
        words = f'<text class="soft" x="{470 + width + 12}" y="{top + 34}">{name} {exits}</text>'
        parts.append(words)
    parts += _box(225, 276, "killed, power cut", "box bad", width=130)
    tip = 'marker-end="url(#session-ends-tip)"/>'
    parts.append(f'<path class="way" d="M290 160V272" {tip}')
    parts.append(f'<path class="way" d="M355 296H466" {tip}')
    parts.append(f'<path class="way" d="M225 296H200V150H226" {tip}')
    parts.append('<text class="soft end" x="192" y="226">logos resume</text>')
    parts.append(f'<path class="way" d="M525 84V76H420V8H265V116" {tip}')
    parts.append('<text class="soft" x="275" y="26">logos resume</text>')
    words = ". ".join(
        f"{status.value}: {why}, exit code {', '.join(str(int(code)) for code in codes)}"
        for status, (why, codes, _) in ends.items()
    )
    return _svg(
        "session-ends",
        (800, 336),
        "How a session ends",
        f"logos trade starts a session; while it runs it can end in these ways. {words}. A stopped "
        "session and one whose process was killed are continued by logos resume; the others have "
        "ended for good.",
        parts,
    )


# ---- drawing ----


def _box(left: int, top: int, name: str, kind: str, *, width: int = _WIDE) -> list[str]:
    middle = left + width / 2
    return [
        f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{_HIGH}" rx="5"/>',
        f'<text class="name mid" x="{middle:.1f}" y="{top + 25}">{html.escape(name)}</text>',
    ]


def _svg(name: str, size: tuple[int, int], title: str, words: str, parts: Sequence[str]) -> str:
    width, height = size
    tip = (
        f'<defs><marker id="{name}-tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path class="tip" d="M0 0L8 4L0 8Z"/></marker></defs>'
    )
    inside = "\n".join([tip, *parts] if f"{name}-tip" in "".join(parts) else parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" viewBox="0 0 {width} {height}" '
        f'role="img" aria-labelledby="{name}-title {name}-words">\n'
        f'<title id="{name}-title">{html.escape(title)}</title>\n'
        f'<desc id="{name}-words">{html.escape(words)}</desc>\n'
        f"<style>\n{STYLE.read_text(encoding='utf-8').strip()}\n</style>\n"
        f"{inside}\n</svg>\n"
    )


def main() -> int:
    """Write the figures; with `--check` only compare. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Draw docs/figures.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if one is stale")
    is_check = parser.parse_args().check
    made = drawings()
    if is_check:
        return int(any((FIGURES / name).read_text("utf-8") != made[name] for name in made))
    FIGURES.mkdir(exist_ok=True)
    for name, drawing in made.items():
        (FIGURES / name).write_text(drawing, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
