"""A session that pays and is paid over time: its tables, its report, resume, replay and verify."""

from __future__ import annotations

import csv
import json
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from session_helpers import ListFeed, session_config

import logos
from logos import session
from logos.audit.verify import verify
from logos.config import ConfigError, make_config
from logos.core.instrument import instrument
from logos.core.messages import Event
from logos.core.strategy import market
from logos.core.types import Side
from logos.journal.codec import GENESIS, encode_lines
from logos.session.build import build_account, make_instruments
from logos.session.entry import SessionDiffersError, compared
from logos.session.opening.funding import with_funding
from logos.testing.builders import Scripted, quote

HOUR = 3_600 * 10**9
PERP = {"quote": "USD", "tick": "0.1", "lot": "1", "settlement": "margin", "borrow_rate": "0.1"}
PAID: dict[str, Any] = {
    "session": {"id": "paid", "sample_interval_s": 3600 * 8},
    "instruments": {
        "PERP": {**PERP, "funding": {"rate": "0.0001"}},
        "ACME": {"quote": "USD", "tick": "0.01", "lot": "1", "borrow_rate": "0.05"},
    },
    "account": {
        "balances": {"USD": "3000"},
        "borrow": {"USD": "100000", "ACME": "50"},
        "interest": {"USD": "0.06"},
    },
}


def events() -> list[Event]:
    perp = instrument("PERP", tick="0.1", lot="1", quote="USD", settlement="margin")
    acme = instrument("ACME", tick="0.01", lot="1", quote="USD")
    found: list[Event] = []
    for number in range(1, 60):
        price = 100 + number * 7 % 13
        found.append(quote(perp, number * HOUR, f"{price}.1", f"{price}.3"))
        found.append(quote(acme, number * HOUR + 1, f"{price}.01", f"{price}.03"))
    return found


SCRIPT = {
    2: market(Side.BUY, 7, symbol="PERP"),
    4: market(Side.BUY, 40, symbol="ACME"),
    50: market(Side.SELL, 20, symbol="PERP"),
    70: market(Side.SELL, 75, symbol="ACME"),
    100: market(Side.BUY, 13, symbol="PERP"),
}


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))


def run_session(**tables: Any) -> session.SessionResult:
    config = session_config(**{**PAID, **tables})
    return session.run(config, strategy=Scripted(dict(SCRIPT)), feed=ListFeed(events()))


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
def test_payments_have_a_table_a_column_and_a_line_and_verify_recomputes_them() -> None:
    result = run_session()
    assert verify(result.folder).findings == []
    payments = rows(result.folder, "payments.csv")
    assert {each["type"] for each in payments} == {"funding", "borrow", "interest"}
    total = sum(Fraction(each["amount"]) for each in payments)
    last = rows(result.folder, "account.csv")[-1]
    assert Fraction(last["payments"]) == Fraction(payments[-1]["payments"]) == total
    assert total < 0
    money = result.summary["currencies"]["USD"]
    assert Fraction(money["payments"]) == total
    parts = ("initial", "realised", "unrealised", "payments")
    assert Fraction(money["equity"]) == sum(Fraction(money[each]) for each in parts) - Fraction(
        money["fees"]
    )
    page = (result.folder / "session.md").read_text(encoding="utf-8")
    assert "| unrealised | payments | high water |" in page
    read = logos.result("paid")
    assert read.summary == result.summary
    first = read.records("payments")[0]
    assert (first["type"], first["symbol"]) == ("funding", "PERP")
    assert sum(each["amount"] for each in read.records("payments")) == Decimal(last["payments"])


def test_a_balance_below_zero_costs_a_365th_of_its_yearly_rate_at_midnight() -> None:
    result = run_session()
    interest = [each for each in rows(result.folder, "payments.csv") if each["type"] == "interest"]
    first = interest[0]
    unit = Fraction(1, 10 ** len(first["amount"].partition(".")[2]))
    due = Fraction(first["quantity"]) * Fraction("0.06") / 365 // unit * unit
    assert Fraction(first["amount"]) == due < 0
    assert first["time"].endswith("T00:00:00.000000000Z")


def test_a_session_without_them_has_neither_file_nor_column() -> None:
    plain = {"PERP": {**PERP}, "ACME": PAID["instruments"]["ACME"]}
    plain = {name: {**each} for name, each in plain.items()}
    for each in plain.values():
        del each["borrow_rate"]
    account = {key: PAID["account"][key] for key in ("balances", "borrow")}
    result = run_session(instruments=plain, account=account)
    assert not (result.folder / "payments.csv").exists()
    assert logos.result("paid").records("payments") == []
    assert "payments" not in (result.folder / "account.csv").read_text(encoding="utf-8")
    assert "payments" not in result.summary["currencies"]["USD"]
    assert "payment" not in (result.folder / "state.jsonl").read_text(encoding="utf-8")


def rewritten(journal: Path, change: Any) -> None:
    """The journal with its bodies changed, and its chain made anew."""
    bodies = [json.loads(line)["body"] for line in journal.read_bytes().splitlines()]
    texts = [json.dumps(body, separators=(",", ":")).encode() for body in change(bodies)]
    content, _ = encode_lines(0, GENESIS, texts)
    journal.write_bytes(content)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["funding", "borrow", "interest"])
