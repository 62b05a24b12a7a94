"""The session's folder: a journal that proves itself, and everything else a projection of it."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from session_helpers import ARTIFACTS, Busy, ListFeed, session_config, table

from logos import session
from logos.config import ConfigError
from logos.core.instrument import instrument
from logos.core.messages import Event, Quote
from logos.core.strategy import Answer, Context, Strategy, limit, market, stop
from logos.core.types import NS_PER_SECOND, Side
from logos.journal.codec import GENESIS, BadLine, decode_line
from logos.testing.builders import Scripted, bar

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")

Body = dict[str, Any]


def bars(count: int) -> list[Event]:
    """A price that swings, one bar a minute."""
    events: list[Event] = []
    for number in range(1, count + 1):
        middle = 100 + number * 7 % 13
        prices = f"{middle} {middle + 3} {middle - 2} {middle + number % 3}"
        events.append(bar(ACME, number, prices, "40"))
    return events


def read_journal(path: Path) -> list[Body]:
    """The bodies of a journal; every line is checked against its number, CRC and chain."""
    digest = GENESIS
    bodies: list[Body] = []
    content = path.read_bytes()
    assert content.endswith(b"\n")
    for number, line in enumerate(content[:-1].split(b"\n"), start=1):
        body, digest = decode_line(line, number, digest)
        bodies.append(json.loads(body))
    return bodies


def busy_session(**tables: Any) -> session.SessionResult:
    config = session_config(
        session={"id": "busy", "sample_interval_s": 600},
        paper={"participation": "0.2", "slippage_ticks": 1},
        account={"balances": {"USD": "100000", "ACME": "20"}},
        risk={"max_position": "25"},
    )
    config["instruments"]["ACME"]["fees"] = {"taker": "0.001", "per_fill": "0.5", "decimals": 2}
    return session.run(
        {**config, **tables}, strategy=Busy({"ACME": "2"}, every=2), feed=ListFeed(bars(1500), 64)
    )


@pytest.fixture(scope="module")
def busy_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("busy")


@pytest.fixture(scope="module")
def busy(busy_home: Path) -> session.SessionResult:
    """A session whose files are read, never changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGOS_HOME", str(busy_home))
        patch.delenv("LOGOS_SEED", raising=False)
        result = busy_session()
    assert result.exit_code == session.ExitCode.FINISHED
    return result


# ---- the journal ----


def test_every_line_of_the_journal_follows_from_the_one_before(
    busy: session.SessionResult,
) -> None:
    bodies = read_journal(busy.folder / "state.jsonl")
    kinds = Counter(body["kind"] for body in bodies)
    assert (bodies[0]["kind"], bodies[-1]["kind"]) == ("manifest", "sealed")
    assert kinds["manifest"] == kinds["sealed"] == 1
    assert bodies[0]["uuid"] == busy.summary["uuid"]
    assert bodies[0]["seed"] == busy.summary["seed"]
    assert bodies[0]["config_hash"] == busy.summary["config_hash"]
    assert bodies[-1]["status"] == "ENDED"
    assert min(kinds["order"], kinds["fill"], kinds["refusal"], kinds["position"]) > 10
    assert {path.name for path in busy.folder.iterdir()} == set(ARTIFACTS)


@pytest.mark.parametrize("damage", ["flipped", "removed", "repeated", "swapped"])
def test_damage_to_any_line_shows(busy: session.SessionResult, tmp_path: Path, damage: str) -> None:
    lines = (busy.folder / "state.jsonl").read_bytes().splitlines(keepends=True)
    at = len(lines) // 2
    if damage == "flipped":
        lines[at] = lines[at].replace(b"1", b"2", 1)
    elif damage == "removed":
        del lines[at]
    elif damage == "repeated":
        lines.insert(at, lines[at])
    else:
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    damaged = tmp_path / "state.jsonl"
    damaged.write_bytes(b"".join(lines))
    with pytest.raises(BadLine):
        read_journal(damaged)


