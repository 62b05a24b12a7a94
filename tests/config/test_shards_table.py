"""The table of shards: what is refused, and what the session of one shard is given."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from logos.cli.main import main
from logos.config import ConfigError, make_config
from logos.config.terms.shards import shard_config, shard_problems

Tables = dict[str, Any]


def tables() -> Tables:
    instrument = {"quote": "USD", "tick": "0.01", "lot": "1"}
    return {
        "strategy": {"name": "sma_cross"},
        "instruments": {symbol: dict(instrument) for symbol in ("AAA", "BBB", "CCC", "DDD")},
        "risk": {"symbols": {"AAA": {"max_position": 3}, "CCC": {"max_position": 4}}},
        "live": {"feed": "kafka", "kafka": {"brokers": "127.0.0.1:1", "topics": ["quotes"]}},
        "killswitch": {"coordinator": {"fleet": "desk", "endpoints": ["http://127.0.0.1:1"]}},
        "shards": {
            "folder": "/srv/shared",
            "total": 100,
            "table": {
                "s0": {"symbols": ["AAA", "BBB"], "partitions": [0], "budget": 60},
                "s1": {
                    "symbols": ["CCC", "DDD"],
                    "partitions": [1, 2],
                    "budget": 40,
                    "budget_max": 70,
                },
            },
        },
    }


def shard(of: Tables, name: str = "s0") -> Tables:
    found: Tables = of["shards"]["table"][name]
    return found


CASES: list[tuple[Callable[[Tables], object], str]] = [
    (lambda t: shard(t)["symbols"].remove("BBB"), "leaves out 'BBB': nobody would trade it"),
    (lambda t: t["shards"]["table"].pop("s1"), "leaves out 'CCC', 'DDD': nobody would trade them"),
    (lambda t: shard(t)["symbols"].append("CCC"), "gives the symbol 'CCC' 2 times (s0, s1)"),
    (lambda t: shard(t)["symbols"].append("AAA"), "gives the symbol 'AAA' 2 times (s0)"),
    (lambda t: shard(t)["symbols"].append("AAAA"), "'AAAA', which is not traded: did you mean"),
    (lambda t: shard(t)["partitions"].append(2), "gives partition 2 2 times (s0, s1)"),
    (lambda t: shard(t)["partitions"].clear(), "s0.partitions is empty: no price would come"),
    (lambda t: shard(t)["partitions"].append(-1), "numbers from 0 on"),
    (lambda t: shard(t).update(budget=61), "the budgets add up to 101, and shards.total is 100"),
    (lambda t: shard(t).update(budget=0), "s0.budget is above 0"),
    (lambda t: shard(t).update(budget_max=59), "s0.budget_max (59) is below its budget (60)"),
    (lambda t: shard(t)["symbols"].clear(), "s0.symbols is empty"),
    (
        lambda t: t["shards"].update(takeover="shipped"),
        'takeover = "shipped" needs [ship.kafka] with brokers and inputs = true',
    ),
    (lambda t: t["shards"].update(total=0), "total is above 0, not 0"),
    (lambda t: t["shards"].update(folder=""), "folder is empty"),
    (lambda t: t["shards"]["table"].update({"s-2": shard(t)}), "name is 1 to 24 letters"),
    (lambda t: t.pop("killswitch"), "needs [killswitch.coordinator]"),
    (
        lambda t: t["killswitch"]["coordinator"].update(
            backend="redis", endpoints=["redis://127.0.0.1:1"]
        ),
        'backend = "etcd"',
    ),
    (lambda t: t["killswitch"]["coordinator"].update(shard="s0"), "take it out"),
    (lambda t: t["live"].update(feed="replay"), 'partitions go with live.feed = "kafka"'),
    (lambda t: t["live"].update(feed=""), "needs live.feed"),
    (lambda t: t.update(venue={"name": "ib", "live": True}), "shards trade on paper only"),
    (lambda t: t.update(session={"id": "x"}), "session.id is FLEET-SHARD"),
    (
        lambda t: t["risk"].update(total={"max_gross_exposure": 5}),
        "max_gross_exposure is each shard's budget",
    ),
]


def problems(of: Tables) -> list[str]:
    try:
        return shard_problems(make_config(of))
    except ConfigError as error:
        return str(error).split("; ")


@pytest.mark.parametrize(("change", "words"), CASES)
def test_a_table_that_cannot_be_traded_is_refused_in_words(
    change: Callable[[Tables], object], words: str
) -> None:
    wrong = tables()
    change(wrong)
    assert any(words in each for each in problems(wrong)), problems(wrong)


def test_a_table_that_is_whole_is_not() -> None:
    assert problems(tables()) == []
    assert problems({"strategy": {"name": "sma_cross"}}) == []


def test_the_session_of_a_shard_has_its_symbols_partitions_and_budget_alone() -> None:
    own = shard_config(make_config(tables()), "s1")
    assert own.session.id == "desk-s1"
    assert list(own.instruments) == ["CCC", "DDD"]
    assert list(own.risk.symbols) == ["CCC"]
    assert own.risk.total.max_gross_exposure == Decimal(70)
    assert own.switch.on_engaged == "block"
    assert own.live.kafka.partitions == [1, 2]  # type: ignore[union-attr]
    assert own.killswitch.coordinator.shard == "s1"  # type: ignore[union-attr]
    assert make_config({}).shards is own.shards, "it is a session like any other"
    with pytest.raises(ConfigError, match="no shard 's2' in the table"):
        shard_config(make_config(tables()), "s2")


FILE = """
[strategy]
name = "sma_cross"
[instruments.AAA]
quote = "USD"
tick = "1"
lot = "1"
[instruments.BBB]
quote = "USD"
tick = "1"
lot = "1"
[live]
feed = "kafka"
[live.kafka]
brokers = "127.0.0.1:1"
topics = ["quotes"]
[killswitch.coordinator]
fleet = "desk"
endpoints = ["http://127.0.0.1:1"]
[shards]
folder = "shared"
total = 10
[shards.table.s0]
symbols = ["AAA"SECOND]
partitions = [0]
budget = 6
"""


def test_the_plan_is_shown_and_one_session_of_the_whole_table_is_refused(
    logos_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = logos_home / "fleet.toml"
    file.write_text(FILE.replace("SECOND", ""))
    assert main(["fleet", "plan", "--config", str(file)]) == 2
    assert "shards.table leaves out 'BBB': nobody would trade it" in capsys.readouterr().err
    file.write_text(FILE.replace("SECOND", ', "BBB"'))
    assert main(["fleet", "plan", "--config", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "s0: session desk-s0; partitions 0; AAA, BBB; budget 6" in shown
    assert "1 shards, 2 symbols, each in one shard; budgets 6 of 10" in shown
    assert main(["trade", "--config", str(file)]) == 2
    assert "logos fleet start" in capsys.readouterr().err
    assert main(["fleet", "start", "--config", str(file), "--shard", "s9"]) == 2
    assert "no shard 's9' in the table" in capsys.readouterr().err


def test_settings_without_shards_are_no_fleet(
    logos_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = logos_home / "plain.toml"
    file.write_text('[strategy]\nname = "sma_cross"\n')
    assert main(["fleet", "status", "--config", str(file)]) == 2
    assert "there is no [shards] in the settings: see docs/SCALE.md" in capsys.readouterr().err