@pytest.mark.parametrize("what", ["left out", "amount", "rate"])
def test_verify_finds_a_payment_that_is_missing_or_was_altered(kind: str, what: str) -> None:
    result = run_session()

    def change(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        [place, *_] = [n for n, each in enumerate(bodies) if each.get("type") == kind]
        if what == "left out":
            return [*bodies[:place], *bodies[place + 1 :]]
        bodies[place][f"{what}_units"] += 1
        return bodies

    rewritten(result.folder / "state.jsonl", change)
    found = " ".join(each.message for each in verify(result.folder).findings)
    name = {"funding": "PERP", "interest": "USD"}.get(kind, "")
    said = f"no {kind} of {name}" if what == "left out" else f"{kind} of {name}"
    assert said in found
    assert "and it was due" in found or "and by the settings" in found


@pytest.mark.long
def test_a_replay_comes_to_the_same_bytes_and_compares_the_payments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = run_session()
    assert "payments.csv" in compared(result.folder)

    def again() -> None:
        session.replay("paid", strategy=Scripted(dict(SCRIPT)), feed=ListFeed(events()))

    again()
    table = result.folder / "payments.csv"
    table.write_bytes(table.read_bytes().replace(b"funding", b"fundings", 1))
    with pytest.raises(SessionDiffersError, match=r"payments\.csv"):
        again()


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ({"instruments": {"X": {**PERP, "borrow_rate": "-0.1"}}},
         "instruments.X.borrow_rate must be 0 or more, not -0.1"),
        ({"instruments": {"X": {**PERP, "borrow_rate": "0.0000000001"}}},
         "instruments.X.borrow_rate: 1E-10 has more than 9 decimals"),
        ({"instruments": {"X": {**PERP, "settlement": "spot", "funding": {"rate": "0.1"}}}},
         "instruments.X.funding: a spot position pays none; set settlement"),
        ({"instruments": {"X": {**PERP, "funding": {"times": []}}}},
         "instruments.X.funding.times: name at least one"),
        ({"instruments": {"X": {**PERP, "funding": {"times": ["8:00"]}}}},
         "instruments.X.funding.times: '8:00'; write them like 08:00 (UTC)"),
        ({"instruments": {"X": {**PERP, "funding": {"times": ["08:00", "00:00"]}}}},
         "instruments.X.funding.times: each once, in order"),
        ({"instruments": {"X": {**PERP, "funding": {"rate": "0.1", "file": "f.csv"}}}},
         "instruments.X.funding.rate: leave it out: file and rates have one for each time"),
        ({"account": {"interest": {"USD": "-1"}}},
         "account.interest.USD must be 0 or more, not -1"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(tables: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config(tables)
    assert problem in caught.value.problems


def test_interest_in_a_currency_that_nothing_is_quoted_in_is_refused() -> None:
    config = make_config({"instruments": {"X": PERP}, "account": {"interest": {"EUR": "0.1"}}})
    with pytest.raises(ConfigError, match=r"account\.interest\.EUR: nothing is quoted in it"):
        build_account(config, make_instruments(config.instruments))


def funded(path: Path) -> dict[str, Any]:
    return {"instruments": {"X": {**PERP, "funding": {"file": str(path)}}}}


def test_a_file_of_rates_is_read_once_and_stands_in_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("time,rate\n2024-01-01T00:00:00Z,0.0001\n1704096000, -0.0002\n")
    config = with_funding(make_config(funded(path)))
    funding = config.instruments["X"].funding
    assert funding.rates == [  # type: ignore[union-attr]
        "2024-01-01T00:00:00Z 0.0001", "2024-01-01T08:00:00Z -0.0002",
    ]  # fmt: skip
    path.unlink()
    assert with_funding(config) == config
    schedule = make_instruments(config.instruments)["X"].funding
    assert schedule is not None
    assert schedule.rate_at(1704096000 * 10**9) == -200_000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("when,rate\n", "the first line must be time,rate"),
        ("time,rate\n", "has no rates"),
        ("time,rate\n2024-01-01T00:00:00Z\n", "line 2: a time and a rate"),
        ("time,rate\nsoon,0.1\n", "line 2: not a timestamp: 'soon'"),
        ("time,rate\n2024-01-01T00:00:00Z,much\n", "line 2: not a rate: 'much'"),
        ("time,rate\n2024-01-01T00:00:00Z,0.0000000001\n", "line 2: 1E-10 has more than 9"),
    ],
)
def test_a_file_that_holds_no_rates_says_where(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rates.csv"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        with_funding(make_config(funded(path)))
    assert problem in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        with_funding(make_config(funded(tmp_path / "none.csv")))


def test_a_file_of_rates_has_a_kind_and_a_size(tmp_path: Path) -> None:
    pipe, huge = tmp_path / "pipe", tmp_path / "huge.csv"
    os.mkfifo(pipe)
    with huge.open("wb") as file:
        file.truncate(1 << 30)  # a hole: it takes no place on the disk
    for path, words in ((pipe, "it is a named pipe, not a file"), (huge, "it is larger than")):
        with pytest.raises(ConfigError, match=words):
            with_funding(make_config(funded(path)))


def test_rates_out_of_order_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("time,rate\n2024-01-02T00:00:00Z,0.1\n2024-01-01T00:00:00Z,0.1\n")
    config = with_funding(make_config(funded(path)))
    with pytest.raises(ConfigError, match="times of funding follow each other"):
        make_instruments(config.instruments)