def test_the_snapshot_names_the_end_of_the_journal_and_its_books(
    busy: session.SessionResult,
) -> None:
    state = json.loads((busy.folder / "state.json").read_text(encoding="utf-8"))
    lines = (busy.folder / "state.jsonl").read_bytes().splitlines()
    assert state["sequence"] == len(lines)
    assert f'"hash":"{state["journal_hash"][:16]}"'.encode() in lines[-1]
    assert state["wallets"] == busy.summary["balances"]
    held = state["positions"]["ACME"]
    assert held["position"] == busy.summary["symbols"]["ACME"]["position"]
    assert sum(Decimal(lot["quantity"]) for lot in held["lots"]) == Decimal(held["position"])


# ---- the tables ----


def amount(units: int, decimals: int) -> Decimal:
    return Decimal(units).scaleb(-decimals)


def test_orders_are_what_the_journal_says_of_each(busy: session.SessionResult) -> None:
    bodies = read_journal(busy.folder / "state.jsonl")
    orders = {body["order_id"]: body for body in bodies if body["kind"] == "order"}
    last = {body["order_id"]: body for body in bodies if body["kind"] == "order_update"}
    rows = table(busy.folder, "orders")
    assert sorted(int(row["order_id"]) for row in rows) == list(range(1, len(orders) + 1))
    for row in rows:
        made, end = orders[int(row["order_id"])], last[int(row["order_id"])]
        words = ("client_order_id", "symbol", "side", "type", "time_in_force", "tag", "notes")
        assert [row[name] for name in words] == [made[name] for name in words]
        assert (row["status"], row["reason"]) == (end["status"], end["reason"])
        assert Decimal(row["quantity"]) == amount(made["quantity_units"], made["quantity_decimals"])
        assert Decimal(row["filled"]) == amount(end["filled_units"], made["quantity_decimals"])
        assert Decimal(row["fee"]) == amount(end["fee_units"], made["money_decimals"])
        for name in ("limit_price", "stop_price"):
            named = amount(made[f"{name}_units"], made["price_decimals"])
            assert Decimal(row[name] or 0) == named
    assert len(rows) == busy.summary["orders"]
    reasons = Counter(row["reason"] for row in rows if row["reason"])
    assert reasons == busy.summary["orders_ended_by"]


def test_trades_and_their_orders_are_what_the_journal_says(busy: session.SessionResult) -> None:
    fills = [body for body in read_journal(busy.folder / "state.jsonl") if body["kind"] == "fill"]
    rows = table(busy.folder, "trades")
    assert len(rows) == len(fills) == busy.summary["fills"]
    filled: Counter[str] = Counter()
    fees: dict[str, Decimal] = {}
    for row, fill in zip(rows, fills, strict=True):
        for name in ("fill_id", "tick_id", "order_id"):
            assert row[name] == str(fill[name])
        for name in ("symbol", "side", "liquidity", "currency", "client_order_id"):
            assert row[name] == fill[name]
        for name in ("quantity", "position"):
            assert Decimal(row[name]) == amount(fill[f"{name}_units"], fill["quantity_decimals"])
        for name in ("fee", "realised", "symbol_realised", "symbol_fees", "wallet"):
            assert Decimal(row[name]) == amount(fill[f"{name}_units"], fill["money_decimals"])
        assert Decimal(row["price"]) == amount(fill["price_units"], fill["price_decimals"])
        assert Decimal(row["notional"]) == Decimal(row["price"]) * Decimal(row["quantity"])
        assert len(list(filter(None, row["lots_closed"].split(";")))) == len(fill["lots"])
        filled[row["order_id"]] += int(row["quantity"])
        fees[row["order_id"]] = fees.get(row["order_id"], Decimal(0)) + Decimal(row["fee"])
    for order in table(busy.folder, "orders"):
        assert filled[order["order_id"]] == int(order["filled"])
        assert fees.get(order["order_id"], Decimal(0)) == Decimal(order["fee"])


