"""The risk of a session in its log: once an interval, the same in a replay, and judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from places import PROJECT
from session_helpers import ListFeed, session_config

from logos import session
from logos.audit.risk import judge_risk, marks_of
from logos.audit.samples import make_auditor
from logos.audit.verify import verify
from logos.config import ConfigError, make_config
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.messages import Event
from logos.core.records import RiskRecord
from logos.core.strategy import Answer, market
from logos.core.types import Code, Side
from logos.journal.entries import read_journal
from logos.session.entry import replay, resume
from logos.session.presence.page import metrics_path
from logos.testing.builders import Scripted, quote

pytestmark = pytest.mark.long

VALIDATOR = Draft202012Validator(
    json.loads((PROJECT / "docs" / "schema" / "decision-log.schema.json").read_bytes())
)
ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
SECOND_NS = 1_000_000_000
RISK = {
    "unlimited": True,
    "max_position": "10",
    "total": {"max_gross_exposure": "1000", "max_drawdown": "500"},
}

ORDERS: dict[int, Answer] = {1: market(Side.BUY, 3), 5: market(Side.SELL, 1)}


def ticks(*seconds: float) -> list[Event]:
    prices = [("10.00", "10.02"), ("10.01", "10.03"), ("9.95", "9.97")]
    return [
        quote(ACME, int(at * SECOND_NS), *prices[number % 3]) for number, at in enumerate(seconds)
    ]


def run(
    home: Path,
    events: list[Event],
    every_s: int = 10,
    level: str = "decisions",
    kind: type[ListFeed] = ListFeed,
    **tables: Any,
) -> Path:
    """The folder of a session that buys three, and sells one of them later."""
    config = session_config(
        session={"id": "risky", **tables.pop("session", {})},
        log={"risk_interval_s": every_s, "level": level}, risk=RISK, **tables,
    )  # fmt: skip
    result = session.run(
        config, strategy=Scripted(ORDERS), feed=kind(events, 3), home=home, switch=InProcessSwitch()
    )
    return Path(result.folder)


def records(folder: Path) -> list[RiskRecord]:
    found = (entry.record for entry in read_journal(folder / "state.jsonl"))
    return [record for record in found if isinstance(record, RiskRecord)]


def lines(home: Path) -> list[dict[str, Any]]:
    log = metrics_path("risky", home).with_name("risky.jsonl")
    return [json.loads(line) for line in log.read_bytes().splitlines()]


def test_there_is_one_on_each_boundary_that_an_event_passes_and_one_for_a_hole(
    tmp_path: Path,
) -> None:
    folder = run(tmp_path, ticks(1, 5, 9.5, 10, 12, 19.9, 20.1, 57, 58, 60))
    told = [(each.ts_ns // SECOND_NS, each.tick_id) for each in records(folder)]
    assert told == [(10, 3), (20, 6), (50, 7), (60, 9)]


def test_it_says_how_things_stood_before_the_event_of_its_moment(tmp_path: Path) -> None:
    [first, *_] = records(run(tmp_path, ticks(1, 5, 9, 10, 11)))
    [money], [acme] = first.currencies, first.symbols
    assert (acme.position_units, acme.mark_units, acme.open_orders) == (3, 995, 0)
    assert acme.price_age_ns == SECOND_NS
    assert money.gross_exposure_units == acme.value_units > 0
    assert money.drawdown_units == money.high_water_units - money.equity_units > 0
    used = {each.guard: each for each in first.guards}
    assert (used[Code.MAX_POSITION].used_units, used[Code.MAX_POSITION].limit_units) == (3, 10)
    assert used[Code.MAX_DRAWDOWN].used_units == money.drawdown_units


def test_the_log_has_them_by_the_schema_and_nothing_else_changes(tmp_path: Path) -> None:
    events = ticks(*range(1, 40))
    with_, without = tmp_path / "with", tmp_path / "without"
    folder, plain = run(with_, events), run(without, events, every_s=0)
    found = lines(with_)
    for line in found:
        VALIDATOR.validate(line)
    said = [line["risk"] for line in found if line["action"] == "RISK"]
    assert said == [json.loads(msgspec.json.encode(each)) for each in records(folder)]
    assert len(said) == 3
    assert records(plain) == []
    rest = [line for line in found if line["action"] != "RISK"]
    assert rest == lines(without)
    for name in ("orders.csv", "trades.csv", "account.csv", "positions.csv"):
        assert (folder / name).read_bytes() == (plain / name).read_bytes()


@pytest.mark.parametrize("level", ["decisions", "all"])
def test_a_replay_makes_the_same_and_verify_makes_the_log_again(tmp_path: Path, level: str) -> None:
    folder = run(tmp_path, ticks(*range(1, 40)), level=level, session={"sample_interval_s": 7})
    assert len(records(folder)) == 3
    strategy = Scripted(ORDERS)
    replay("risky", strategy=strategy, home=tmp_path, feed=ListFeed(ticks(*range(1, 40)), 5))
    verdict = verify(folder)
    assert verdict.findings == []


class Cut(ListFeed):
    """A feed that breaks off after half of its lists."""

    def chunks(self) -> Iterator[Sequence[Event]]:
        whole = list(super().chunks())
        yield from whole[: len(whole) // 2]
        raise KeyboardInterrupt


def test_a_session_that_is_resumed_has_them_on_the_same_boundaries(tmp_path: Path) -> None:
    events = ticks(*range(1, 40))
    whole = run(tmp_path / "whole", events)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, events, kind=Cut)
    again = ListFeed(events, 3)
    resume("risky", strategy=Scripted(ORDERS), home=tmp_path, feed=again, switch=InProcessSwitch())
    folder = tmp_path / whole.relative_to(tmp_path / "whole")
    assert records(folder) == records(whole)
    assert lines(tmp_path) == lines(tmp_path / "whole")


def test_an_interval_below_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"log\.risk_interval_s must be 0 \(none\) or more"):
        make_config(session_config(log={"risk_interval_s": -1}))


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("symbols", lambda each: msgspec.structs.replace(each, position_units=4)),
        ("symbols", lambda each: msgspec.structs.replace(each, unrealised_units=1)),
        ("currencies", lambda each: msgspec.structs.replace(each, equity_units=1)),
        ("currencies", lambda each: msgspec.structs.replace(each, gross_exposure_units=1)),
        ("currencies", lambda each: msgspec.structs.replace(each, drawdown_units=1)),
    ],
)
def test_a_figure_that_does_not_follow_from_the_fills_is_found(
    tmp_path: Path, place: str, change: Callable[[Any], Any]
) -> None:
    folder = run(tmp_path, ticks(1, 5, 9, 10, 11))
    [record] = records(folder)
    auditor = make_auditor(make_config(json.loads((folder / "config.json").read_bytes())))
    rows = (folder / "trades.csv").read_text().splitlines()
    head, first = (line.split(",") for line in rows[:2])
    assert auditor.apply(dict(zip(head, first, strict=True))) == []
    state = auditor.state(marks_of(record))
    assert judge_risk(record, state) == []
    [part] = getattr(record, place)
    changed = msgspec.structs.replace(record, **{place: (change(part),)})
    assert judge_risk(changed, state)