@pytest.mark.parametrize(
    ("name", "kind", "figures"),
    [
        ("positions", "position", ("cost", "realised", "unrealised", "fees")),
        ("account", "account", ("balance", "locked", "equity", "high_water", "max_drawdown")),
    ],
)
def test_samples_are_what_the_journal_says(
    busy: session.SessionResult, name: str, kind: str, figures: Sequence[str]
) -> None:
    bodies = [b for b in read_journal(busy.folder / "state.jsonl") if b["kind"] == kind]
    rows = table(busy.folder, name)
    assert len(rows) == len(bodies) > 100
    times = [row["time"] for row in rows]
    assert times == sorted(times)
    for row, body in zip(rows, bodies, strict=True):
        for figure in figures:
            assert Decimal(row[figure]) == amount(body[f"{figure}_units"], body["money_decimals"])


def test_in_every_sample_equity_is_initial_realised_fees_and_unrealised(
    busy: session.SessionResult,
) -> None:
    samples = zip(table(busy.folder, "account"), table(busy.folder, "positions"), strict=True)
    for row, position in samples:
        assert row["time"] == position["time"]
        figures = {name: Decimal(row[name]) for name in row if name not in ("time", "currency")}
        assert figures["equity"] == (
            figures["initial"] + figures["realised"] - figures["fees"] + figures["unrealised"]
        )
        for name in ("realised", "fees", "unrealised"):
            assert Decimal(position[name]) == figures[name], "the sum over one symbol is itself"
        assert figures["high_water"] >= figures["equity"]
        assert figures["max_drawdown"] >= figures["high_water"] - figures["equity"]


def test_the_log_has_a_line_for_every_decision(
    busy: session.SessionResult, busy_home: Path
) -> None:
    log = busy_home / "logos" / "logs" / "busy.jsonl"
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    actions = Counter(line["action"] for line in lines)
    assert actions["FILL"] == busy.summary["fills"]
    assert actions["REFUSED"] == busy.summary["refused"]
    assert actions["ORDER_GENERATED"] == busy.summary["orders"]
    needed = {"timestamp", "tick_id", "action", "reason", "circuit_breaker_state"}
    assert all(needed <= set(line) for line in lines)


# ---- the report ----


def test_the_report_names_refusals_by_code_and_what_ran(busy: session.SessionResult) -> None:
    report = (busy.folder / "session.md").read_text(encoding="utf-8")
    assert "## Refusals by code" in report
    refusals: Mapping[str, int] = busy.summary["refusals"]
    assert set(refusals) >= {"MAX_POSITION"}
    for code, count in refusals.items():
        assert f"| {code} | {count} |" in report
    for key in ("uuid", "seed", "config_hash", "software", "strategy"):
        assert f" {busy.summary[key]} |" in report
    usd = busy.summary["currencies"]["USD"]
    assert f"{Decimal(usd['equity']):,.2f}" in report
    refused = [
        body for body in read_journal(busy.folder / "state.jsonl") if body["kind"] == "refusal"
    ]
    # One intent may be refused by several guards; each is counted under its own code.
    codes = Counter(code for body in refused for code in (body["code"], *body["also"]))
    assert codes == refusals
    assert len(refused) == busy.summary["refused"]
    assert f"{len(refused)} refusals" in report


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_tag_that_looks_like_a_formula_is_neutralised_and_numbers_stay_numbers(
    start: str,
) -> None:
    tag = f'{start}HYPERLINK("x","y")'
    script: dict[int, Answer] = {
        1: [market(Side.SELL, 3, tag=tag), limit(Side.BUY, 1, "50", tag="plain = text")],
        2: stop(Side.BUY, 1, "500", tag=tag),
    }
    config = session_config(account={"balances": {"USD": "1000", "ACME": "5"}})
    result = session.run(config, strategy=Scripted(script), feed=ListFeed(bars(4)))
    tags = [row["tag"] for row in table(result.folder, "orders")]
    assert sorted(tags) == sorted([f"'{tag}", f"'{tag}", "plain = text"])
    [trade] = table(result.folder, "trades")
    assert trade["position"] == "-3"
    content = (result.folder / "orders.csv").read_text(encoding="utf-8")
    assert f",{start}" not in content.replace(",,", ",")
    [made, *_] = [b for b in read_journal(result.folder / "state.jsonl") if b["kind"] == "order"]
    assert made["tag"] == tag, "the journal keeps what was said"


# ---- two runs ----


@pytest.mark.long
def test_two_runs_differ_in_nothing_but_the_host_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = []
    for name in ("one", "two"):
        monkeypatch.setenv("LOGOS_HOME", str(tmp_path / name))
        folder = busy_session().folder
        digests.append(
            {
                str(path.relative_to(tmp_path / name)): hashlib.sha256(
                    path.read_bytes()
                ).hexdigest()
                for part in ("runs", "logos")  # beside them lies the machine's kill switch
                for path in sorted((tmp_path / name / part).rglob("*"))
                if path.is_file()
            }
        )
        assert (folder / "host.json").is_file()
    assert digests[0].keys() == digests[1].keys()
    differing = {Path(path).name for path in digests[0] if digests[0][path] != digests[1][path]}
    assert differing == {"host.json", "busy.metrics.json"}
    assert "logos/logs/busy.jsonl" in digests[0]


@pytest.mark.long
def test_another_seed_is_another_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trades = []
    for seed in (1, 2):
        monkeypatch.setenv("LOGOS_HOME", str(tmp_path / str(seed)))
        result = busy_session(session={"id": "busy", "seed": seed})
        trades.append((result.folder / "trades.csv").read_bytes())
        assert result.summary["seed"] == seed
    assert trades[0] != trades[1]


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_sessions_without_an_id_take_the_next_free_one_and_never_a_taken_one() -> None:
    def run(**names: str) -> session.SessionResult:
        config = session_config(session=names)
        return session.run(config, strategy=Scripted(), feed=ListFeed(bars(2)))

    assert [run().session_id, run().session_id] == ["session-0001", "session-0002"]
    mine = run(id="mine")
    before = {path: path.read_bytes() for path in mine.folder.iterdir()}
    with pytest.raises(ConfigError, match="exists already"):
        run(id="mine")
    assert {path: path.read_bytes() for path in mine.folder.iterdir()} == before
    assert run().session_id == "session-0003"


@pytest.mark.usefixtures("logos_home")
def test_how_events_are_cut_into_chunks_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journals = []
    for size in (1, 7, 10_000):
        monkeypatch.setenv("LOGOS_HOME", str(tmp_path / str(size)))
        strategy = Busy({"ACME": "2"}, every=2)
        config = session_config(session={"id": "chunks"})
        result = session.run(config, strategy=strategy, feed=ListFeed(bars(300), size))
        journals.append((result.folder / "state.jsonl").read_bytes())
    assert journals[0] == journals[1] == journals[2]


# ---- memory ----


class Flips(Strategy):
    """Long, then flat again, once in a hundred quotes; one order always rests."""

    def __init__(self) -> None:
        self.count = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.count += 1
        if self.count == 1:
            return limit(Side.BUY, 1, "1")
        if self.count % 100 == 0:
            return market(Side.BUY if self.count // 100 % 2 else Side.SELL, 1)
        return None


class ManyQuotes:
    """`count` quotes, made as they are asked for."""

    def __init__(self, count: int) -> None:
        self._count = count

    def chunks(self) -> Iterator[Sequence[Event]]:
        for start in range(0, self._count, 250):
            yield [
                Quote(number * NS_PER_SECOND, "ACME", 10_000, 10_000 + number % 50, -1, -1, ACME)
                for number in range(start + 1, start + 251)
            ]


def peak_bytes(count: int) -> int:
    strategy = Flips()
    tracemalloc.start()
    try:
        result = session.run(session_config(), strategy=strategy, feed=ManyQuotes(count))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.summary["ticks"] == strategy.count == count
    assert result.summary["fills"] == count // 100 - 1
    return peak


@pytest.mark.usefixtures("logos_home")
@pytest.mark.campaign
def test_memory_does_not_grow_with_the_number_of_ticks() -> None:
    peak_bytes(4_000)  # what is imported and cached once
    short, long = peak_bytes(80_000), peak_bytes(240_000)  # fewer do not fill the tables' buffers
    assert long < short + 100_000, f"{short} bytes for 80,000 quotes, {long} for 240,000"
